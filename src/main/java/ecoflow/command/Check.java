package ecoflow.command;

import ecoflow.config.AccountSettings;
import ecoflow.config.ConfigException;
import ecoflow.config.Configuration;
import ecoflow.config.PageSettings;
import ecoflow.config.Settings;
import ecoflow.text.ClockOffset;
import ecoflow.text.Lines;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** Runs all checks, each after those that it depends on. */
final class Check {

  /** The header Date has a resolution of one second. */
  private static final Duration EXACT = Duration.ofSeconds(2);

  private static final long CHECK_MILLIS = 100;
  private static final Duration REQUEST_PAUSE = Duration.ofSeconds(1);

  /** EcoFlow locks accounts that call too often. */
  private static final Duration CALL_PAUSE = Duration.ofSeconds(5);

  private final boolean isNamed;
  private final Commands.Exporter exporter;
  private final Clock clock;
  private final Duration timeout;
  private final Findings findings;
  private final Settings settings;

  Check(
      AccountSettings account,
      Commands.Exporter exporter,
      Clock clock,
      Duration timeout,
      Findings findings) {
    this.isNamed = !account.name().isEmpty();
    this.exporter = exporter;
    this.clock = clock;
    this.timeout = timeout;
    this.findings = findings;
    this.settings = account.settings();
  }

  /**
   * @param unknownVariables a line for each unknown variable of the environment
   */
  void run(List<String> unknownVariables) throws ConfigException {
    Network network = new Network(settings.http());
    // Invalid files named by the settings fail here, before the first line of output.
    try (Commands.Cloud cloud = exporter.open(settings)) {
      settings();
      unknownVariables.forEach(line -> findings.warning("settings", line));
      port();
      if (isReachable(network, cloud)) {
        cloud(cloud);
      }
    }
  }

  /** The name of a setting in the messages: its key in the accounts file, or its variable. */
  private String setting(String variable) {
    return isNamed ? Configuration.key(variable) : variable;
  }

  private String text(CallFailure failure) {
    String message = failure.getMessage();
    return isNamed ? Configuration.withKeys(message) : message;
  }

  private void settings() {
    boolean all = settings.devices().areAllServed();
    findings.ok(
        "settings",
        "mode "
            + settings.mode().label()
            + ", devices "
            + (all ? "all" : String.join(",", settings.devices().serials())));
    settings.notes().forEach(note -> findings.warning("settings", note));
  }

  private void port() {
    PageSettings page = settings.page();
    if (!page.isAddressHere()) {
      findings.failed(
          "port",
          "ECOFLOW_LISTEN_ADDRESS="
              + page.address().get()
              + " is not an address of this machine: set one of its addresses, or unset the variable");
    } else if (page.isPortFree()) {
      findings.ok("port", "EXPORTER_PORT=" + page.port() + " is free");
    } else {
      findings.failed(
          "port",
          "EXPORTER_PORT="
              + page.port()
              + " is in use, perhaps by a running exporter: stop it, or choose another port");
    }
  }

  private boolean isReachable(Network network, Commands.Cloud cloud) {
    String host = network.host();
    network.proxyLine().ifPresent(line -> findings.ok("proxy", line));
    try {
      findings.ok("dns", network.firstHost() + " is " + String.join(", ", network.resolve()));
    } catch (IOException e) {
      findings.failed(
          "dns",
          "unknown host "
              + network.firstHost()
              + ": check "
              + network.variable()
              + " and the name servers of this machine");
      return false;
    }
    try {
      Optional<Instant> time = cloud.time();
      findings.ok("https", host + " answers");
      clock(time.map(there -> new ClockOffset(Duration.between(there, clock.instant()))));
      return true;
    } catch (IOException e) {
      findings.failed("https", host + ": " + network.describe(e));
      return false;
    }
  }

  private void clock(Optional<ClockOffset> offset) {
    if (offset.isEmpty()) {
      findings.warning("clock", "not checked: the response of the host has no Date header");
      return;
    }
    String off = "this machine is " + offset.get();
    if (offset.get().isTolerated()) {
      boolean isExact = offset.get().ahead().abs().compareTo(EXACT) <= 0;
      findings.ok("clock", isExact ? "correct (" + offset.get() + ")" : off);
    } else if (settings.mode().usesAccount()) {
      findings.warning("clock", off + ": correct its clock");
    } else {
      findings.failed(
          "clock", off + ": correct its clock; EcoFlow rejects signatures with a wrong time");
    }
  }

  private void cloud(Commands.Cloud cloud) throws ConfigException {
    boolean withAccount = settings.mode().usesAccount();
    List<ListedDevice> listed;
    try {
      cloud.login();
      if (withAccount) {
        findings.ok("login", "EcoFlow accepts the account");
      }
    } catch (CallFailure e) {
      findings.failed("login", text(e));
      otherRegions(e);
      return;
    }
    try {
      listed = cloud.devices();
    } catch (CallFailure e) {
      findings.failed(withAccount ? "devices" : "keys", text(e));
      otherRegions(e);
      return;
    }
    if (!withAccount) {
      findings.ok("keys", "EcoFlow accepts the developer keys");
    }
    region(cloud.host());
    Set<String> online = devices(listed);
    if (settings.mode().usesMqtt() && !connect(cloud)) {
      return;
    }
    values(cloud, online);
  }

  private void region(String host) {
    String first = settings.http().hosts().get(0);
    if (!host.equals(first)) {
      findings.warning(
          "region",
          "the keys belong to " + host + ": set " + setting("ECOFLOW_API_HOST") + "=" + host);
    }
  }

