package ecoflow.routefiles;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * All route files of the project open in a visual editor, and are unchanged after saving them
 * there.
 */
class CanonicalYamlTest {

  static List<Path> shipped() throws IOException {
    try (Stream<Path> packaged = Files.walk(Path.of("src/main/resources/routes"));
        Stream<Path> fleet = Files.walk(Path.of("src/main/resources/routes-fleet"));
        Stream<Path> examples = Files.walk(Path.of("examples"))) {
      return Stream.of(packaged, fleet, examples)
          .flatMap(files -> files)
          .filter(file -> file.toString().endsWith(".camel.yaml"))
          .sorted()
          .toList();
    }
  }

  @ParameterizedTest
  @MethodSource("shipped")
  void isCanonical(Path file) throws IOException {
    assertEquals(List.of(), CanonicalYaml.problems(Files.readString(file)));
  }

  /** Editors keep notes and the comments at the top of a file, but drop all other comments. */
  @ParameterizedTest
  @MethodSource("shipped")
  void hasCommentsOnlyAtTheTop(Path file) throws IOException {
    List<String> lines = Files.readAllLines(file);

    assertTrue(lines.get(0).startsWith("# In: "), lines.get(0));
    assertTrue(lines.get(1).startsWith("# Out: "), lines.get(1));
    List<String> below = lines.stream().dropWhile(line -> line.startsWith("#")).toList();
    assertEquals(List.of(), below.stream().filter(line -> line.matches("(.* )?#( .*)?")).toList());
  }

  private static String route(String step) {
    return """
        - route:
            id: test
            from:
              uri: direct
              parameters:
                name: test
              steps:
        """
        + step.indent(8);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "- to:\n    uri: direct\n    parameters:\n      name: x",
        "- setBody:\n    expression:\n      simple:\n        expression: \"${header.x}\"",
        "- delay:\n    expression:\n      constant:\n        expression: 5\n    asyncDelayed: \"{{x}}\"",
        "- stop: {}",
      })
  void acceptsTheCanonicalForm(String step) {
    List<String> problems =
        CanonicalYaml.problems(route(step).replace("expression: 5", "expression: \"5\""));
    assertEquals(List.of(), problems);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "- to: direct:x",
        "- to:\n    uri: direct:x",
        "- to:\n    uri: timer?period=5",
        "- wireTap:\n    uri: direct:x",
        "- setBody:\n    simple: x",
        "- setBody:\n    simple:\n      expression: x",
        "- setBody:\n    expression:\n      simple: x",
        "- setBody: {}",
        "- filter:\n    simple: x\n    steps: []",
        "- split:\n    streaming: \"true\"\n    expression:\n      simple:\n        expression: x",
        "- log: x",
        "- removeHeader: x",
        "- log:\n    mesage: x",
        "- lgo:\n    message: x",
        "- unmarshal:\n    json: Jackson",
      })
  void rejectsOtherForms(String step) {
    assertFalse(CanonicalYaml.problems(route(step)).isEmpty());
  }

  @Test
  void aRouteIsAnElementOfAList() {
    assertFalse(CanonicalYaml.problems("route:\n  id: test\n").isEmpty());
    assertFalse(CanonicalYaml.problems("- from: direct:x\n").isEmpty());
  }
}
