package ecoflow.routes;

import ecoflow.routes.RouteFile.Entry;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.camel.CamelContext;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.ScalarNode;

/**
 * An endpoint in a file, with its options in parameters or in the URI.
 *
 * @param path the URI after the scheme
 * @param options the options by name; options in the URI have the node of the URI
 * @param mixesBoth whether there are options both in the URI and in parameters, which Camel rejects
 */
record Endpoint(
    String scheme,
    String path,
    Map<String, Entry> options,
    Map<String, String> values,
    Node uri,
    boolean mixesBoth) {

  /** Empty for a value that is not an endpoint, or that is determined only for a message. */
  static Optional<Endpoint> read(CamelContext camel, Node node) {
    Node uri = node instanceof ScalarNode ? node : RouteFile.at(node, "uri").orElse(null);
    if (!(uri instanceof ScalarNode)) {
      return Optional.empty();
    }
    String text = resolved(camel, RouteFile.text(uri)).replaceFirst("^([\\w+.-]+)://", "$1:");
    int query = text.indexOf('?');
    String address = query < 0 ? text : text.substring(0, query);
    int colon = address.indexOf(':');
    String scheme = colon < 0 ? address : address.substring(0, colon);
    if (!scheme.matches("[A-Za-z][\\w+.-]*")) {
      return Optional.empty();
    }
    Map<String, Entry> options = new LinkedHashMap<>();
    Map<String, String> values = new LinkedHashMap<>();
    if (query >= 0) {
      String raw = text.substring(query + 1).replaceAll("RAW(\\(.*?\\)|\\{.*?\\})", "raw");
      for (String option : raw.split("&")) {
        String[] parts = option.split("=", 2);
        if (parts.length == 2 && parts[0].matches("[\\w.-]+")) {
          options.put(parts[0], new Entry(parts[0], uri, uri));
          values.put(parts[0], parts[1]);
        }
      }
    }
    boolean inUri = !options.isEmpty();
    RouteFile.at(node, "parameters").map(RouteFile::entries).stream()
        .flatMap(List::stream)
        .forEach(
            entry -> {
              options.put(entry.key(), entry);
              values.put(entry.key(), RouteFile.text(entry.value()));
            });
    return Optional.of(
        new Endpoint(
            scheme,
            colon < 0 ? "" : address.substring(colon + 1),
            options,
            values,
            uri,
            inUri && RouteFile.at(node, "parameters").isPresent()));
  }

  /** The name of a direct or seda endpoint; empty for other schemes. */
  Optional<String> queueName(CamelContext camel) {
    if (!scheme.equals("direct") && !scheme.equals("seda")) {
      return Optional.empty();
    }
    String name = path.isEmpty() ? resolved(camel, values.getOrDefault("name", "")) : path;
    return name.isEmpty() ? Optional.empty() : Optional.of(scheme + ":" + name);
  }

  /**
   * The methods and paths that the endpoint serves over HTTP. An endpoint for all methods is listed
   * as GET.
   */
  List<String> pages(CamelContext camel) {
    if (!scheme.equals("platform-http")) {
      return List.of();
    }
    String served = path.isEmpty() ? resolved(camel, values.getOrDefault("path", "")) : path;
    String methods = resolved(camel, values.getOrDefault("httpMethodRestrict", "GET"));
    return Stream.of(methods.split(","))
        .map(
            method ->
                method.strip().toUpperCase(Locale.ROOT) + " /" + served.replaceFirst("^/", ""))
        // Served together with GET.
        .filter(page -> !page.startsWith("HEAD "))
        .toList();
  }

  /** Resolves placeholders that are defined. */
  static String resolved(CamelContext camel, String text) {
    if (!text.contains("{{")) {
      return text;
    }
    try {
      return camel.getCamelContextExtension().resolvePropertyPlaceholders(text, true);
    } catch (RuntimeException e) {
      return text;
    }
  }
}
