package dev.rote.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.rote.errors.DataException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Runs at once, the memorized fraction in the loop, and times of whole commands, in the report.
class WholeTimesTest {
    private static final String JMH = """
            [{"benchmark":"dev.rote.bench.%s","params":{%s},\
            "primaryMetric":{"scoreUnit":"ms/op","rawData":[[%s]]}}]
            """;
    private static final String STUDY = "\"width\":\"8\",\"precision\":\"bf16\",\"batch\":\"4\",\"optimizer\":\"sgd\"";

    @TempDir
    Path folder;

    /// Sixteen runs take 4 ms a step of each; the peer's one run takes 2 ms, sixteen of them 32 ms.
    @Test
    void runsAtOnceStandBesideThePeersOneAfterAnother() throws Exception {
        write("sweep", JMH.formatted("CudaSweepBench.sweepStep", STUDY + ",\"runs\":\"16\"", "4.0"));
        write("peers", """
                {"benchmark":"training_step","peer":"pytorch","version":"2","shape":"W=8 batch=4 32x32x1",\
                "type":"bf16","setting":"graph","samples":9,"median_ms":2.0,"p10_ms":1.0,"p90_ms":3.0}
                """);
        write(
                "replicas",
                JMH.formatted("CudaSweepBench.sweepStep", STUDY + ",\"runs\":\"16\",\"sharing\":\"replicas\"", "2.0"));
        assertThat(report("jmh=sweep", "jmh=replicas", "peers=peers"))
                .contains(
                        "| 16 runs of W=8 batch=4 32x32x1, one program | bf16 | 8000 | 500 | pytorch 2, graph, one after"
                                + " another | 16.00 |")
                .anyMatch(line -> line.contains("| 32.0 (16.0-48.0) | pytorch 2, graph, one after another | 8.00 |"))
                .contains("| 16 runs of W=8 batch=4 32x32x1 | bf16 | 4000 | 500 | pytorch 2, graph, one after another"
                        + " | 8.00 |");
    }

    @Test
    void theMemorizedFractionIsAShareOfTraining() throws Exception {
        write(
                "metric",
                JMH.formatted("CudaMemorizationBench.memorizedFraction", "\"shape\":\"1000x2048x64\"", "100.0"));
        write("step", JMH.formatted("CudaStepBench.trainingStep", STUDY, "10.0"));
        // 100 / (100 + 10,000 * 10), and 37 * 100 / (37 * 100 + 11,000,000 * 10)
        assertThat(report("jmh=metric", "jmh=step"))
                .contains(
                        "- 1000x2048x64, 100.0 ms, beside steps of W=8 batch=4 32x32x1, 10.00 ms: 0.100 % of the time if"
                                + " measured every 10,000 steps, 0.00336 % of study1/n-sweep with 37 measurements in 11,000,000"
                                + " steps");
        assertThat(MemorizationCost.measurements(1000)).isEqualTo(1);
        assertThat(MemorizationCost.measurements(1292)).isEqualTo(2);
    }

    @Test
    void aCommandsTimeIsAResult() throws Exception {
        write("audit", """
                {"benchmark":"audit","shape":"9 in 9","type":"u8","threads":2,"items":9,"samples":1,"median_ms":3000,\
                "p10_ms":3000,"p90_ms":3000}
                """);
        assertThat(report("ours=audit")).anyMatch(line -> line.startsWith("| audit | 9 in 9 | u8 | 3000.0 "));
        assertThatThrownBy(() -> OwnLine.parse("{}", "test"))
                .isInstanceOf(DataException.class)
                .hasMessageStartingWith("test: expected a time of ours");
    }

    private void write(String name, String text) throws Exception {
        Files.writeString(folder.resolve(name), text);
    }

    /// The lines of the table.
    private List<String> report(String... inputs) throws Exception {
        List<String> arguments = new java.util.ArrayList<>();
        for (String input : inputs) {
            arguments.add(input.replace("=", "=" + folder + "/"));
        }
        arguments.add("json=" + folder.resolve("json"));
        arguments.add("table=" + folder.resolve("table"));
        BenchReport.main(arguments.toArray(String[]::new));
        return Files.readAllLines(folder.resolve("table"));
    }
}
