package ecoflow.landing;

import java.io.IOException;
import java.io.InputStream;
import java.util.regex.Pattern;
import org.apache.camel.Header;

/** The documents of the running version as HTML, bean {@code documents}. */
final class Documents {

  private static final Pattern NAME = Pattern.compile("[A-Z]+");

  /**
   * For routes: a document that the build has converted; null if there is none with this name.
   *
   * @param name the name of the file without its suffix; null for the README
   */
  public byte[] html(@Header("document") String name) throws IOException {
    if (name != null && !NAME.matcher(name).matches()) {
      return null;
    }
    String file = name == null ? "index" : name;
    try (InputStream in = Documents.class.getResourceAsStream("docs/" + file + ".html")) {
      return in == null ? null : in.readAllBytes();
    }
  }
}
