package ecoflow.deploy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Element;
import org.w3c.dom.Node;

/** The sources of libraries, base images and Maven, and their updates. */
class SupplyChainTest {

  private static final Path DEPENDABOT = Path.of(".github/dependabot.yml");
  private static final Path IGNORED = Path.of(".github/osv-scanner.toml");
  private static final Path SECURITY = Path.of("SECURITY.md");

  /** Versions for tests, or for components that users add. */
  private static final List<String> NOT_IN_THE_JAR =
      List.of(
          "org.apache.camel:camel-micrometer-prometheus",
          "org.apache.camel:camel-test-junit5",
          "org.junit:junit-bom");

  private static final Pattern FROM = Pattern.compile("(?m)^FROM (?:--platform=\\S+ )?(\\S+)");

  /** A row of the table "Libraries": names, version, date. */
  private static final Pattern ROW =
      Pattern.compile("(?m)^\\| ([^|]+) \\| ([0-9][^|]*) \\| ([0-9]{4}-[0-9]{2}-[0-9]{2}) \\|");

  private record Library(String name, String version, String scope) {}

  private static Element project() throws Exception {
    return DocumentBuilderFactory.newInstance()
        .newDocumentBuilder()
        .parse(Path.of("pom.xml").toFile())
        .getDocumentElement();
  }

  private static List<Element> children(Element parent, String name) {
    List<Element> found = new ArrayList<>();
    for (Node node = parent.getFirstChild(); node != null; node = node.getNextSibling()) {
      if (node instanceof Element element && element.getTagName().equals(name)) {
        found.add(element);
      }
    }
    return found;
  }

  private static String text(Element parent, String name) {
    List<Element> found = children(parent, name);
    return found.isEmpty() ? "" : found.get(0).getTextContent().strip();
  }

  private static Map<String, String> properties(Element project) {
    Map<String, String> found = new HashMap<>();
    Element properties = children(project, "properties").get(0);
    for (Node node = properties.getFirstChild(); node != null; node = node.getNextSibling()) {
      if (node instanceof Element element) {
        found.put("${" + element.getTagName() + "}", element.getTextContent().strip());
      }
    }
    return found;
  }

  /** The libraries of the jar in the pom, without profiles. */
  private static List<Library> libraries() throws Exception {
    Element project = project();
    Map<String, String> properties = properties(project);
    List<Element> declared = new ArrayList<>();
    children(project, "dependencyManagement")
        .forEach(all -> children(all, "dependencies").forEach(list -> declared.add(list)));
    declared.addAll(children(project, "dependencies"));
    List<Library> found = new ArrayList<>();
    for (Element list : declared) {
      for (Element library : children(list, "dependency")) {
        String name = text(library, "groupId") + ":" + text(library, "artifactId");
        String version = text(library, "version");
        String scope = text(library, "scope");
        if (!scope.equals("test") && !NOT_IN_THE_JAR.contains(name)) {
          found.add(new Library(name, properties.getOrDefault(version, version), scope));
        }
      }
    }
    return found;
  }

  /** The first group with a pattern that matches, as Dependabot chooses it. */
  private static String group(String library) {
    for (Object update : YamlFile.read(DEPENDABOT).list("updates")) {
      Map<?, ?> ecosystem = (Map<?, ?>) update;
      if (!"maven".equals(ecosystem.get("package-ecosystem"))) {
        continue;
      }
      for (Map.Entry<?, ?> group : ((Map<?, ?>) ecosystem.get("groups")).entrySet()) {
        for (Object pattern : (List<?>) ((Map<?, ?>) group.getValue()).get("patterns")) {
          String regex = Pattern.quote(pattern.toString()).replace("*", "\\E.*\\Q");
          if (library.matches(regex)) {
            return group.getKey().toString();
          }
        }
      }
    }
    return "none";
  }

  @Test
  void librariesOfTheJarAreNotUpdatedWithThoseOfTests() throws Exception {
    Map<String, String> groups = new TreeMap<>();
    for (Library library : libraries()) {
      groups.put(library.name(), group(library.name()));
    }
    // Moquette also depends on it.
    assertEquals("libraries", groups.get("io.netty:netty-bom"));
    groups.forEach(
        (name, group) ->
            assertTrue(
                List.of("camel", "libraries").contains(group), () -> name + " is in " + group));
    assertEquals("tests", group("io.moquette:moquette-broker"));
  }

