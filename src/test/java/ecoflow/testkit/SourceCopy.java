package ecoflow.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Set;

/** The sources as in a fresh checkout, in a directory where a build does not affect others. */
public record SourceCopy(Path directory) {

  private static final Path SOURCES = Path.of("").toAbsolutePath();
  private static final Set<Path> EXCLUDED =
      Set.of(SOURCES.resolve("target"), SOURCES.resolve(".git"));

  /** Copies all files except build results into a new directory. */
  public static SourceCopy to(Path directory) {
    try {
      Files.walkFileTree(
          SOURCES,
          new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path from, BasicFileAttributes attributes)
                throws IOException {
              if (EXCLUDED.contains(from)) {
                return FileVisitResult.SKIP_SUBTREE;
              }
              Files.createDirectory(directory.resolve(SOURCES.relativize(from)));
              return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path from, BasicFileAttributes attributes)
                throws IOException {
              if (!EXCLUDED.contains(from)) {
                Files.copy(
                    from,
                    directory.resolve(SOURCES.relativize(from)),
                    StandardCopyOption.COPY_ATTRIBUTES);
              }
              return FileVisitResult.CONTINUE;
            }
          });
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return new SourceCopy(directory);
  }
}
