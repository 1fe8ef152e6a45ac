package dev.rote.tools.window;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.groups.Tuple.tuple;

import dev.rote.config.StopConfig;
import dev.rote.tools.study.RunRecord;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

class JudgementTest {
    private static final StopConfig STOP =
            Recorded.config(16, 0).with("stop.rule", "before-memorization").stop();

    private static List<RecordedRun> runs() {
        List<RecordedRun> runs = new ArrayList<>();
        for (int n : new int[] {32, 64, 128}) {
            for (int seed = 0; seed < 8; seed++) {
                runs.add(Recorded.run(n, seed));
            }
        }
        return runs;
    }

    private record Fixed(double share) implements java.util.function.Function<RecordedRun, OptionalInt> {
        @Override
        public OptionalInt apply(RecordedRun run) {
            double limit = share * Recorded.TAU_PER_IMAGE * run.n();
            return run.measured().stream()
                    .mapToInt(at -> at.step())
                    .filter(step -> step <= limit)
                    .max();
        }
    }

    @Test
    void theTruthIsWhatTheRunWasMadeWith() {
        RecordedRun.Truth truth = Recorded.run(128, 3).truth(0.01, 64).orElseThrow();
        assertThat(truth.tauMem()).isBetween(0.7 * 2560, 1.35 * 2560);
        // 1.1 times the floor: exp(-step / 20) <= 1e-3, at 138; the next measured step
        assertThat(truth.tauGen()).isBetween(138.0, 138 * Math.pow(10, 1 / 14.0));
        assertThat(truth.best()).isCloseTo(1, within(0.01));
        assertThat(truth.tauGenIsExact()).isTrue();
        // at n = 16 copies come while the distance still falls
        RecordedRun.Truth soon = Recorded.run(16, 3).truth(0.01, 64).orElseThrow();
        assertThat(soon.tauGenIsLeast()).isTrue();
        assertThat(soon.tauGenIsBound()).isTrue();
    }

    @Test
    void ratesStopsInsideBeforeAndAfter() {
        List<RecordedRun> runs = runs();
        Judgement good = Judgement.of(new Rule.BeforeMemorization(STOP), runs, STOP);
        assertThat(good.runs()).isEqualTo(24);
        assertThat(good.inside().value()).isGreaterThan(0.8);
        assertThat(good.inside().hits() + good.early() + good.late() + good.unstopped())
                .isEqualTo(24);
        assertThat(good.position().orElseThrow()).isBetween(0.55, 1.0);
        assertThat(good.overshoot().orElseThrow()).isBetween(1.0, 2.0);
        // 32 images a batch: 20 epochs are 20 n / 32 steps, at most 80: before anything is good
        Judgement early = Judgement.of(new Rule.Epochs(20), runs, STOP);
        assertThat(early.early()).isEqualTo(24);
        assertThat(early.loss().orElseThrow()).isGreaterThan(5);
        // 1,000 epochs are 31 n steps, tau_mem is 20 n
        Judgement late = Judgement.of(new Rule.Epochs(1000), runs, STOP);
        assertThat(late.late()).isGreaterThan(20);
        assertThat(late.copies().orElseThrow()).isGreaterThan(0.02);
        Judgement never = Judgement.of(new Rule.Epochs(1_000_000), runs, STOP);
        assertThat(never.unstopped()).isEqualTo(24);
        assertThat(never.inside().hits()).isZero();
    }

    @Test
    void patienceKeepsTheBestAndNeedsThreeWithoutABetter() {
        RecordedRun run = Recorded.run(64, 1);
        // The gap only grows: the test loss is constant, so the first is never beaten.
        Rule.Minimum flat = new Rule.Minimum("flat", at -> at.test().get(0.01).value(), 0);
        Rule.Outcome outcome = flat.apply(run).orElseThrow();
        assertThat(outcome.kept())
                .isEqualTo(OptionalInt.of(run.measured().getFirst().step()));
        assertThat(outcome.stopped()).isEqualTo(run.measured().get(3).step());
        Rule.Minimum falling = new Rule.Minimum("falling", at -> -at.step(), 0);
        assertThat(falling.apply(run)).isEqualTo(Optional.empty());
    }

    /// 2 % less at each measurement: 5.9 % within the three that patience has.
    @Test
    void aPlateauDependsOnTheMarginThatIsAskedFor() {
        RecordedRun run = Recorded.run(64, 1);
        List<RunRecord.Measured> falling = new ArrayList<>();
        for (RunRecord.Measured at : run.measured()) {
            Map<Double, RunRecord.Estimate> train = Map.of(0.01, Recorded.exact(Math.pow(0.98, falling.size())));
            falling.add(new RunRecord.Measured(
                    at.step(),
                    at.samples(),
                    at.fractions(),
                    at.ratios(),
                    at.frechet(),
                    at.features(),
                    train,
                    at.test(),
                    at.scores()));
        }
        List<RecordedRun> runs = List.of(new RecordedRun(run.config(), falling));
        List<Judgement> plateaus = Judgement.merged(Rule.all(STOP).stream()
                .filter(rule -> rule.name().startsWith("train loss plateau"))
                .map(rule -> Judgement.of(rule, runs, STOP))
                .toList());
        assertThat(plateaus)
                .extracting(Judgement::rule, Judgement::unstopped)
                .containsExactly(tuple("train loss plateau, 1 %, 5 %", 1), tuple("train loss plateau, 10 %", 0));
    }

    @Test
    void aCheckAndTheTruthShareNoSample() {
        RecordedRun run = Recorded.run(64, 2);
        int step = run.measured().getLast().step();
        int seen = run.checks(STOP).getLast().copies().orElseThrow();
        long all = java.util.Arrays.stream(run.measured().getLast().ratios())
                .filter(ratio -> ratio < 1.0 / 3)
                .count();
        double others = run.copies(step, STOP.samples()) * (Recorded.SAMPLES - STOP.samples());
        assertThat(seen + Math.round(others)).isEqualTo(all);
    }

    @Test
    void tooFewSamplesAreRefused() {
        assertThatThrownBy(() -> Recorded.run(32, 0).truth(0.01, 400))
                .hasMessageContaining("expected at least 800 samples a measurement");
    }

    @Test
    void fixedShareOfTheTruthIsInside() {
        int inside = 0;
        for (RecordedRun run : runs()) {
            RecordedRun.Truth truth = run.truth(0.01, 64).orElseThrow();
            int step = new Fixed(0.6).apply(run).orElseThrow();
            inside += step >= truth.tauGen() && step <= truth.tauMem() ? 1 : 0;
        }
        assertThat(inside).isGreaterThan(20);
    }
}
