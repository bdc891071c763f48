package ecoflow.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A document whose second part is generated from the packaged tables. */
public final class GeneratedDocument {

  private static final String MARK = "<!-- generated from the tables from here on -->\n";

  private GeneratedDocument() {}

  /** If this fails, copy the file in target over the document, and review the changes. */
  public static void assertEndsWith(String name, String generated) throws IOException {
    String document = Files.readString(Path.of("docs", name));
    String head = document.substring(0, document.indexOf(MARK) + MARK.length());
    Files.writeString(Path.of("target", name), head + generated);
    assertEquals(head + generated, document);
  }
}
