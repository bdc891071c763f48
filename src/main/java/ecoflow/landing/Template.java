package ecoflow.landing;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A template in a subset of Mustache: {@code {{name}}}, {@code {{#name}}...{{/name}}} for each item
 * of a list or if a value is true, and {@code {{^name}}...{{/name}}} otherwise. All values are
 * escaped. Camel's template components would add several hundred kB for a single page.
 */
final class Template {

  private static final Pattern TAG = Pattern.compile("\\{\\{([#^/]?)([a-zA-Z]+)\\}\\}");

  private final List<Part> parts;

  private interface Part {
    void append(StringBuilder out, Deque<Map<String, ?>> scopes);
  }

  private Template(List<Part> parts) {
    this.parts = parts;
  }

  /** Loads a template from the package of this class. */
  static Template resource(String name) {
    try (InputStream in = Template.class.getResourceAsStream(name)) {
      return of(new String(in.readAllBytes(), StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new UncheckedIOException(name, e);
    }
  }

  static Template of(String text) {
    Matcher tags = TAG.matcher(text);
    int[] end = {0};
    return new Template(parse(text, tags, end, ""));
  }

  private static List<Part> parse(String text, Matcher tags, int[] end, String section) {
    List<Part> parts = new ArrayList<>();
    while (tags.find()) {
      String literal = text.substring(end[0], tags.start());
      parts.add((out, scopes) -> out.append(literal));
      end[0] = tags.end();
      String name = tags.group(2);
      switch (tags.group(1)) {
        case "#" -> parts.add(section(name, parse(text, tags, end, name)));
        case "^" -> parts.add(inverted(name, parse(text, tags, end, name)));
        case "/" -> {
          if (!name.equals(section)) {
            throw new IllegalArgumentException(
                "expected {{/" + section + "}}, found {{/" + name + "}}");
          }
          return parts;
        }
        default -> parts.add((out, scopes) -> escape(String.valueOf(find(scopes, name)), out));
      }
    }
    if (!section.isEmpty()) {
      throw new IllegalArgumentException("missing {{/" + section + "}}");
    }
    String literal = text.substring(end[0]);
    parts.add((out, scopes) -> out.append(literal));
    return parts;
  }

  private static Part section(String name, List<Part> content) {
    return (out, scopes) -> {
      for (Map<String, ?> scope : scopes(find(scopes, name))) {
        scopes.push(scope);
        content.forEach(part -> part.append(out, scopes));
        scopes.pop();
      }
    };
  }

  private static Part inverted(String name, List<Part> content) {
    return (out, scopes) -> {
      if (scopes(find(scopes, name)).isEmpty()) {
        content.forEach(part -> part.append(out, scopes));
      }
    };
  }

  /** The scopes for which to render a section. */
  @SuppressWarnings("unchecked")
  private static List<Map<String, ?>> scopes(Object value) {
    if (value instanceof List<?> list) {
      return (List<Map<String, ?>>) list;
    }
    boolean isTrue = !Boolean.FALSE.equals(value) && !"".equals(value);
    return isTrue ? List.of(Map.of()) : List.of();
  }

  private static Object find(Deque<Map<String, ?>> scopes, String name) {
    for (Map<String, ?> scope : scopes) {
      Object value = scope.get(name);
      if (value != null) {
        return value;
      }
    }
    throw new IllegalArgumentException("no value for " + name);
  }

  private static void escape(String text, StringBuilder out) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '&' -> out.append("&amp;");
        case '<' -> out.append("&lt;");
        case '>' -> out.append("&gt;");
        case '"' -> out.append("&quot;");
        case '\'' -> out.append("&#39;");
        default -> out.append(c);
      }
    }
  }

  String render(Map<String, ?> values) {
    StringBuilder out = new StringBuilder();
    Deque<Map<String, ?>> scopes = new ArrayDeque<>(List.of(values));
    parts.forEach(part -> part.append(out, scopes));
    return out.toString();
  }
}