  @Test
  void securityListsTheVersionsOfThePom() throws Exception {
    Map<String, String> versions = new LinkedHashMap<>();
    for (Library library : libraries()) {
      if (!library.version().isEmpty()) {
        versions.put(library.name(), library.version());
      }
    }
    List<MatchResult> rows = ROW.matcher(Files.readString(SECURITY)).results().toList();
    List<String> named = new ArrayList<>();
    for (MatchResult row : rows) {
      assertFalse(LocalDate.parse(row.group(3)).isBefore(LocalDate.of(2026, 1, 1)), row.group());
      Matcher names = Pattern.compile("`([^`]+)`").matcher(row.group(1));
      while (names.find()) {
        String name = names.group(1);
        List<String> found =
            versions.entrySet().stream()
                .filter(library -> matches(library.getKey(), name))
                .map(Map.Entry::getValue)
                .distinct()
                .toList();
        assertEquals(List.of(row.group(2)), found, name);
        named.add(name);
      }
    }
    for (String library : versions.keySet()) {
      assertTrue(named.stream().anyMatch(name -> matches(library, name)), library);
    }
  }

  /** A name, or a prefix followed by a star. */
  private static boolean matches(String library, String name) {
    return name.endsWith("*")
        ? library.startsWith(name.substring(0, name.length() - 1))
        : library.equals(name);
  }

  @Test
  void anIgnoredAdvisoryHasAReasonADateAndALineInSecurity() throws IOException {
    String security = Files.readString(SECURITY);
    String[] entries = Files.readString(IGNORED).split("\\[\\[IgnoredVulns]]");
    for (int i = 1; i < entries.length; i++) {
      Matcher entry =
          Pattern.compile(
                  "\\s*id = \"([\\w-]+)\"\nignoreUntil = (\\d{4}-\\d{2}-\\d{2})\nreason = \".{20,}\"\\s*")
              .matcher(entries[i]);
      assertTrue(entry.matches(), entries[i]);
      assertTrue(security.contains(entry.group(1)), entry.group(1));
    }
  }

  @Test
  void baseImagesHaveADigest() throws IOException {
    String dockerfile = Files.readString(Path.of("Dockerfile"));
    List<String> stages =
        Pattern.compile("(?m)^FROM .* AS (\\S+)$")
            .matcher(dockerfile)
            .results()
            .map(stage -> stage.group(1))
            .toList();
    Map<String, String> digests = new HashMap<>();
    FROM.matcher(dockerfile)
        .results()
        .map(from -> from.group(1))
        .filter(image -> !stages.contains(image) && !image.equals("scratch"))
        .forEach(
            image -> {
              assertTrue(image.matches("[a-z-]+:[a-z0-9-]+@sha256:[0-9a-f]{64}"), image);
              String[] parts = image.split("@");
              String known = digests.putIfAbsent(parts[0], parts[1]);
              assertTrue(known == null || known.equals(parts[1]), image);
            });
    // The script replaces the same images.
    String script = Files.readString(Path.of("deploy/image/build.sh"));
    assertEquals(2, digests.size());
    digests.keySet().forEach(image -> assertTrue(script.contains("_base=" + image + "\n"), image));
  }

  @Test
  void mavenIsVerifiedBeforeItRuns() throws IOException {
    Properties wrapper = new Properties();
    try (var in = Files.newInputStream(Path.of(".mvn/wrapper/maven-wrapper.properties"))) {
      wrapper.load(in);
    }
    // The wrapper has no jar, which would require another checksum.
    assertEquals("only-script", wrapper.getProperty("distributionType"));
    assertTrue(wrapper.getProperty("distributionUrl").startsWith("https://"));
    assertTrue(wrapper.getProperty("distributionSha256Sum", "").matches("[0-9a-f]{64}"));
    assertTrue(Files.readString(Path.of("mvnw")).contains("distributionSha256Sum"));
  }
}
