package ecoflow.tools;

import ecoflow.command.CallFailure;
import ecoflow.config.HttpSettings;
import ecoflow.config.ProxySettings;
import ecoflow.text.Lines;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.apache.maven.model.building.ModelBuildingException;
import org.eclipse.aether.ConfigurationProperties;
import org.eclipse.aether.RepositorySystem;
import org.eclipse.aether.RepositorySystemSession.CloseableSession;
import org.eclipse.aether.artifact.Artifact;
import org.eclipse.aether.collection.CollectRequest;
import org.eclipse.aether.collection.DependencyCollectionContext;
import org.eclipse.aether.collection.DependencyCollectionException;
import org.eclipse.aether.collection.DependencySelector;
import org.eclipse.aether.graph.Dependency;
import org.eclipse.aether.graph.DependencyNode;
import org.eclipse.aether.repository.Authentication;
import org.eclipse.aether.repository.Proxy;
import org.eclipse.aether.repository.RemoteRepository;
import org.eclipse.aether.repository.RepositoryPolicy;
import org.eclipse.aether.resolution.ArtifactRequest;
import org.eclipse.aether.resolution.ArtifactResolutionException;
import org.eclipse.aether.resolution.ArtifactResult;
import org.eclipse.aether.spi.connector.transport.http.HttpTransporterException;
import org.eclipse.aether.supplier.RepositorySystemSupplier;
import org.eclipse.aether.supplier.SessionBuilderSupplier;
import org.eclipse.aether.transfer.ArtifactNotFoundException;
import org.eclipse.aether.transfer.ArtifactTransferException;
import org.eclipse.aether.transfer.ChecksumFailureException;
import org.eclipse.aether.util.graph.selector.AndDependencySelector;
import org.eclipse.aether.util.graph.transformer.ConflictResolver;
import org.eclipse.aether.util.repository.AuthenticationBuilder;
import org.eclipse.aether.util.repository.SimpleArtifactDescriptorPolicy;

/** A Maven repository. Files without a matching checksum are rejected. */
final class Repository implements AutoCloseable {

  /** In this order, until the repository has one of them. */
  private static final String CHECKSUMS = "SHA-512,SHA-256,SHA-1";

  private static final String RUNTIME = "runtime";
  private static final int HTTPS_PORT = 443;
  private static final int HTTP_PORT = 80;

  private final ExporterVersions versions;
  private final RepositorySystem system = new RepositorySystemSupplier().get();
  private final Set<String> warnings = new TreeSet<>();
  private final CloseableSession session;
  private final List<RemoteRepository> remote;

  /** The end of messages about an artifact. */
  private final String place;

  /**
   * @param address the URL of the repository, with or without a login
   * @param work the directory for downloaded files
   */
  Repository(URI address, HttpSettings http, ExporterVersions versions, Path work) {
    this.versions = versions;
    SessionBuilderSupplier supplier = new SessionBuilderSupplier(system);
    session =
        supplier
            .get()
            .withLocalRepositoryBaseDirectories(work)
            // Profiles in POMs depend on them.
            .setSystemProperties(System.getProperties())
            .setConfigProperty("aether.checksums.checksumAlgorithms", CHECKSUMS)
            .setConfigProperty("aether.remoteRepositoryFilter.prefixes", false)
            .setConfigProperty(
                ConfigurationProperties.REQUEST_TIMEOUT, (int) http.timeout().toMillis())
            // Otherwise, an artifact that several others require is only in the tree of one.
            .setConfigProperty(
                ConflictResolver.CONFIG_PROP_VERBOSE, ConflictResolver.Verbosity.FULL)
            .setDependencySelector(
                new AndDependencySelector(supplier.getDependencySelector(), new NotContained()))
            // No artifact without its POM.
            .setArtifactDescriptorPolicy(new SimpleArtifactDescriptorPolicy(false, false))
            .setIgnoreArtifactDescriptorRepositories(true)
            .build();
    Optional<ProxySettings> proxy =
        http.proxy().filter(settings -> settings.isFor(address.getHost(), port(address)));
    RemoteRepository repository = remote(address, proxy);
    remote = List.of(repository);
    place =
        " in the repository "
            + repository.getUrl()
            + proxy.map(settings -> " through the proxy " + settings.label()).orElse("");
  }

  private static int port(URI address) {
    return address.getPort() >= 0
        ? address.getPort()
        : address.getScheme().equals("https") ? HTTPS_PORT : HTTP_PORT;
  }

  private static RemoteRepository remote(URI address, Optional<ProxySettings> proxy) {
    String login = address.getRawUserInfo();
    String url = address.toString();
    RemoteRepository.Builder builder =
        new RemoteRepository.Builder(
                "repository", "default", login == null ? url : url.replace(login + "@", ""))
            .setReleasePolicy(
                new RepositoryPolicy(
                    true,
                    RepositoryPolicy.UPDATE_POLICY_NEVER,
                    RepositoryPolicy.CHECKSUM_POLICY_FAIL))
            .setSnapshotPolicy(new RepositoryPolicy(false, null, null));
    if (login != null) {
      String[] parts = login.split(":", 2);
      builder.setAuthentication(
          login(decoded(parts[0]), parts.length == 1 ? "" : decoded(parts[1])));
    }
    proxy.map(Repository::proxy).ifPresent(builder::setProxy);
    return builder.build();
  }

