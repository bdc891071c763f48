package ecoflow.cloud;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiConsumer;

/**
 * One device of a simulated cloud.
 *
 * <p>Its state is the flat quota map of the developer API. The keys of a protobuf device are the
 * camel case names of DisplayPropertyUpload ("powInSumW"); other names are rejected.
 *
 * <p>A device without a cloud, or whose broker is down, keeps its state, but its pushes are lost.
 */
public final class SimulatedDevice {

  /** Placeholder in topics for the account of developer keys. */
  static final String ACCOUNT = "{account}";

  private static final ObjectMapper JSON = new ObjectMapper();

  private final String serial;
  private final String name;
  private final String productName;
  private final WireFormat format;
  private final DeviceFrames frames;

  /** Sorted, so that the same values always produce the same bytes. */
  private final SortedMap<String, Object> quota = new TreeMap<>();

  /** EcoFlow's energy history: the entries of a day, by code and day. */
  private final Map<String, List<Map<String, Object>>> history = new ConcurrentHashMap<>();

  private volatile boolean online = true;
  private volatile boolean answersRequests = true;
  private volatile boolean onlyFramesAnswered;
  private volatile boolean openToDevelopers = true;
  private volatile boolean shared;
  private volatile BiConsumer<String, byte[]> broker = (topic, payload) -> {};

  /**
   * @param productName null if the cloud omits it
   */
  public SimulatedDevice(String serial, String name, String productName, WireFormat format) {
    this.serial = serial;
    this.name = name;
    this.productName = productName;
    this.format = format;
    this.frames = new DeviceFrames(serial, format);
  }

  public String serial() {
    return serial;
  }

  public String name() {
    return name;
  }

  /** Null if the cloud omits it. */
  public String productName() {
    return productName;
  }

  public WireFormat format() {
    return format;
  }

  public boolean isOnline() {
    return online;
  }

  public void setOnline(boolean online) {
    this.online = online;
  }

  public boolean answersRequests() {
    return answersRequests;
  }

  /** For protobuf devices: whether JSON requests are left unanswered. */
  public void setOnlyFramesAnswered(boolean onlyFramesAnswered) {
    this.onlyFramesAnswered = onlyFramesAnswered;
  }

  /** Whether an MQTT request for all values gets an answer. */
  public void setAnswersRequests(boolean answersRequests) {
    this.answersRequests = answersRequests;
  }

  public boolean isOpenToDevelopers() {
    return openToDevelopers;
  }

  /**
   * Whether the developer API returns the values; the device list contains the device in any case.
   */
  public void setOpenToDevelopers(boolean openToDevelopers) {
    this.openToDevelopers = openToDevelopers;
  }

  public boolean isShared() {
    return shared;
  }

  /** Whether another account owns the device: the app's list has such devices separately. */
  public void setShared(boolean shared) {
    this.shared = shared;
  }

  /**
   * Sets the energy history of a day.
   *
   * @param day such as 2026-08-01
   * @param entries the JSON of the entries: an array of {indexName, indexValue, unit, extra}
   */
  public SimulatedDevice setHistory(String code, String day, String entries) {
    try {
      history.put(code + " " + day, JSON.readValue(entries, new TypeReference<>() {}));
      return this;
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException("Not an array of objects: " + entries, e);
    }
  }

  /** The entries of a day; empty for another code or day. */
  List<Map<String, Object>> history(String code, String day) {
    return history.getOrDefault(code + " " + day, List.of());
  }

  /** Whether the cloud has statistics with this code. */
  boolean hasHistory(String code) {
    return history.keySet().stream().anyMatch(key -> key.startsWith(code + " "));
  }

  /** A copy of the current values. */
  public Map<String, Object> quota() {
    synchronized (quota) {
      return Collections.unmodifiableMap(new TreeMap<>(quota));
    }
  }

  /** Changes values without publishing them. */
  public SimulatedDevice set(Map<String, ?> changes) {
    if (format != WireFormat.JSON) {
      DeviceFrames.checkNames(changes);
    }
    synchronized (quota) {
      quota.putAll(changes);
    }
    return this;
  }

