package dev.rote.tools.report;

import dev.rote.tools.report.Quantity.MemorizedFraction;

/// A rule that reads one time scale off a run's curves. The rules themselves are in Bonnaire et al. 2025,
/// arXiv:2505.17638, section 2; the report repeats them for its reader.
public sealed interface Clock {
    /// The ratio of the papers' headline numbers.
    double PAPER_K = 1.0 / 3;

    /// The name in files.
    String key();

    /// The name on an axis or in a table.
    String label();

    /// First step at which the Fréchet distance is within 10 % of its minimum.
    record TauGen() implements Clock {
        @Override
        public String key() {
            return "tau_gen";
        }

        @Override
        public String label() {
            return "τ_gen";
        }
    }

    /// Step at which f_mem(k) crosses `threshold` (a share in (0, 1)), interpolated in log tau.
    record TauMem(double threshold, double k) implements Clock {
        public TauMem {
            if (!(threshold > 0 && threshold < 1)) {
                throw new IllegalArgumentException("threshold must lie in (0, 1), is " + threshold);
            }
            MemorizedFraction.requireRatio(k);
        }

        @Override
        public String key() {
            return "tau_mem[" + Digits.plain(100 * threshold) + "%,k=" + Digits.ratio(k) + "]";
        }

        @Override
        public String label() {
            return "τ_mem (" + Digits.plain(100 * threshold) + " %)" + suffix(k);
        }
    }

    /// First measured step with f_mem(k) above zero.
    record FirstCopy(double k) implements Clock {
        public FirstCopy {
            MemorizedFraction.requireRatio(k);
        }

        @Override
        public String key() {
            return "tau_first_copy[k=" + Digits.ratio(k) + "]";
        }

        @Override
        public String label() {
            return "first copy" + suffix(k);
        }
    }

    /// Step at which f_mem(k), divided by its last value, crosses `level`: where the paper's normalised curves rise. A
    /// run that was stopped earlier is divided by less, so it is only to be compared among runs of like tau / n.
    record NormalizedRise(double level, double k) implements Clock {
        public NormalizedRise {
            MemorizedFraction.requireRatio(k);
        }

        @Override
        public String key() {
            return "tau_rise[" + Digits.plain(100 * level) + "%,k=" + Digits.ratio(k) + "]";
        }

        @Override
        public String label() {
            return "rise of normalised f_mem (" + Digits.plain(100 * level) + " %)" + suffix(k);
        }
    }

    /// Step at which the running median of the Fréchet distance, or of `kl`, falls to its plateau
    /// ([dev.rote.metrics.GenerationPlateau]).
    record Plateau() implements Clock {
        @Override
        public String key() {
            return "tau_gen_plateau";
        }

        @Override
        public String label() {
            return "τ_gen (plateau)";
        }
    }

    /// Step at which `kl` is first within `nats` of 0 before tau_mem: the generation time of data with a known density
    /// ([dev.rote.metrics.DivergenceTimes#fall]).
    record TauKl(double nats) implements Clock {
        @Override
        public String key() {
            return "tau_kl[" + Digits.plain(nats) + "]";
        }

        @Override
        public String label() {
            return "τ_KL (" + level(nats) + ")";
        }
    }

    /// Step from which on `kl` is more than `nats` from 0 to the end ([dev.rote.metrics.DivergenceTimes#rise]).
    record KlRise(double nats) implements Clock {
        @Override
        public String key() {
            return "tau_kl_rise[" + Digits.plain(nats) + "]";
        }

        @Override
        public String label() {
            return "KL rises (" + level(nats) + ")";
        }
    }

    /// Step at which train and test loss at diffusion time `t` part.
    record LossSplit(double t) implements Clock {
        @Override
        public String key() {
            return "tau_loss_split@" + Digits.plain(t);
        }

        @Override
        public String label() {
            return "loss split (t = " + Digits.plain(t) + ")";
        }
    }

    /// `1 nat`
    static String level(double nats) {
        return Digits.plain(nats) + (nats == 1 ? " nat" : " nats");
    }

    private static String suffix(double k) {
        return Math.abs(k - PAPER_K) < 1e-9 ? "" : ", k = " + Digits.ratio(k);
    }
}
