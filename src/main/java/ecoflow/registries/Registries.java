package ecoflow.registries;

import ecoflow.config.ConfigException;
import ecoflow.config.RegistrySettings;
import ecoflow.device.Devices;
import ecoflow.quota.Quotas;
import ecoflow.text.Lines;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.composite.CompositeMeterRegistry;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.camel.CamelContext;
import org.apache.camel.support.LifecycleStrategySupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The additional Micrometer registries: those in the settings, and beans of route files. Each
 * device series is a gauge in each registry.
 */
public final class Registries implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(Registries.class);
  private static final long SWEEP_SECONDS = 1;
  private static final long CLOSE_SECONDS = 3;

  private final Set<MeterRegistry> all = Collections.newSetFromMap(new IdentityHashMap<>());
  private final CountDownLatch closed = new CountDownLatch(1);

  private Registries() {}

  /**
   * Creates the registries in the settings.
   *
   * @throws ConfigException if a registry cannot be created
   */
  public static Registries open(RegistrySettings settings) throws ConfigException {
    Registries registries = new Registries();
    try {
      for (String name : settings.names()) {
        registries.all.add(NamedRegistry.create(name, settings.variables()));
      }
    } catch (ConfigException e) {
      registries.close();
      throw e;
    }
    return registries;
  }

  /**
   * Publishes the series to the registries, beginning with the start of the context. At that time
   * the beans of route files exist, but no route is running yet.
   *
   * @param prefix the prefix of the names, without the underscore
   * @param page the registry of the metrics page, which is excluded because the package page writes
   *     its device series
   */
  public void publish(
      CamelContext camel, String prefix, Devices devices, Quotas quotas, MeterRegistry page) {
    camel.addLifecycleStrategy(
        new LifecycleStrategySupport() {
          @Override
          public void onContextStarting(CamelContext context) {
            context.getRegistry().findByType(MeterRegistry.class).stream()
                .flatMap(bean -> without(page, bean))
                .forEach(all::add);
            if (!all.isEmpty()) {
              publish(prefix, devices, quotas);
            }
          }
        });
  }

  /**
   * Excludes the registry of the page, also from composites, to avoid duplicate series on the page.
   */
  private static Stream<MeterRegistry> without(MeterRegistry page, MeterRegistry registry) {
    if (registry == page) {
      return Stream.empty();
    }
    return registry instanceof CompositeMeterRegistry composite && contains(composite, page)
        ? composite.getRegistries().stream().flatMap(part -> without(page, part))
        : Stream.of(registry);
  }

  private static boolean contains(CompositeMeterRegistry composite, MeterRegistry registry) {
    return composite.getRegistries().stream()
        .anyMatch(
            part ->
                part == registry
                    || (part instanceof CompositeMeterRegistry inner && contains(inner, registry)));
  }

  private void publish(String prefix, Devices devices, Quotas quotas) {
    SeriesGauges gauges =
        new SeriesGauges(prefix, devices, List.copyOf(all), new Lines(LOG, System::nanoTime));
    devices.onRenamed(gauges::rename);
    quotas.watch(gauges);
    Thread sweeper = new Thread(() -> removeOld(quotas), "registries");
    sweeper.setDaemon(true);
    sweeper.start();
    LOG.info(
        "Device series are also published to {}",
        all.stream().map(Registries::nameOf).sorted().collect(Collectors.joining(", ")));
  }

  /**
   * Removes expired series periodically, because registries would publish them if there are no
   * scrapes.
   */
  private void removeOld(Quotas quotas) {
    try {
      while (!closed.await(SWEEP_SECONDS, TimeUnit.SECONDS)) {
        quotas.removeOld();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static String nameOf(MeterRegistry registry) {
    return registry.getClass().getSimpleName();
  }

  /** Closes the registries, which publish their last values, within {@value #CLOSE_SECONDS} s. */
  @Override
  public void close() {
    if (closed.getCount() == 0) {
      return;
    }
    closed.countDown();
    List<Thread> closing = new ArrayList<>();
    for (MeterRegistry registry : all) {
      if (!registry.isClosed()) {
        Thread thread = new Thread(() -> close(registry), nameOf(registry));
        thread.setDaemon(true);
        thread.start();
        closing.add(thread);
      }
    }
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(CLOSE_SECONDS);
    try {
      for (Thread thread : closing) {
        long millis = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime());
        thread.join(Math.max(1, millis));
        if (thread.isAlive()) {
          LOG.warn(
              "{} did not publish the last values within {} s", thread.getName(), CLOSE_SECONDS);
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void close(MeterRegistry registry) {
    try {
      registry.close();
    } catch (RuntimeException e) {
      LOG.warn("{} failed to close: {}", nameOf(registry), Lines.root(e));
    }
  }
}
