package ecoflow.text;

import java.util.Optional;

/**
 * The step of a user's route in which a failure occurred. It is attached to the failure as a
 * suppressed exception, because a failure also passes through copies of a message and is wrapped in
 * other exceptions. Without a stack trace.
 */
public final class FailedStep extends RuntimeException {

  private static final long serialVersionUID = 1L;
  private static final int MAX_CAUSES = 20;

  private FailedStep(String location) {
    super(location, null, false, false);
  }

  /**
   * Attaches the location of a step, unless the failure has one: the innermost step comes first.
   *
   * @param location file and line
   */
  public static void record(Throwable failure, String location) {
    if (of(failure).isEmpty()) {
      failure.addSuppressed(new FailedStep(location));
    }
  }

  /** File and line of the step; empty if no step of a user's route failed. */
  public static Optional<String> of(Throwable failure) {
    Throwable cause = failure;
    for (int depth = 0; cause != null && depth < MAX_CAUSES; depth++) {
      for (Throwable suppressed : cause.getSuppressed()) {
        if (suppressed instanceof FailedStep step) {
          return Optional.of(step.getMessage());
        }
      }
      cause = cause.getCause();
    }
    return Optional.empty();
  }

  /** The step with the root cause, as a part of a log line; empty as in {@link #of}. */
  public static Optional<String> describe(Throwable failure) {
    return of(failure).map(step -> "the step at " + step + " failed: " + Lines.root(failure));
  }
}