  private static String decoded(String encoded) {
    // The decoder is for HTML forms, in which a + is a space.
    return URLDecoder.decode(encoded.replace("+", "%2B"), StandardCharsets.UTF_8);
  }

  private static Authentication login(String user, String password) {
    return new AuthenticationBuilder().addUsername(user).addPassword(password).build();
  }

  private static Proxy proxy(ProxySettings settings) {
    return new Proxy(
        Proxy.TYPE_HTTP,
        settings.host(),
        settings.port(),
        settings.login().map(login -> login(login.id(), login.secret())).orElse(null));
  }

  /** Omits the libraries of the exporter. */
  private final class NotContained implements DependencySelector {

    @Override
    public boolean selectDependency(Dependency dependency) {
      Artifact artifact = dependency.getArtifact();
      versions
          .contained(artifact)
          .filter(library -> ExporterVersions.isNewer(artifact.getVersion(), library.getVersion()))
          .ifPresent(
              library ->
                  warnings.add(
                      id(artifact)
                          + " is required, but the exporter contains version "
                          + library.getVersion()));
      return versions.contained(artifact).isEmpty();
    }

    @Override
    public DependencySelector deriveChildSelector(DependencyCollectionContext context) {
      return this;
    }
  }

  /**
   * Selects the versions of all artifacts that the given ones require at run time, so that they can
   * be used together.
   *
   * @return the jars that each of the given artifacts requires, including its own, by its
   *     coordinates; without the libraries of the exporter
   */
  Map<String, Set<Artifact>> required(Collection<Artifact> artifacts) throws CallFailure {
    CollectRequest request = new CollectRequest();
    request.setRepositories(remote);
    artifacts.forEach(artifact -> request.addDependency(new Dependency(artifact, RUNTIME)));
    // Without a scope, so that only versions are managed.
    versions.managed().forEach(item -> request.addManagedDependency(new Dependency(item, "")));
    Map<String, Set<Artifact>> required = new LinkedHashMap<>();
    try {
      for (DependencyNode node :
          system.collectDependencies(session, request).getRoot().getChildren()) {
        Set<Artifact> jars = new LinkedHashSet<>();
        addAll(node, new HashSet<>(), jars);
        required.put(id(node.getArtifact()), jars);
      }
    } catch (DependencyCollectionException e) {
      throw failure(e.getResult().getExceptions().stream().findFirst().orElse(e));
    }
    return required;
  }

  /** Adds the selected versions of an artifact, and of those that it requires. */
  private static void addAll(DependencyNode node, Set<Artifact> visited, Set<Artifact> jars) {
    Object winner = node.getData().get(ConflictResolver.NODE_DATA_WINNER);
    DependencyNode selected = winner instanceof DependencyNode other ? other : node;
    Artifact artifact = selected.getArtifact();
    if (visited.add(artifact)) {
      if (artifact.getExtension().equals(ExporterVersions.JAR)) {
        jars.add(artifact);
      }
      selected.getChildren().forEach(child -> addAll(child, visited, jars));
    }
  }

  /** Lines about libraries of the exporter that are older than required. */
  Set<String> warnings() {
    return warnings;
  }

  /** Downloads the artifacts, and verifies their checksums. */
  List<Path> download(Collection<Artifact> artifacts) throws CallFailure {
    try {
      return system
          .resolveArtifacts(
              session,
              artifacts.stream()
                  .map(artifact -> new ArtifactRequest(artifact, remote, null))
                  .toList())
          .stream()
          .map(ArtifactResult::getArtifact)
          .map(Artifact::getPath)
          .toList();
    } catch (ArtifactResolutionException e) {
      throw failure(e);
    }
  }

  private CallFailure failure(Exception failure) {
    String artifact = "";
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof ArtifactTransferException transfer) {
        artifact = id(transfer.getArtifact());
      }
      if (cause instanceof ArtifactNotFoundException) {
        return new CallFailure("", artifact + " does not exist" + place);
      }
      if (cause instanceof ChecksumFailureException checksum) {
        String error =
            checksum.getExpected().isEmpty() ? " has no checksum" : " does not match its checksum";
        return new CallFailure("", artifact + error + place);
      }
      if (cause instanceof ModelBuildingException) {
        return new CallFailure("", "a POM" + place + " is not valid: " + Lines.describe(cause));
      }
    }
    Throwable root = Lines.rootCause(failure);
    String reason =
        root instanceof HttpTransporterException http
            ? "HTTP " + http.getStatusCode()
            : Lines.describe(root);
    return new CallFailure("", "cannot read " + artifact + place + ": " + reason);
  }

  static String fileName(Artifact jar) {
    return jar.getArtifactId()
        + "-"
        + jar.getVersion()
        + (jar.getClassifier().isEmpty() ? "" : "-" + jar.getClassifier())
        + ".jar";
  }

  private static String id(Artifact artifact) {
    return artifact.getGroupId() + ":" + artifact.getArtifactId() + ":" + artifact.getVersion();
  }

  @Override
  public void close() {
    session.close();
    system.shutdown();
  }
}
