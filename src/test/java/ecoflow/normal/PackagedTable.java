package ecoflow.normal;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.fail;

import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/** The packaged tables without tables of a user. */
final class PackagedTable {

  private PackagedTable() {}

  static Table load() {
    return Table.load(Optional.empty(), problem -> fail(problem));
  }

  /** All rows of {@code metrics.csv}, including those that are off. */
  static List<Row> rows() {
    try (InputStream in = Table.class.getResourceAsStream("metrics.csv")) {
      List<String> lines = new String(in.readAllBytes(), UTF_8).lines().toList();
      return IntStream.range(1, lines.size())
          .mapToObj(i -> Table.packagedRow(i + 1, lines.get(i)))
          .toList();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  /** Whether a key occurs in a channel. */
  static boolean isSeenIn(Row row, String channel) {
    return row.channel().equals("*") || row.channel().equals(channel);
  }
}
