package ecoflow.deploy;

import static ecoflow.testkit.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import ecoflow.testkit.ChildProcess;
import ecoflow.testkit.CloudExtension;
import ecoflow.testkit.DebianMachine;
import ecoflow.testkit.ExporterJar;
import ecoflow.testkit.Page;
import ecoflow.testkit.Ports;
import ecoflow.testkit.Variables;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;

/** The Debian package and its service, on a copy of this machine with systemd. */
class DebianPackageIT {

  private static final long BUILD_SECONDS = 300;

  /** Of "systemd-analyze security", from 0 (confined) to 10. */
  private static final double MAX_EXPOSURE = 1.5;

  private static final String PASSWORD_FILE =
      "/run/credentials/ecoflow-exporter.service/ecoflow_password";
  private static final SimulatedDevice DEVICE =
      new SimulatedDevice("R331DEBIAN000001", "Garage", "DELTA 2", WireFormat.JSON)
          .set(Map.of("pd.soc", 81));

  @RegisterExtension static final CloudExtension clouds = new CloudExtension(DEVICE);

  @TempDir(cleanup = CleanupMode.ALWAYS)
  private static Path directory;

  private static DebianMachine machine;

  private final int port = Ports.next();
  private final Page page = ExporterJar.pageAt(port);

  @BeforeAll
  static void build() throws IOException {
    assumeTrue(
        DebianMachine.isSupported(),
        "packages are installed as root in a Debian container in which systemd is installed");
    machine = new DebianMachine(directory);
    Path output = directory.resolve("build");
    try (ChildProcess build =
        ChildProcess.start(
            Path.of("").toAbsolutePath(),
            output,
            Map.of("JAVA_HOME", System.getProperty("java.home")),
            List.of("deploy/debian/build.sh"))) {
      assertEquals(0, build.exitCode(BUILD_SECONDS), () -> "" + build.lines());
      System.out.println(build.lines());
      Path built = Path.of(build.lines().get(0).split(" ")[0]);
      Files.copy(built, machine.shared().resolve("package.deb"));
    }
    // The same package as a newer version.
    ChildProcess.run(
        machine.shared(),
        output,
        "sh",
        "-ec",
        "dpkg-deb --raw-extract package.deb newer; sed -i 's/^Version: .*/Version: 999.0.0/'"
            + " newer/DEBIAN/control; dpkg-deb --root-owner-group -Znone --build newer newer.deb;"
            + " rm -r newer");
    Files.copy(clouds.cloud().caFile(), machine.shared().resolve("ca.pem"));
  }

  @AfterAll
  static void stop() {
    if (machine != null) {
      machine.close();
    }
  }

  @Test
  void theServiceIsInstalledStartedStoppedUpgradedAndPurged() throws IOException {
    machine.run("dpkg -i /mnt/package.deb");
    assertEquals("inactive", property("ActiveState"), "it has no credentials yet");
    assertEquals(List.of(), machine.run("systemd-analyze verify ecoflow-exporter.service"));
    assertTrue(exposure() <= MAX_EXPOSURE, () -> "" + exposure());
    assertTrue(machine.run("ecoflow-exporter --version").get(0).startsWith("ecoflow-exporter "));

    // Without credentials.
    machine.run("systemctl enable --now ecoflow-exporter");
    eventually(() -> assertEquals("failed", property("ActiveState"), DebianPackageIT::log));
    assertEquals("2", property("ExecMainStatus"), DebianPackageIT::log);
    assertEquals("0", property("NRestarts"));

    writeSettings();
    machine.run("systemctl start ecoflow-exporter");
    eventually(() -> assertEquals(81, page.of(DEVICE, "pd_soc"), DebianPackageIT::log));
    runsConfined();

    String settings = settings();
    String process = property("MainPID");
    machine.run("dpkg -i /mnt/newer.deb");
    assertEquals(List.of("999.0.0"), machine.run("dpkg-query -W -f '${Version}' ecoflow-exporter"));
    assertNotEquals(process, property("MainPID"), "restarted");
    assertEquals(settings, settings());
    eventually(() -> assertEquals(81, page.of(DEVICE, "pd_soc"), DebianPackageIT::log));

    machine.run("systemctl stop ecoflow-exporter");
    assertEquals("143", property("ExecMainStatus"));
    assertEquals("success", property("Result"), DebianPackageIT::log);

    machine.run("systemctl start ecoflow-exporter");
    machine.run("dpkg -r ecoflow-exporter");
    assertEquals("inactive", property("ActiveState"));
    assertEquals(settings, settings());
    machine.run("dpkg -P ecoflow-exporter");
    assertEquals(
        List.of(),
        machine.run(
            "find /etc /lib /usr /var -xdev -name '*ecoflow-exporter*' -not -path '/usr/share/doc/*'"));
  }