  /** Tries the other regions, because credentials are valid in one region only. */
  private void otherRegions(CallFailure failure) throws ConfigException {
    if (!failure.isAboutCredentials()) {
      return;
    }
    List<String> hosts = settings.http().hosts();
    for (String host : hosts.subList(1, hosts.size())) {
      try (Commands.Cloud cloud = exporter.open(settings.withApiHost(host))) {
        cloud.login();
        cloud.devices();
        findings.failed(
            "region",
            "the credentials belong to "
                + host
                + ": set "
                + setting("ECOFLOW_API_HOST")
                + "="
                + host);
        return;
      } catch (CallFailure e) {
        // The credentials are not valid in this region either.
      }
    }
    if (hosts.size() > 1) {
      findings.ok("region", "no region accepts the credentials: " + String.join(", ", hosts));
    }
  }

  /**
   * @return the serial numbers of the served devices that are online
   */
  private Set<String> devices(List<ListedDevice> listed) {
    Map<String, ListedDevice> bySerial =
        listed.stream()
            .collect(Collectors.toMap(ListedDevice::serial, device -> device, (one, two) -> one));
    List<String> serials = new ArrayList<>(settings.devices().serials());
    if (settings.devices().areAllServed()) {
      bySerial.keySet().stream().sorted().forEach(serials::add);
      if (listed.isEmpty()) {
        findings.failed(
            "devices",
            "the account has no devices: add them in EcoFlow's app, or use another account");
      }
    }
    Set<String> online = new LinkedHashSet<>();
    for (String serial : serials) {
      ListedDevice device = bySerial.get(serial);
      if (device == null) {
        findings.failed(
            "device", serial + " is not in the device list; " + advice(serial, bySerial));
      } else if (device.online()) {
        online.add(serial);
        findings.ok("device", serial + " (" + device.product() + ") is online");
      } else {
        offline(serial + " (" + device.product() + ")");
      }
    }
    return online;
  }

  private void offline(String device) {
    findings.warning(
        "device", device + " is offline: it has no values until it is switched on and connected");
  }

  private String advice(String serial, Map<String, ListedDevice> listed) {
    if (listed.isEmpty()) {
      return "the list is empty: add the device in EcoFlow's app, or use its owner's account";
    }
    Set<String> others = new HashSet<>(listed.keySet());
    settings.devices().serials().forEach(others::remove);
    String suggestion =
        Lines.nearestSerial(serial, others)
            .map(other -> "did you mean " + other + " (\"" + listed.get(other).name() + "\")? ")
            .orElse("");
    return suggestion
        + (suggestion.isEmpty() ? "the" : "The")
        + " list contains "
        + Lines.abbreviate(listed.keySet().stream().sorted().toList())
        + "; correct "
        + setting("ECOFLOW_DEVICE_SN");
  }

  private boolean connect(Commands.Cloud cloud) {
    try {
      String address = cloud.connect();
      findings.ok(
          "broker",
          address + " accepts the login" + new Network(address, settings.http()).suffix());
    } catch (CallFailure e) {
      findings.failed("broker", text(e));
      return false;
    }
    Set<String> refused = cloud.refusedDevices();
    for (String serial : refused) {
      findings.failed(
          "device",
          serial + ": the broker refused a subscription: check that it belongs to this account");
    }
    if (refused.isEmpty()) {
      findings.ok("subscription", "the broker accepts the subscriptions");
    }
    return true;
  }

  private void values(Commands.Cloud cloud, Set<String> online) {
    Duration pause = settings.mode().usesAccount() ? REQUEST_PAUSE : CALL_PAUSE;
    Set<String> missing = new LinkedHashSet<>(online);
    long start = System.nanoTime();
    long requestAt = start;
    while (!missing.isEmpty()) {
      if (settings.mode().usesMqtt() && !cloud.isConnected()) {
        findings.failed(
            "broker",
            "it closed the connection, because a running exporter with the same settings uses"
                + " the same client ID: stop that exporter, or set a different"
                + " "
                + setting("ECOFLOW_MQTT_CLIENT_ID")
                + " for it");
        return;
      }
      long now = System.nanoTime();
      if (now - requestAt >= 0) {
        request(cloud, missing);
        requestAt = System.nanoTime() + pause.toNanos();
      }
      Duration waited = Duration.ofNanos(System.nanoTime() - start);
      for (String serial : Set.copyOf(missing)) {
        if (cloud.hasValues(serial)) {
          missing.remove(serial);
          findings.ok("values", serial + " sent values after " + waited.toSeconds() + " s");
        }
      }
      if (waited.compareTo(timeout) >= 0 || !pause()) {
        break;
      }
    }
    missing.forEach(this::noValues);
  }

  private void request(Commands.Cloud cloud, Set<String> missing) {
    for (String serial : Set.copyOf(missing)) {
      try {
        cloud.request(serial);
      } catch (CallFailure e) {
        missing.remove(serial);
        if (e.isDeviceOffline()) {
          offline(serial);
        } else {
          findings.failed("values", serial + ": " + text(e));
        }
      }
    }
  }

  private void noValues(String serial) {
    String none = serial + " sent no values within " + timeout.toSeconds() + " s";
    switch (settings.mode()) {
      case MQTT ->
          findings.warning(
              "values",
              none
                  + ": some models send only changes; "
                  + setting("ECOFLOW_API_TYPE")
                  + "=device requests all values");
      case DEVICE ->
          findings.failed("values", none + ": wake it up, open it in EcoFlow's app, and try again");
      default ->
          findings.failed(
              "values",
              none
                  + ": EcoFlow has no values of this device for these keys; the modes mqtt and"
                  + " device, with an app account, can have them");
    }
  }

  /** Waits a moment; returns false if the thread is interrupted. */
  private static boolean pause() {
    try {
      Thread.sleep(CHECK_MILLIS);
      return true;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }
}
