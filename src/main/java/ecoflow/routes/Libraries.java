package ecoflow.routes;

import java.net.URL;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.camel.CamelContext;
import org.snakeyaml.engine.v2.nodes.Node;

/** Checks whether Camel's components, languages and data formats are on the class path. */
final class Libraries {

  private static final String SERVICES = "META-INF/services/org/apache/camel/";

  /**
   * Keys that are names of data formats. The names of other data formats depend on more than the
   * key.
   */
  private static final Set<String> DATA_FORMATS =
      Set.of(
          "barcode",
          "base64",
          "cbor",
          "crypto",
          "csv",
          "gzipDeflater",
          "ical",
          "jacksonXml",
          "jaxb",
          "lzf",
          "rss",
          "syslog",
          "tarFile",
          "zipDeflater",
          "zipFile");

  /** The artifacts whose name differs from that of the component, language or data format. */
  private static final Map<String, String> ARTIFACTS =
      Map.ofEntries(
          Map.entry("smtp", "mail"),
          Map.entry("smtps", "mail"),
          Map.entry("imap", "mail"),
          Map.entry("imaps", "mail"),
          Map.entry("pop3", "mail"),
          Map.entry("pop3s", "mail"),
          Map.entry("sftp", "ftp"),
          Map.entry("ftps", "ftp"),
          Map.entry("js", "javascript"),
          Map.entry("java", "joor"),
          Map.entry("spel", "spring"),
          Map.entry("xquery", "saxon"),
          Map.entry("xtokenize", "xml-jaxp"),
          Map.entry("hl7terser", "hl7"),
          Map.entry("csimple", "csimple-joor"),
          Map.entry("gzipDeflater", "zip-deflater"),
          Map.entry("zipDeflater", "zip-deflater"),
          Map.entry("zipFile", "zipfile"),
          Map.entry("tarFile", "tarfile"),
          Map.entry("jacksonXml", "jacksonxml"));

  private Libraries() {}

  static boolean hasComponent(CamelContext camel, String scheme) {
    return camel.hasComponent(scheme) != null
        || has(camel, "component", scheme)
        || camel.getRegistry().lookupByName(scheme) != null
        || camel.getRegistry().lookupByName(scheme + "-component") != null;
  }

  /** The error text for a missing component, language or data format. */
  static String missingError(String kind, String name) {
    String artifact = "camel-" + ARTIFACTS.getOrDefault(name, name);
    return "unknown "
        + kind
        + " "
        + name
        + ": put org.apache.camel:"
        + artifact
        + " and its dependencies into ECOFLOW_LIB_DIR (ecoflow-exporter lib add "
        + artifact
        + "), or correct the name";
  }

  /**
   * The error text for a key whose library is missing.
   *
   * @param definition the name of the definition of the key in the schema
   */
  static Optional<String> missing(CamelContext camel, String key, Node value, String definition) {
    if (definition.contains(".model.language.") && !definition.endsWith(".ExpressionDefinition")) {
      String name =
          switch (key) {
            case "language" -> RouteFile.textAt(value, "language").orElse("");
            case "method" -> "bean";
            default -> key;
          };
      return missing(camel, "language", "language", name);
    }
    if (definition.contains(".model.dataformat.")) {
      String name =
          key.equals("json")
              ? RouteFile.textAt(value, "library").orElse("jackson").toLowerCase(Locale.ROOT)
              : key;
      return DATA_FORMATS.contains(name) || key.equals("json")
          ? missing(camel, "data format", "dataformat", name)
          : Optional.empty();
    }
    return Optional.empty();
  }

  private static Optional<String> missing(
      CamelContext camel, String kind, String service, String name) {
    return name.matches("\\w+")
            && !has(camel, service, name)
            && camel.getRegistry().lookupByName(name) == null
            && camel.getRegistry().lookupByName(name + "-" + service) == null
        ? Optional.of(missingError(kind, name))
        : Optional.empty();
  }

  private static boolean has(CamelContext camel, String kind, String name) {
    URL service = camel.getClassResolver().loadResourceAsURL(SERVICES + kind + "/" + name);
    return service != null;
  }
}