  @Test
  void invalidArgumentsAreRejected() {
    try (ChildProcess build =
        ChildProcess.start(
            Path.of("").toAbsolutePath(),
            directory.resolve("rejected"),
            Map.of(),
            List.of("deploy/debian/build.sh", "--architecture", "riscv64"))) {
      assertEquals(2, build.exitCode());
      assertEquals(
          List.of("build.sh: architecture riscv64 is not supported; use amd64 or arm64"),
          build.lines());
    }
  }

  /** Settings of the simulated cloud. The password is in a file that only root can read. */
  private void writeSettings() throws IOException {
    Map<String, String> variables =
        new TreeMap<>(Variables.of(clouds.cloud(), "device", "EXPORTER_PORT=" + port));
    Files.writeString(
        machine.shared().resolve("password"), variables.remove("ECOFLOW_ACCOUNT_PASSWORD"));
    variables.put("ECOFLOW_ACCOUNT_PASSWORD_FILE", PASSWORD_FILE);
    variables.put("ECOFLOW_CA_FILE", "/etc/ecoflow-exporter/ca.pem");
    Files.write(
        machine.shared().resolve("settings"),
        variables.entrySet().stream().map(Map.Entry::toString).toList());
    machine.run(
        "cd /etc/ecoflow-exporter; cat /mnt/settings > ecoflow-exporter.env;"
            + " install -m 644 /mnt/ca.pem ca.pem; install -m 600 /mnt/password credentials/");
    assertTrue(
        machine
            .run("dpkg -L ecoflow-exporter")
            .contains("/etc/ecoflow-exporter/ecoflow-exporter.env"));
  }

  /**
   * The process has its own user, no privileges, and uses the runtime and archive of the package.
   */
  private static void runsConfined() {
    String process = property("MainPID");
    String status = String.join("\n", machine.run("cat /proc/" + process + "/status"));
    assertFalse(status.contains("\nUid:\t0\t"), status);
    assertTrue(status.contains("\nCapBnd:\t0000000000000000\n"), status);
    assertTrue(status.contains("\nNoNewPrivs:\t1\n"), status);
    assertTrue(status.contains("\nSeccomp:\t2\n"), status);
    assertEquals(
        List.of("/usr/lib/ecoflow-exporter/jre/bin/java"),
        machine.run("readlink /proc/" + process + "/exe"));
    String files = String.join("\n", machine.run("cat /proc/" + process + "/maps"));
    assertTrue(files.contains("/usr/lib/ecoflow-exporter/cache/ecoflow-exporter-"), files);
    String environment = String.join("\n", machine.run("cat /proc/" + process + "/environ"));
    assertFalse(environment.contains(clouds.cloud().account().password()));
  }

  private static double exposure() {
    String printed =
        String.join(
            "\n", machine.run("systemd-analyze security --offline=yes ecoflow-exporter.service"));
    Matcher level = Pattern.compile("exposure level for .*: ([0-9.]+)").matcher(printed);
    assertTrue(level.find(), printed);
    return Double.parseDouble(level.group(1));
  }

  private static String property(String name) {
    return String.join(
        "\n", machine.run("systemctl show --property=" + name + " --value ecoflow-exporter"));
  }

  private static String settings() {
    return String.join("\n", machine.run("cat /etc/ecoflow-exporter/ecoflow-exporter.env"));
  }

  private static String log() {
    return String.join("\n", machine.run("journalctl --no-pager --unit=ecoflow-exporter"));
  }
}