  /** Changes values to those of a JSON object without publishing them. */
  public SimulatedDevice set(String json) {
    return set(values(json));
  }

  /** Changes values to those of a JSON object and publishes only these. */
  public void push(String json) {
    push(values(json));
  }

  /** Changes values and publishes only these. */
  public void push(Map<String, ?> changes) {
    set(changes);
    Map<String, Object> inOrder = new TreeMap<>(changes);
    publish(format == WireFormat.JSON ? jsonPush(inOrder) : frames.increment(inOrder));
  }

  /** Publishes all current values. */
  public void pushAll() {
    Map<String, Object> all = quota();
    publish(format == WireFormat.JSON ? jsonPush(all) : frames.bundle(all, true));
  }

  /** Publishes any bytes on the topic of the device. */
  public void publish(byte[] payload) {
    broker.accept("/app/device/property/" + serial, payload);
  }

  public void publish(String payload) {
    publish(payload.getBytes(StandardCharsets.UTF_8));
  }

  /** Publishes any text on the status topic of the device. */
  public void publishStatus(String payload) {
    broker.accept("/app/device/status/" + serial, payload.getBytes(StandardCharsets.UTF_8));
  }

  /** Publishes any text to clients with developer keys. */
  public void publishOpen(String payload) {
    publishOpen("quota", payload);
  }

  /** Publishes the online state of the device to clients with developer keys. */
  public void publishOpenStatus(boolean on) {
    publishOpen(
        "status",
        "{\"id\":\"180778957\",\"params\":{\"status\":%d},\"timestamp\":1759069300916,\"version\":\"1.0\"}"
            .formatted(on ? 1 : 0));
  }

  /** Publishes any text on the status topic or the quota topic of developer keys. */
  public void publishOpen(String end, String payload) {
    broker.accept(
        "/open/" + ACCOUNT + "/" + serial + "/" + end, payload.getBytes(StandardCharsets.UTF_8));
  }

  void connectTo(BiConsumer<String, byte[]> publisher) {
    broker = publisher;
  }

  /** The reply to a message on the device's "get" topic, if any. */
  Optional<byte[]> answerTo(byte[] request) {
    if (!answersRequests) {
      return Optional.empty();
    }
    if (format != WireFormat.JSON) {
      boolean understood = !onlyFramesAnswered || request.length == 0 || request[0] != '{';
      // The device itself replies, so it must be online.
      return online && understood ? Optional.of(frames.bundle(quota(), false)) : Optional.empty();
    }
    JsonNode question;
    try {
      question = JSON.readTree(request);
    } catch (IOException e) {
      // A protobuf request, which these devices do not support.
      return Optional.empty();
    }
    if (!question.path("operateType").asText().equals("latestQuotas")) {
      return Optional.empty();
    }
    Map<String, Object> data = new LinkedHashMap<>();
    data.put("sn", serial);
    data.put("online", online ? 1 : 0);
    data.put("quotaMap", quota());
    Map<String, Object> answer = new LinkedHashMap<>();
    answer.put("id", question.path("id"));
    answer.put("operateType", "latestQuotas");
    answer.put("data", data);
    return Optional.of(json(answer));
  }

  private static Map<String, Object> values(String json) {
    try {
      return JSON.readValue(json, new TypeReference<>() {});
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException("Not a JSON object: " + json, e);
    }
  }

  private static byte[] jsonPush(Map<String, ?> values) {
    long now = System.currentTimeMillis();
    Map<String, Object> message = new LinkedHashMap<>();
    message.put("id", now);
    message.put("version", "1.0");
    message.put("timestamp", now);
    message.put("moduleType", 1);
    message.put("params", values);
    return json(message);
  }

  private static byte[] json(Object value) {
    try {
      return JSON.writeValueAsBytes(value);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException("Not a JSON value", e);
    }
  }
}
