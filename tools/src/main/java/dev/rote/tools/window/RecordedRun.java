package dev.rote.tools.window;

import dev.rote.config.RunConfig;
import dev.rote.config.StopConfig;
import dev.rote.measure.StopRule;
import dev.rote.metrics.Crossing;
import dev.rote.metrics.Curve;
import dev.rote.metrics.GenerationForecast;
import dev.rote.metrics.GenerationForecast.Known;
import dev.rote.metrics.GenerationTime;
import dev.rote.metrics.TimeScales;
import dev.rote.tools.study.RunRecord;
import dev.rote.tools.study.RunRecord.Measured;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;

/// A run that trained far past its first copies and was measured densely, so that rules for stopping can be judged by
/// it afterwards.
///
/// A rule sees few samples of a measurement, other ones each time; the truth at that step is taken from all others. So
/// no sample is both signal and truth at one step.
///
/// @param config its configuration
/// @param measured its measurements with samples and Fréchet distance
record RecordedRun(RunConfig config, List<Measured> measured) {
    /// The window and the best that can be had in it.
    ///
    /// @param tauMem first step with more copies than the fraction, interpolated
    /// @param tauGen first measured step with a Fréchet distance of at most 1.1 times its minimum before tau_mem
    /// @param tauGenIsLeast the minimum is at the last step before tau_mem: tau_gen may be later
    /// @param tauGenIsMost it is the first measured step: tau_gen may be earlier
    /// @param best that minimum
    record Truth(double tauMem, double tauGen, boolean tauGenIsLeast, boolean tauGenIsMost, double best) {
        boolean tauGenIsExact() {
            return !tauGenIsLeast && !tauGenIsMost;
        }

        /// On one side only; what may be both earlier and later is no bound.
        boolean tauGenIsBound() {
            return tauGenIsLeast != tauGenIsMost;
        }

        /// tau_gen of a run with `n` images; empty where it may be both earlier and later.
        Optional<GenerationForecast.Point> generation(int n) {
            if (tauGenIsLeast && tauGenIsMost) {
                return Optional.empty();
            }
            Known known = tauGenIsLeast ? Known.AT_LEAST : tauGenIsMost ? Known.AT_MOST : Known.EXACT;
            return Optional.of(new GenerationForecast.Point(n, tauGen, known));
        }

        /// Whether the window is wider than [GenerationForecast#OPEN]; empty where tau_gen is a bound that leaves
        /// it open.
        Optional<Boolean> open() {
            boolean wide = tauMem / tauGen >= GenerationForecast.OPEN;
            return (wide ? tauGenIsLeast : tauGenIsMost) ? Optional.empty() : Optional.of(wide);
        }
    }

    static RecordedRun read(Path folder) {
        RunConfig config = RunConfig.read(folder.resolve("run.toml"));
        List<Measured> measured = RunRecord.read(folder).measurements().stream()
                .filter(at ->
                        at.step() > 0 && at.ratios().length > 0 && at.frechet().isPresent())
                .toList();
        return new RecordedRun(config, measured);
    }

    int n() {
        return config.data().n();
    }

    /// What happened; empty unless copies began between two measurements.
    ///
    /// @param fraction of copies that ends the window
    /// @param taken samples a check takes
    Optional<Truth> truth(double fraction, int taken) {
        if (measured.isEmpty()) {
            return Optional.empty();
        }
        double[] shares = new double[measured.size()];
        Arrays.setAll(shares, i -> share(i, taken, false));
        Optional<Crossing> crossing = TimeScales.crossing(Curve.of(steps(), shares), fraction);
        if (crossing.isEmpty() || crossing.get().censored()) {
            return Optional.empty();
        }
        double tauMem = crossing.get().step();
        Curve frechet = Curve.of(
                steps(),
                measured.stream().mapToDouble(at -> at.frechet().get().value()).toArray());
        GenerationTime found = TimeScales.generation(frechet, OptionalDouble.of(tauMem), TimeScales.GENERATION_FACTOR)
                .orElseThrow();
        boolean first = found.step() == measured.getFirst().step();
        return Optional.of(new Truth(tauMem, found.step(), found.minimumIsLast(), first, found.minimum()));
    }

    /// tau_mem / tau_gen; 0 if the window is not known.
    double width(StopConfig stop) {
        return truth(stop.fraction(), stop.samples())
                .map(truth -> truth.tauMem() / truth.tauGen())
                .orElse(0.0);
    }

    /// Those whose window is at least [GenerationForecast#OPEN] wide.
    static List<RecordedRun> open(List<RecordedRun> runs, StopConfig stop) {
        return runs.stream()
                .filter(run -> run.width(stop) >= GenerationForecast.OPEN)
                .toList();
    }

    double[] steps() {
        return measured.stream().mapToDouble(Measured::step).toArray();
    }

    /// Fréchet distance at a measured step.
    double frechet(int step) {
        return measured.stream()
                .filter(at -> at.step() == step)
                .mapToDouble(at -> at.frechet().get().value())
                .findFirst()
                .orElseThrow();
    }

    /// Share of copies at a measured step, of samples that the check there did not see.
    double copies(int step, int taken) {
        for (int i = 0; i < measured.size(); i++) {
            if (measured.get(i).step() == step) {
                return share(i, taken, false);
            }
        }
        throw new IllegalArgumentException("step " + step + " was not measured");
    }

    /// The checks that a rule would have made at the measured steps.
    List<StopRule.Check> checks(StopConfig stop) {
        StopRule rule = new StopRule(stop);
        List<StopRule.Check> checks = new ArrayList<>();
        for (int i = 0; i < measured.size(); i++) {
            OptionalDouble gap = gap(measured.get(i), stop.lossTime());
            OptionalInt copies = OptionalInt.empty();
            int samples = 0;
            if (rule.generates(checks, gap)) {
                samples = stop.samples();
                copies = OptionalInt.of((int) Math.round(share(i, samples, true) * samples));
            }
            checks.add(new StopRule.Check(measured.get(i).step(), gap, copies, samples));
        }
        return checks;
    }

    private static OptionalDouble gap(Measured at, double time) {
        RunRecord.Estimate test = at.test().get(time);
        return test == null
                ? OptionalDouble.empty()
                : OptionalDouble.of((test.value() - at.train().get(time).value()) / test.value());
    }

    /// Share of copies among the samples that check `i` takes, or among all others.
    private double share(int i, int taken, boolean seen) {
        double[] ratios = measured.get(i).ratios();
        int groups = ratios.length / taken;
        if (groups < 2) {
            throw new IllegalArgumentException("expected at least " + 2 * taken
                    + " samples a measurement, half of them for the check, found " + ratios.length);
        }
        int from = i % groups * taken;
        double k = config.measure().k().getFirst();
        int copies = 0;
        int count = 0;
        for (int j = 0; j < ratios.length; j++) {
            boolean inside = j >= from && j < from + taken;
            if (inside == seen) {
                count++;
                copies += ratios[j] < k ? 1 : 0;
            }
        }
        return (double) copies / count;
    }
}
