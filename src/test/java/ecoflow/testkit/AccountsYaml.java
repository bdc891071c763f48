package ecoflow.testkit;

import ecoflow.cloud.SimulatedAccount;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** An accounts file with accounts of simulated clouds. */
public final class AccountsYaml {

  private final Path file;
  private final Map<String, List<String>> entries = new LinkedHashMap<>();

  /**
   * @param file written by {@link #write}
   */
  public AccountsYaml(Path file) {
    this.file = file;
  }

  public Path file() {
    return file;
  }

  /**
   * Adds an account with all its devices, or replaces the account with this name.
   *
   * @param mode rest, open, mqtt or device
   * @param more additional lines of the account, {@code "labels: {site: Berlin}"}
   */
  public AccountsYaml add(String name, String mode, SimulatedAccount account, String... more) {
    List<String> lines = new ArrayList<>();
    lines.add("name: " + name);
    lines.add("mode: " + mode);
    lines.add("api_host: " + account.cloud().apiHost());
    if (mode.equals("rest") || mode.equals("open")) {
      lines.add("access_key: " + account.login().accessKey());
      lines.add("secret_key: " + account.login().secretKey());
    } else {
      lines.add("user: " + account.login().email());
      lines.add("password: " + account.login().password());
    }
    lines.addAll(List.of(more));
    entries.put(name, lines);
    return this;
  }

  /** Replaces the line of an account that starts with the key. */
  public AccountsYaml replace(String name, String key, String line) {
    entries.get(name).replaceAll(before -> before.startsWith(key) ? line : before);
    return this;
  }

  public AccountsYaml remove(String name) {
    entries.remove(name);
    return this;
  }

  /** Writes the file at once, so that a reader never sees a part of it. */
  public AccountsYaml write() {
    StringBuilder text = new StringBuilder("accounts:\n");
    entries
        .values()
        .forEach(lines -> text.append("  - ").append(String.join("\n    ", lines)).append('\n'));
    try {
      Path next = file.resolveSibling(file.getFileName() + ".next");
      Files.writeString(next, text);
      Files.move(next, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return this;
  }
}
