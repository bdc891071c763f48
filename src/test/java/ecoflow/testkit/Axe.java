package ecoflow.testkit;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** axe-core, which checks the accessibility of pages, from the npm registry. */
public final class Axe {

  private static final String VERSION = "4.14.1";

  private final String source;

  private Axe(String source) {
    this.source = source;
  }

  /** Downloads axe-core. Skips the test if npm is not installed or the registry not reachable. */
  public static Axe get() {
    Path modules = NpmPackages.install("axe", "axe-core@" + VERSION);
    try {
      return new Axe(Files.readString(modules.resolve("axe-core/axe.min.js")));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The violations of all rules on the current page: rule, help and elements. */
  public List<String> violations(Browser browser) {
    browser.evaluate(source + "; null");
    JsonNode found = browser.evaluate("axe.run().then(result => result.violations)");
    if (!found.isArray()) {
      throw new IllegalStateException("axe-core did not run: " + found);
    }
    List<String> violations = new ArrayList<>();
    for (JsonNode violation : found) {
      for (JsonNode node : violation.path("nodes")) {
        violations.add(
            violation.path("id").asText()
                + ": "
                + node.path("html").asText()
                + " "
                + node.path("failureSummary").asText());
      }
    }
    return violations;
  }
}
