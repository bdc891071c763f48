package ecoflow.config;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.concurrent.TimeUnit;

/**
 * Identifies a version of a file: it differs after a write and after a replacement, also if a
 * symbolic link refers to another file, as in Kubernetes.
 *
 * @param modifiedNanos time of the last change
 * @param size in bytes; -1 if the file does not exist
 * @param key identifies the file in its file system; null if the file system has no such key
 */
public record Fingerprint(long modifiedNanos, long size, Object key) {

  private static final Fingerprint MISSING = new Fingerprint(0, -1, null);

  public static Fingerprint of(Path path) {
    try {
      BasicFileAttributes attributes = Files.readAttributes(path, BasicFileAttributes.class);
      return new Fingerprint(
          attributes.lastModifiedTime().to(TimeUnit.NANOSECONDS),
          attributes.size(),
          attributes.fileKey());
    } catch (IOException e) {
      return MISSING;
    }
  }
}
