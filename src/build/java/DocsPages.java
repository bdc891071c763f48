import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.commonmark.ext.gfm.tables.TableBlock;
import org.commonmark.ext.gfm.tables.TablesExtension;
import org.commonmark.node.AbstractVisitor;
import org.commonmark.node.Code;
import org.commonmark.node.FencedCodeBlock;
import org.commonmark.node.Heading;
import org.commonmark.node.HtmlBlock;
import org.commonmark.node.HtmlInline;
import org.commonmark.node.Link;
import org.commonmark.node.Node;
import org.commonmark.node.Text;
import org.commonmark.parser.Parser;
import org.commonmark.renderer.html.HtmlRenderer;

/**
 * Converts the README and the documents in docs to HTML, as part of the build: {@code java -cp
 * CLASSPATH DocsPages.java PROJECT TEMPLATE OUTPUT}. The exporter does not need the Markdown
 * library.
 */
public final class DocsPages {

  /** The pages that readers need first; the others follow by name. */
  private static final List<String> FIRST = List.of("README", "CONFIGURATION", "MANUAL");

  private final Path project;
  private final String template;
  private final Map<Path, Node> documents = new LinkedHashMap<>();

  private DocsPages(Path project, String template) {
    this.project = project;
    this.template = template;
  }

  public static void main(String[] args) throws IOException {
    DocsPages pages = new DocsPages(Path.of(args[0]), Files.readString(Path.of(args[1])));
    pages.write(Files.createDirectories(Path.of(args[2])));
  }

  private void write(Path output) throws IOException {
    List<Path> files = new ArrayList<>();
    for (String name : List.of("README.md", "CHANGELOG.md", "SECURITY.md")) {
      files.add(Path.of(name));
    }
    try (Stream<Path> docs = Files.list(project.resolve("docs"))) {
      docs.filter(file -> file.toString().endsWith(".md"))
          .forEach(file -> files.add(Path.of("docs").resolve(file.getFileName())));
    }
    Parser parser = Parser.builder().extensions(List.of(TablesExtension.create())).build();
    files.sort((one, other) -> key(one).compareTo(key(other)));
    for (Path file : files) {
      documents.put(file, parser.parse(Files.readString(project.resolve(file))));
    }
    for (Path file : files) {
      Files.writeString(
          output.resolve(isReadme(file) ? "index.html" : name(file) + ".html"), page(file));
    }
  }

  private static String name(Path file) {
    return file.getFileName().toString().replace(".md", "");
  }

  private static boolean isReadme(Path file) {
    return name(file).equals("README");
  }

  private static String key(Path file) {
    int first = FIRST.indexOf(name(file));
    return (first < 0 ? FIRST.size() : first) + name(file);
  }

  private String page(Path file) {
    Node document = documents.get(file);
    Map<Node, String> ids = ids(document);
    document.accept(new Links(file));
    String body =
        HtmlRenderer.builder()
            .extensions(List.of(TablesExtension.create()))
            .attributeProviderFactory(
                context ->
                    (node, tag, attributes) -> {
                      if (node instanceof Heading && ids.containsKey(node)) {
                        attributes.put("id", ids.get(node));
                      }
                      // Wide tables and blocks are scrolled with the keyboard as well.
                      if (tag.equals("pre")
                          || (node instanceof TableBlock && tag.equals("table"))) {
                        attributes.put("tabindex", "0");
                      }
                    })
            .build()
            .render(document);
    String links =
        documents.keySet().stream()
            .map(
                other ->
                    "<li><a href=\"%s\"%s>%s</a></li>"
                        .formatted(
                            address(file, other),
                            other.equals(file) ? " aria-current=\"page\"" : "",
                            escape(title(documents.get(other)))))
            .collect(Collectors.joining("\n"));
    return template
        .replace("{{title}}", escape(title(document)))
        .replace("{{root}}", root(file))
        .replace("{{links}}", links)
        .replace("{{body}}", body);
  }

  /** The relative address of the landing page, because a proxy can add a prefix to all paths. */
  private static String root(Path file) {
    return isReadme(file) ? "./" : "../";
  }

  private static String address(Path from, Path to) {
    return root(from) + (isReadme(to) ? "docs" : "docs/" + name(to));
  }

  private static String title(Node document) {
    for (Node node = document.getFirstChild(); node != null; node = node.getNext()) {
      if (node instanceof Heading) {
        return text(node);
      }
    }
    throw new IllegalArgumentException("a document has no heading");
  }

  private static String text(Node node) {
    StringBuilder text = new StringBuilder();
    node.accept(
        new AbstractVisitor() {
          @Override
          public void visit(Text part) {
            text.append(part.getLiteral());
          }

          @Override
          public void visit(Code part) {
            text.append(part.getLiteral());
          }
        });
    return text.toString();
  }

  /** The anchors of headings, formed as on GitHub. */
  private static Map<Node, String> ids(Node document) {
    Map<Node, String> ids = new LinkedHashMap<>();
    Set<String> used = new HashSet<>();
    document.accept(
        new AbstractVisitor() {
          @Override
          public void visit(Heading heading) {
            String id =
                text(heading)
                    .toLowerCase(Locale.ROOT)
                    .replaceAll("[^\\p{L}\\p{N}_ -]", "")
                    .replace(' ', '-');
            String unique = id;
            for (int i = 1; !used.add(unique); i++) {
              unique = id + "-" + i;
            }
            ids.put(heading, unique);
          }
        });
    return ids;
  }

  private static String escape(String text) {
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("\"", "&quot;");
  }

  /**
   * Replaces links between documents. A link to another file of the project becomes text, because
   * the exporter does not contain that file. HTML, such as images, is omitted.
   */
  private final class Links extends AbstractVisitor {

    private final Path file;

    Links(Path file) {
      this.file = file;
    }

    @Override
    public void visit(Link link) {
      visitChildren(link);
      String target = link.getDestination();
      if (target.startsWith("#") || target.matches("[a-z]+:.*")) {
        return;
      }
      int hash = target.indexOf('#');
      String fragment = hash < 0 ? "" : target.substring(hash);
      Path path = Path.of(hash < 0 ? target : target.substring(0, hash));
      Path directory = file.getParent() == null ? Path.of("") : file.getParent();
      Path document = directory.resolve(path).normalize();
      if (documents.containsKey(document)) {
        link.setDestination(address(file, document) + fragment);
        return;
      }
      while (link.getFirstChild() != null) {
        link.insertBefore(link.getFirstChild());
      }
      link.unlink();
    }

    @Override
    public void visit(HtmlBlock block) {
      block.unlink();
    }

    @Override
    public void visit(HtmlInline inline) {
      inline.unlink();
    }

    @Override
    public void visit(FencedCodeBlock block) {
      // The classes of languages have no style.
      block.setInfo("");
    }
  }
}
