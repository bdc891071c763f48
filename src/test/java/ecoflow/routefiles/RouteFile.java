package ecoflow.routefiles;

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
 * The steps and bean references of a route file.
 *
 * @param steps the name of each step, of all lists of steps
 * @param jumps the steps that continue in another route
 * @param calls the calls of bean methods
 * @param references the beans that parameters refer to
 */
public record RouteFile(
    List<String> steps, List<Jump> jumps, List<Call> calls, List<String> references) {

  /** Steps whose work is not visible in the route. */
  private static final Set<String> OPAQUE = Set.of("process", "bean", "script");

  /** The part of a route that calls Java. */
  public enum Use {
    /** A step, which acts. */
    STEP,
    /** A predicate. */
    QUESTION,
    /** An expression, such as that of setBody or split. */
    VALUE
  }

  /**
   * A call of a bean method.
   *
   * @param where the name of the step or clause that contains the call
   */
  public record Call(String where, String bean, String method) {

    public Use use() {
      return OPAQUE.contains(where)
          ? Use.STEP
          : PREDICATES.contains(where) ? Use.QUESTION : Use.VALUE;
    }

    public String name() {
      return bean + "." + method;
    }
  }

  /**
   * A step that continues in another route.
   *
   * @param step {@code to} or {@code wireTap}
   * @param name of the {@code direct} endpoint
   */
  public record Jump(String step, String name) {}

  private static final Set<String> PREDICATES = Set.of("filter", "when", "onWhen", "validate");
  private static final Pattern BEAN = Pattern.compile("\\$\\{bean:(\\w+)\\?method=(\\w+)");

  public static RouteFile read(Path file) {
    RouteFile tree =
        new RouteFile(new ArrayList<>(), new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
    try {
      Load load = new Load(LoadSettings.builder().build());
      tree.walk("", load.loadFromString(Files.readString(file)));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return tree;
  }

  /** The names of all beans. */
  public Stream<String> beans() {
    return Stream.concat(calls.stream().map(Call::bean), references.stream()).distinct();
  }

  /** The number of calls of Java. */
  public long count(Use use) {
    return use == Use.STEP
        ? steps.stream().filter(OPAQUE::contains).count()
        : calls.stream().filter(call -> call.use() == use).count();
  }

  private void walk(String where, Object node) {
    if (node instanceof List<?> list) {
      list.forEach(item -> walk(where, item));
    } else if (node instanceof Map<?, ?> map) {
      if (map.get("ref") instanceof String bean) {
        String method = String.valueOf(map.get("method"));
        calls.add(new Call(where, bean, method.split("\\(", 2)[0]));
      }
      map.forEach((key, value) -> walkMember(where, String.valueOf(key), value));
    } else if (node instanceof String text) {
      Matcher beans = BEAN.matcher(text);
      beans.results().forEach(b -> calls.add(new Call(where, b.group(1), b.group(2))));
      if (text.startsWith("#") && !text.startsWith("#class:")) {
        references.add(text.substring(1));
      }
    }
  }

  private void addJump(String step, Object content) {
    if (content instanceof Map<?, ?> to && "direct".equals(to.get("uri"))) {
      Map<?, ?> parameters = (Map<?, ?>) to.get("parameters");
      jumps.add(new Jump(step, String.valueOf(parameters.get("name"))));
    }
  }

  private void walkMember(String where, String key, Object value) {
    if (key.equals("steps") && value instanceof List<?> list) {
      for (Object step : list) {
        ((Map<?, ?>) step).keySet().forEach(name -> steps.add(String.valueOf(name)));
        ((Map<?, ?>) step).forEach((name, content) -> addJump(String.valueOf(name), content));
        walk("steps", step);
      }
    } else {
      // An expression belongs to the step that contains it.
      boolean inner = Set.of("expression", "method", "simple", "parameters").contains(key);
      walk(inner ? where : key, value);
    }
  }
}
