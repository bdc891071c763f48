package ecoflow.testkit;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;

/** A jar with a Camel component that the exporter does not have: "greeting" prints its name. */
public final class ComponentJar {

  private static final String COMPONENT =
      """
      package greeting;

      import java.util.Map;
      import org.apache.camel.Consumer;
      import org.apache.camel.Endpoint;
      import org.apache.camel.Exchange;
      import org.apache.camel.Processor;
      import org.apache.camel.Producer;
      import org.apache.camel.support.DefaultComponent;
      import org.apache.camel.support.DefaultEndpoint;
      import org.apache.camel.support.DefaultProducer;

      public class Greeting extends DefaultComponent {
        @Override
        protected Endpoint createEndpoint(String uri, String name, Map<String, Object> options) {
          return new DefaultEndpoint(uri, this) {
            @Override
            public Producer createProducer() {
              return new DefaultProducer(this) {
                @Override
                public void process(Exchange exchange) {
                  System.out.println("Greetings to " + name);
                }
              };
            }

            @Override
            public Consumer createConsumer(Processor processor) {
              throw new UnsupportedOperationException();
            }
          };
        }
      }
      """;

  private static final String ROUTE =
      """
      - route:
          id: greeting
          from:
            uri: timer
            parameters:
              timerName: greeting
              repeatCount: 1
            steps:
              - to:
                  uri: greeting:everybody
      """;

  /** The output of an exporter that has the component and runs the route. */
  public static final String LINE = "Greetings to everybody";

  private ComponentJar() {}

  /** Creates the jar in a directory. */
  public static void createIn(Path directory) {
    try {
      Path work = Files.createTempDirectory("component");
      Path source = Files.writeString(work.resolve("Greeting.java"), COMPONENT);
      JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
      try (StandardJavaFileManager files = compiler.getStandardFileManager(null, null, null)) {
        boolean done =
            compiler
                .getTask(
                    null,
                    files,
                    null,
                    List.of("-d", work.toString(), "-cp", System.getProperty("java.class.path")),
                    null,
                    files.getJavaFileObjects(source))
                .call();
        if (!done) {
          throw new IllegalStateException("The component does not compile");
        }
      }
      Files.createDirectories(directory);
      try (OutputStream out = Files.newOutputStream(directory.resolve("camel-greeting.jar"));
          JarOutputStream jar = new JarOutputStream(out)) {
        for (Path file : Distribution.files(work.resolve("greeting"))) {
          jar.putNextEntry(new JarEntry("greeting/" + file.getFileName()));
          jar.write(Files.readAllBytes(file));
        }
        jar.putNextEntry(new JarEntry("META-INF/services/org/apache/camel/component/greeting"));
        jar.write("class=greeting.Greeting\n".getBytes(StandardCharsets.UTF_8));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Writes a route that uses the component into a directory.
   *
   * @return the pattern for CAMEL_MAIN_ROUTES_INCLUDE_PATTERN
   */
  public static String writeRoute(Path directory) {
    try {
      Files.createDirectories(directory);
      Files.writeString(directory.resolve("greeting.camel.yaml"), ROUTE);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return "file:" + directory + "/*.camel.yaml";
  }
}
