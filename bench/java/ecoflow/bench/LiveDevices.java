package ecoflow.bench;

import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/** Writes the messages of all devices, evenly distributed over time, until it is closed. */
final class LiveDevices implements AutoCloseable {

  private static final int CHUNKS_PER_SECOND = 50;

  private final Population population;
  private final RecordWriter writer;
  private final AtomicBoolean over = new AtomicBoolean();
  private final CompletableFuture<Void> running;

  LiveDevices(Population population, RecordWriter writer) {
    this.population = population;
    this.writer = writer;
    running = Benchmark.inBackground(this::run);
  }

  private Void run() throws IOException, InterruptedException {
    Population.Message full = population.full();
    Population.Message push = population.push();
    int chunks = CHUNKS_PER_SECOND * Population.PUSH_SECONDS;
    long start = System.nanoTime();
    for (long chunk = 0; !over.get(); chunk++) {
      long round = chunk / chunks;
      int part = (int) (chunk % chunks);
      int end = (int) ((long) population.size() * (part + 1) / chunks);
      for (int device = (int) ((long) population.size() * part / chunks); device < end; device++) {
        if (!Population.isTimed(device)) {
          Population.Message message = (round + device) % Population.FULL_EVERY == 0 ? full : push;
          writer.push(
              population.serial(device),
              population.account(device),
              System.currentTimeMillis(),
              message.with(round % 100));
        }
      }
      long due = start + TimeUnit.SECONDS.toNanos(chunk + 1) / CHUNKS_PER_SECOND;
      while (System.nanoTime() < due) {
        Thread.sleep(1);
      }
    }
    return null;
  }

  /** Fails if messages are no longer written. */
  void check() {
    if (running.isDone()) {
      running.join();
    }
  }

  @Override
  public void close() {
    over.set(true);
    running.join();
  }
}
