package dev.rote.measure;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rote.config.RunConfig;
import dev.rote.config.StopConfig;
import dev.rote.measure.StopRule.Check;
import dev.rote.measure.StopRule.Decision;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Random;
import org.junit.jupiter.api.Test;

class StopRuleTest {
    static StopConfig config(String more) {
        return RunConfig.parse("""
                [data]
                source = "given by the test"
                size = 8
                [train]
                steps = 1000000
                [stop]
                rule = "before-memorization"
                """ + more, "test").stop();
    }

    private static Check check(int step, double gap, int copies, int samples) {
        return new Check(step, OptionalDouble.of(gap), OptionalInt.of(copies), samples);
    }

    private static Check unsampled(int step, double gap) {
        return new Check(step, OptionalDouble.of(gap), OptionalInt.empty(), 0);
    }

    /// A run whose fraction passes 1 % at `tau`, as the rule would see it.
    private static List<Check> follow(StopRule rule, StopConfig config, double tau, Random random) {
        List<Check> checks = new ArrayList<>();
        for (int step : config.checks((int) (8 * tau))) {
            OptionalDouble gap = OptionalDouble.of(1 - 1 / (1 + step / (4 * tau)));
            OptionalInt copies = OptionalInt.empty();
            if (rule.generates(checks, gap)) {
                double fraction = 1 / (1 + 99 * Math.pow(step / tau, -3.5));
                copies = OptionalInt.of((int) random.doubles(config.samples())
                        .filter(x -> x < fraction)
                        .count());
            }
            checks.add(new Check(step, gap, copies, copies.isPresent() ? config.samples() : 0));
            if (rule.decide(checks).stop()) {
                return checks;
            }
        }
        throw new AssertionError("never stopped");
    }

    @Test
    void theKeptModelIsFromBeforeAndNotFromLongBefore() {
        StopConfig config = config("");
        StopRule rule = new StopRule(config);
        Random random = new Random(5);
        int early = 0;
        for (int run = 0; run < 60; run++) {
            double tau = 500 * Math.exp(3 * random.nextDouble());
            List<Check> checks = follow(rule, config, tau, random);
            int kept = rule.decide(checks).kept().orElseThrow();
            early += kept < tau ? 1 : 0;
            assertThat(kept / tau).isBetween(0.4, 1.3);
            assertThat(checks.getLast().step() / tau).isBetween(0.7, 2.5);
        }
        assertThat(early).isGreaterThanOrEqualTo(54); // 90 %: the risk is 0.1
    }

    @Test
    void noImagesAreGeneratedBeforeTheLossesPart() {
        StopRule rule = new StopRule(config("split = 0.2\n"));
        assertThat(rule.generates(List.of(), OptionalDouble.of(0.1))).isFalse();
        assertThat(rule.generates(List.of(), OptionalDouble.of(0.2))).isTrue();
        // Once begun it goes on, though the gap be small by chance.
        assertThat(rule.generates(List.of(check(10, 0.3, 0, 64)), OptionalDouble.of(0.1)))
                .isTrue();
        // Without held-out images there is no gap to wait for.
        assertThat(rule.generates(List.of(), OptionalDouble.empty())).isTrue();
    }

    @Test
    void beforeTheLossesPartTheNewestModelIsKept() {
        Decision decision = new StopRule(config("")).decide(List.of(unsampled(10, 0), unsampled(20, 0.01)));
        assertThat(decision).isEqualTo(new Decision(java.util.Optional.empty(), 0, false, OptionalInt.of(20)));
        assertThat(decision.why(20, config("")))
                .isEqualTo("trained to the last step 20: the losses of training and held-out images never parted; "
                        + "kept the model of step 20");
    }

    @Test
    void copiesFromTheFirstCheckOnLeaveNothingToKeep() {
        Decision decision = new StopRule(config("")).decide(List.of(check(50, 0.3, 40, 64), check(100, 0.4, 64, 64)));
        assertThat(decision.stop()).isTrue();
        assertThat(decision.kept()).isEmpty();
        assertThat(decision.why(100, config("")))
                .startsWith("stopped at step 100: a memorized fraction of 1 % was passed near step ")
                .endsWith("; kept none, because every model may have passed it: begin earlier (stop.from)");
    }

    /// Never the other way round in a run, and strictly so in most of ten.
    @Test
    void aLowerRiskKeepsAnOlderModelAndHigherConfidenceStopsLater() {
        StopConfig usual = config("");
        StopConfig sure = config("confidence = 0.9999\n");
        int older = 0;
        int later = 0;
        for (int seed = 0; seed < 10; seed++) {
            List<Check> checks = follow(new StopRule(usual), usual, 2000, new Random(seed));
            int kept = new StopRule(usual).decide(checks).kept().orElseThrow();
            int careful =
                    new StopRule(config("risk = 0.01\n")).decide(checks).kept().orElseThrow();
            int end = checks.getLast().step();
            int sureEnd = follow(new StopRule(sure), sure, 2000, new Random(seed))
                    .getLast()
                    .step();
            assertThat(careful).isLessThanOrEqualTo(kept);
            assertThat(sureEnd).isGreaterThanOrEqualTo(end);
            older += careful < kept ? 1 : 0;
            later += sureEnd > end ? 1 : 0;
        }
        assertThat(older).isGreaterThan(5);
        assertThat(later).isGreaterThan(5);
    }
}
