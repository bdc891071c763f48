package ecoflow.tools;

import ecoflow.config.ConfigException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.maven.model.Dependency;
import org.apache.maven.model.Model;
import org.apache.maven.model.io.xpp3.MavenXpp3Reader;
import org.codehaus.plexus.util.xml.pull.XmlPullParserException;
import org.eclipse.aether.artifact.Artifact;
import org.eclipse.aether.artifact.DefaultArtifact;
import org.eclipse.aether.util.artifact.ArtifactIdUtils;
import org.eclipse.aether.util.version.GenericVersionScheme;
import org.eclipse.aether.version.InvalidVersionSpecificationException;

/** The libraries of the exporter, and the versions of its dependency management. */
final class ExporterVersions {

  static final String JAR = "jar";

  /** The property with the version of artifacts to add, by group. */
  private static final Map<String, String> DEFAULTS =
      Map.of("org.apache.camel", "component.version", "io.micrometer", "micrometer.version");

  /** The property with the version of the exporter, by group. */
  private static final Map<String, String> LIMITS =
      Map.of("org.apache.camel", "camel.version", "io.micrometer", "micrometer.version");

  private static final String WORD = "([A-Za-z0-9_.+-]+)";
  private static final Pattern SHORT = Pattern.compile("(?:camel|micrometer-registry)-" + WORD);
  private static final Pattern FULL = Pattern.compile(WORD + ":" + WORD + "(?::" + WORD + ")?");
  private static final Pattern META_VERSION = Pattern.compile("LATEST|RELEASE");
  private static final Pattern MAJOR = Pattern.compile("\\d+");
  private static final GenericVersionScheme SCHEME = new GenericVersionScheme();

  /** The libraries of the exporter by their ids without a version. */
  private final Map<String, Artifact> contained = new HashMap<>();

  /** The artifacts of the dependency management by their ids without a version. */
  private final Map<String, Artifact> managed = new HashMap<>();

  private final Properties properties;

  private ExporterVersions(Model exporter, List<String> libraries) {
    properties = exporter.getProperties();
    for (Dependency dependency : exporter.getDependencyManagement().getDependencies()) {
      if (dependency.getType().equals(JAR)) {
        put(
            managed,
            new DefaultArtifact(
                dependency.getGroupId(),
                dependency.getArtifactId(),
                dependency.getClassifier(),
                JAR,
                dependency.getVersion()));
      }
    }
    libraries.forEach(library -> put(contained, new DefaultArtifact(library)));
  }

  private static void put(Map<String, Artifact> artifacts, Artifact artifact) {
    artifacts.put(ArtifactIdUtils.toVersionlessId(artifact), artifact);
  }

  /** Reads the resources that the build generates. */
  static ExporterVersions read() {
    try (InputStream pom = ExporterVersions.class.getResourceAsStream("exporter.pom");
        InputStream list = ExporterVersions.class.getResourceAsStream("libraries.txt");
        BufferedReader lines =
            new BufferedReader(new InputStreamReader(list, StandardCharsets.UTF_8))) {
      // The lines end with the scope. Other lines are a heading and the name of a Java module.
      Pattern library = Pattern.compile("\\s*(\\S+:\\S+):(?:compile|runtime)\\b.*");
      return new ExporterVersions(
          new MavenXpp3Reader().read(pom),
          lines
              .lines()
              .map(library::matcher)
              .filter(Matcher::matches)
              .map(line -> line.group(1))
              .toList());
    } catch (IOException | XmlPullParserException e) {
      throw new IllegalStateException("The jar of the tools is not complete", e);
    }
  }

  Iterable<Artifact> managed() {
    return managed.values();
  }

  /** The library of the exporter with the same id; empty if the exporter does not contain it. */
  Optional<Artifact> contained(Artifact artifact) {
    return Optional.ofNullable(contained.get(ArtifactIdUtils.toVersionlessId(artifact)));
  }

  /**
   * The artifact of an argument of the command line.
   *
   * @param argument camel-NAME, micrometer-registry-NAME, GROUP:ARTIFACT or GROUP:ARTIFACT:VERSION
   * @throws ConfigException if it is not valid, or the version does not match the exporter
   */
  Artifact parse(String argument) throws ConfigException {
    if (SHORT.matcher(argument).matches()) {
      String group = argument.startsWith("camel-") ? "org.apache.camel" : "io.micrometer";
      return parse(group + ":" + argument);
    }
    Matcher parts = FULL.matcher(argument);
    if (!parts.matches()) {
      throw new ConfigException(
          argument
              + " is not valid: expected camel-NAME, micrometer-registry-NAME, GROUP:ARTIFACT or"
              + " GROUP:ARTIFACT:VERSION");
    }
    Artifact artifact = new DefaultArtifact(parts.group(1), parts.group(2), JAR, parts.group(3));
    Optional<Artifact> library = contained(artifact);
    if (library.isPresent()) {
      throw new ConfigException(
          argument + " is part of the exporter, version " + library.get().getVersion());
    }
    return parts.group(3) == null ? withDefault(argument, artifact) : matching(argument, artifact);
  }

  private Artifact withDefault(String argument, Artifact artifact) throws ConfigException {
    Optional<String> version =
        Optional.ofNullable(DEFAULTS.get(artifact.getGroupId()))
            .map(properties::getProperty)
            .or(() -> managedVersion(artifact));
    return artifact.setVersion(
        version.orElseThrow(
            () -> new ConfigException(argument + " requires a version: " + argument + ":VERSION")));
  }

  private Artifact matching(String argument, Artifact artifact) throws ConfigException {
    if (META_VERSION.matcher(artifact.getVersion()).matches()) {
      throw new ConfigException(argument + " is not valid: expected a number as the version");
    }
    Optional<String> limit =
        managedVersion(artifact)
            .or(
                () ->
                    Optional.ofNullable(LIMITS.get(artifact.getGroupId()))
                        .map(properties::getProperty));
    if (limit.isPresent()
        && (isNewer(artifact.getVersion(), limit.get())
            || !major(artifact.getVersion()).equals(major(limit.get())))) {
      throw new ConfigException(
          argument
              + " does not match the exporter: expected version "
              + limit.get()
              + ", or an older version with the same major version");
    }
    return artifact;
  }

  private Optional<String> managedVersion(Artifact artifact) {
    return Optional.ofNullable(managed.get(ArtifactIdUtils.toVersionlessId(artifact)))
        .map(Artifact::getVersion);
  }

  private static String major(String version) {
    Matcher number = MAJOR.matcher(version);
    return number.lookingAt() ? number.group() : version;
  }

  static boolean isNewer(String version, String other) {
    try {
      return SCHEME.parseVersion(version).compareTo(SCHEME.parseVersion(other)) > 0;
    } catch (InvalidVersionSpecificationException e) {
      throw new IllegalStateException("Every text is a version", e);
    }
  }
}
