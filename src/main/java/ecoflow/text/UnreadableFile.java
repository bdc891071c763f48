package ecoflow.text;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Map;

/** The reason why a file of the user cannot be read. */
final class UnreadableFile {

  private static final int PERMISSIONS = 0777;

  private UnreadableFile() {}

  static String reason(String file) {
    Path path;
    try {
      path = Path.of(file);
    } catch (InvalidPathException e) {
      return "it is not a path";
    }
    if (Files.isDirectory(path)) {
      // Docker creates a directory if the file to be mounted does not exist.
      return "it is a directory";
    }
    if (Files.notExists(path)) {
      return "it does not exist";
    }
    if (Files.isReadable(path)) {
      return Files.isRegularFile(path) ? "it cannot be read" : "it is not a regular file";
    }
    return "it is not readable for " + user() + owner(path);
  }

  private static String user() {
    try {
      return "user ID " + Files.getAttribute(Path.of("/proc/self"), "unix:uid");
    } catch (IOException | UnsupportedOperationException | IllegalArgumentException e) {
      return "user " + System.getProperty("user.name");
    }
  }

  /** The owner and the mode of the file; empty if they are unknown. */
  private static String owner(Path path) {
    try {
      Map<String, Object> attributes = Files.readAttributes(path, "unix:uid,mode");
      return String.format(
          " (owner: user ID %s, mode %o)",
          attributes.get("uid"), (int) attributes.get("mode") & PERMISSIONS);
    } catch (IOException | UnsupportedOperationException | IllegalArgumentException e) {
      return "";
    }
  }
}
