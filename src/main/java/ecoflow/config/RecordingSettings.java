package ecoflow.config;

import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * The recordings of messages.
 *
 * @param directory of the recordings; empty for no recording
 * @param isAll whether all messages are recorded, not only unknown ones
 */
public record RecordingSettings(Optional<Path> directory, boolean isAll) {

  static final String DIRECTORY = "ECOFLOW_RECORD_DIR";
  static final String MESSAGES = "ECOFLOW_RECORD";
  static final RecordingSettings NONE = new RecordingSettings(Optional.empty(), false);

  private static final String UNKNOWN = "unknown";
  private static final String ALL = "all";

  /**
   * @param directory the writable directory of the environment
   */
  static RecordingSettings read(Environment env, Optional<Path> directory) throws ConfigException {
    boolean isAll =
        env.matching(
                MESSAGES, UNKNOWN, Pattern.compile("(?i)" + UNKNOWN + "|" + ALL), "unknown or all")
            .equalsIgnoreCase(ALL);
    if (isAll && directory.isEmpty()) {
      throw new ConfigException(
          MESSAGES + "=" + ALL + " requires " + DIRECTORY + ": set it to a writable directory");
    }
    return new RecordingSettings(directory, isAll);
  }

  /** The directory of the recording of all messages. */
  public Optional<Path> allDirectory() {
    return directory.filter(unused -> isAll);
  }
}
