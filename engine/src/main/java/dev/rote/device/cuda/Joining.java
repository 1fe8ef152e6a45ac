package dev.rote.device.cuda;

import java.util.Arrays;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/// Launches that do the work of several nodes. All are taken where they can be, but for those that the system property
/// `rote.cuda.apart` names, with commas between: to measure what each of them gives.
enum Joining {
    ATTENTION_BLOCK,
    DRAWN_STEM,
    LINEAR_GRADIENTS,
    LOSS_HEAD,
    SKIP_CONVOLUTION;

    private static final String PROPERTY = "rote.cuda.apart";

    /// Those that are taken.
    ///
    /// @throws IllegalArgumentException if the property names another
    static Set<Joining> taken() {
        return taken(System.getProperty(PROPERTY, ""));
    }

    static Set<Joining> taken(String apart) {
        Set<Joining> taken = EnumSet.allOf(Joining.class);
        for (String name : apart.isBlank() ? new String[0] : apart.split(",")) {
            Joining one = Arrays.stream(values())
                    .filter(joining -> joining.name().equals(name.strip()))
                    .findFirst()
                    .orElseThrow(() -> new IllegalArgumentException(
                            PROPERTY + ": expected some of " + Arrays.toString(values()) + ", found " + name));
            taken.remove(one);
        }
        return taken;
    }

    /// The first of some, if it is among those that are taken.
    Optional<Lowered> of(Set<Joining> taken, Supplier<Optional<Lowered>> lowered) {
        return taken.contains(this) ? lowered.get() : Optional.empty();
    }
}
