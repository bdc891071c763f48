package ecoflow.text;

import java.util.Collection;
import java.util.Comparator;
import java.util.Locale;
import java.util.Optional;

/** The edit distance of names: missing, added, replaced and swapped characters. */
final class Distance {

  private Distance() {}

  static Optional<String> nearest(String name, Collection<String> names, int maxDistance) {
    record Candidate(String name, int distance) {}
    return names.stream()
        .filter(other -> Math.abs(other.length() - name.length()) <= maxDistance)
        .map(other -> new Candidate(other, between(name, other)))
        .filter(candidate -> candidate.distance() <= maxDistance)
        .min(Comparator.comparingInt(Candidate::distance).thenComparing(Candidate::name))
        .map(Candidate::name);
  }

  /** The number of edits between two names, ignoring case. */
  private static int between(String one, String other) {
    String a = one.toLowerCase(Locale.ROOT);
    String b = other.toLowerCase(Locale.ROOT);
    int[][] steps = new int[a.length() + 1][b.length() + 1];
    for (int i = 0; i <= a.length(); i++) {
      for (int j = 0; j <= b.length(); j++) {
        if (i == 0 || j == 0) {
          steps[i][j] = i + j;
          continue;
        }
        boolean isSame = a.charAt(i - 1) == b.charAt(j - 1);
        int minimum = Math.min(steps[i - 1][j], steps[i][j - 1]) + 1;
        minimum = Math.min(minimum, steps[i - 1][j - 1] + (isSame ? 0 : 1));
        if (i > 1
            && j > 1
            && a.charAt(i - 1) == b.charAt(j - 2)
            && a.charAt(i - 2) == b.charAt(j - 1)) {
          minimum = Math.min(minimum, steps[i - 2][j - 2] + 1);
        }
        steps[i][j] = minimum;
      }
    }
    return steps[a.length()][b.length()];
  }
}
