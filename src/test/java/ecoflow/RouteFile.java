package ecoflow;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

/**
 * A route file as a tree: its steps, and the beans that it names.
 *
 * @param steps every step of every list of steps, by its name in the file
 * @param calls every bean that is called, with its method
 */
record RouteFile(List<String> steps, List<Call> calls, List<String> references) {

  /** Steps that do not say what they do. */
  static final Set<String> OPAQUE = Set.of("process", "bean", "script");

  /**
   * A call of a bean.
   *
   * @param where the step or expression that it stands in
   */
  record Call(String where, String bean, String method) {}

  private static final Set<String> QUESTIONS =
      Set.of("filter", "when", "onWhen", "split", "loop", "validate");
  private static final Pattern BEAN = Pattern.compile("\\$\\{bean:(\\w+)\\?method=(\\w+)\\}");

  static RouteFile read(Path file) {
    RouteFile tree = new RouteFile(new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
    try {
      Load load = new Load(LoadSettings.builder().build());
      tree.walk("", load.loadFromString(Files.readString(file)));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return tree;
  }

  /** The names of all beans. */
  Stream<String> beans() {
    return Stream.concat(calls.stream().map(Call::bean), references.stream()).distinct();
  }

  /** The calls that stand where a route only asks. */
  Stream<Call> questions() {
    return calls.stream().filter(call -> QUESTIONS.contains(call.where()));
  }

  private void walk(String where, Object node) {
    if (node instanceof List<?> list) {
      list.forEach(item -> walk(where, item));
    } else if (node instanceof Map<?, ?> map) {
      if (map.get("ref") instanceof String bean) {
        calls.add(new Call(where, bean, (String) map.get("method")));
      }
      map.forEach((key, value) -> walkMember(where, String.valueOf(key), value));
    } else if (node instanceof String text) {
      Matcher beans = BEAN.matcher(text);
      beans.results().forEach(b -> calls.add(new Call(where, b.group(1), b.group(2))));
      if (text.startsWith("#")) {
        references.add(text.substring(1));
      }
    }
  }

  private void walkMember(String where, String key, Object value) {
    if (key.equals("steps") && value instanceof List<?> list) {
      for (Object step : list) {
        ((Map<?, ?>) step).keySet().forEach(name -> steps.add(String.valueOf(name)));
        walk("steps", step);
      }
    } else {
      // An expression belongs to what it is the expression of.
      boolean inner = Set.of("expression", "method", "simple", "parameters").contains(key);
      walk(inner ? where : key, value);
    }
  }
}
