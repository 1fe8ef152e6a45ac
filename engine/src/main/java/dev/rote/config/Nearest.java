package dev.rote.config;

import java.util.Collection;
import java.util.Comparator;
import java.util.Optional;

/// The known word that a mistyped one most likely stands for.
public final class Nearest {
    private Nearest() {}

    /// The candidate at the smallest edit distance from `word`, ignoring case; empty when none is closer than half
    /// the length of the longer of the two. Ties go to the first candidate.
    public static Optional<String> to(String word, Collection<String> candidates) {
        String key = word.substring(0, Math.min(word.length(), 100)).toLowerCase(java.util.Locale.ROOT);
        return candidates.stream()
                .filter(c ->
                        2 * distance(key, c.toLowerCase(java.util.Locale.ROOT)) < Math.max(key.length(), c.length()))
                .min(Comparator.comparingInt(c -> distance(key, c.toLowerCase(java.util.Locale.ROOT))));
    }

    /// Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b` (optimal string alignment;
    /// Damerau 1964).
    static int distance(String a, String b) {
        var d = new int[a.length() + 1][b.length() + 1];
        for (int i = 0; i <= a.length(); i++) {
            for (int j = 0; j <= b.length(); j++) {
                if (i == 0 || j == 0) {
                    d[i][j] = i + j;
                    continue;
                }
                int replaced = d[i - 1][j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                d[i][j] = Math.min(replaced, Math.min(d[i - 1][j], d[i][j - 1]) + 1);
                if (i > 1 && j > 1 && a.charAt(i - 1) == b.charAt(j - 2) && a.charAt(i - 2) == b.charAt(j - 1)) {
                    d[i][j] = Math.min(d[i][j], d[i - 2][j - 2] + 1);
                }
            }
        }
        return d[a.length()][b.length()];
    }
}
