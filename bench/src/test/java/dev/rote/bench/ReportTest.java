package dev.rote.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.rote.device.cpu.CpuDevice;
import dev.rote.errors.DataException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Operations of a step: listed, timed, read back, and laid beside the peers.
class ReportTest {
    private static final Case CONVOLUTION = new Case("conv2d", "4x8x8x16 to 32 k3 s1", "bf16");

    @Test
    void everyOperationOfAStepIsListedWithItsCount() {
        Study study = new Study(8, "bf16", 2, "adam");
        try (CpuDevice device = CpuDevice.open(1);
                var images = Study.images()) {
            var graph = study.plan(device, images).graph();
            List<OperationCase> cases = OperationCase.of(graph, "bf16");
            assertThat(cases.stream().mapToInt(OperationCase::count).sum())
                    .isEqualTo(graph.nodes().size() - 2); // all but the sums over lanes
            assertThat(cases.stream().flatMap(one -> one.peer().stream()).map(PeerCase::benchmark))
                    .contains("conv2d", "conv2d_backward_weight", "linear", "group_norm_silu", "attention_backward");
        }
    }

    @Test
    void aTimedOperationAgreesWithItsDefinition() {
        Study study = new Study(8, "f32", 2, "sgd");
        try (CpuDevice device = CpuDevice.open(1);
                var images = Study.images()) {
            for (OperationCase one : OperationCase.of(study.plan(device, images).graph(), "f32")) {
                if (one.peer().isPresent() && one.count() > 1) {
                    try (TimedOperation operation = new TimedOperation(device, one, 0)) {
                        operation.time(1e-4);
                        assertThat(operation.check()).as(one.timed().toString()).isTrue();
                    }
                }
            }
        }
    }

    @Test
    void resultsAreReadAsTheyWereWritten() {
        OperationResult result =
                new OperationResult(CONVOLUTION, 4, 160, new Timing(0.25, 0.2, 0.5, 12), 1000, 2000, 0.1, true);
        assertThat(OperationResult.parse(result.json() + "\n", "test")).containsExactly(result);
        assertThatThrownBy(() -> OperationResult.parse("{}", "test")).isInstanceOf(DataException.class);
    }

    @Test
    void timesOfVendorKernelsAreReadAsThoseOfAPeer() {
        OperationResult result =
                new OperationResult(CONVOLUTION, 4, 160, new Timing(0.25, 0.2, 0.5, 12), 1000, 2000, 0.1, true);
        String device = "cuda: GPU, products and convolutions by cuBLAS 13.1.0, cuDNN 9.24.0";
        String line = new VendorTimes(device).line(dev.rote.graph.Conv2d.same(3), result);
        assertThat(OperationResult.parse(line, "test")).containsExactly(result);
        Peer peer = Peer.parse(line, "test").getFirst();
        assertThat(peer.timed()).isEqualTo(CONVOLUTION);
        assertThat(peer.name()).isEqualTo("cuDNN");
        assertThat(peer.version()).isEqualTo("cuBLAS 13.1.0, cuDNN 9.24.0");
        assertThat(peer.timing()).isEqualTo(result.timing());
    }

    @Test
    void theFastestPeerStandsBesideTheOperation(@TempDir Path folder) throws Exception {
        OperationResult result =
                new OperationResult(CONVOLUTION, 4, 160, new Timing(0.25, 0.2, 0.5, 12), 1000, 2000, 0.1, true);
        Files.writeString(folder.resolve("ops"), result.json());
        String peer = """
                {"benchmark":"conv2d","peer":"PyTorch","version":"2","shape":"4x8x8x16 to 32 k3 s1","type":"bf16",\
                "setting":"%s","samples":9,"median_ms":%s,"p10_ms":0.3,"p90_ms":0.9}
                """;
        Files.writeString(folder.resolve("peers"), peer.formatted("slow", "0.75") + peer.formatted("fast", "0.5"));
        BenchReport.main(new String[] {
            "operations=" + folder.resolve("ops"),
            "peers=" + folder.resolve("peers"),
            "json=" + folder.resolve("json"),
            "table=" + folder.resolve("gpu.md"),
            "title=GPU results",
            "device=a GPU"
        });
        assertThat(Files.readString(folder.resolve("gpu.md")))
                .startsWith("# GPU results")
                .contains("| 0.5000 (0.3000-0.9000) | PyTorch 2, fast | 2.00 |");
        assertThat(Files.readString(folder.resolve("json"))).contains("\"peer_over_ours\" : 2.0", "\"count\" : 4");
    }

    @Test
    void aSearchHasItsShareOfTheRooflineAndOfCertifiedQueries(@TempDir Path folder) throws Exception {
        String search = """
                [{"benchmark":"dev.rote.bench.NearestNeighbourBench.nearestNeighbours","params":{"device":"%s",\
                "shape":"10000x10000x7900","threads":"1","type":"%s"},\
                "primaryMetric":{"scoreUnit":"ms/op","rawData":[[4.0]]}}]
                """;
        Files.writeString(folder.resolve("f32"), search.formatted("cuda", "f32"));
        Files.writeString(folder.resolve("u8"), search.formatted("cuda", "u8"));
        Files.writeString(folder.resolve("cpu"), search.formatted("cpu", "f32"));
        Files.writeString(
                folder.resolve("log"),
                "Iteration 1:\n" + SearchNotes.line("10000x10000x7900", "f32", "cuda", 9975, 10000));
        Files.writeString(folder.resolve("wrong"), """
                a warning
                {"wrong_answers":"addmm","type":"tf32","shape":"1000x32768x1024","noise":0.02,"wrong_first":0.0,\
                "wrong_second":0.025,"wrong_distance":0.996,"worst_distance":0.2219}
                """);
        BenchReport.main(new String[] {
            "jmh=" + folder.resolve("f32"),
            "jmh=" + folder.resolve("u8"),
            "jmh=" + folder.resolve("cpu"),
            "log=" + folder.resolve("log"),
            "wrong=" + folder.resolve("wrong"),
            "json=" + folder.resolve("json"),
            "table=" + folder.resolve("table")
        });
        // 2 * 10^8 * 7900 flop take 2 ms at 790 TFLOP/s, 1 ms at twice that
        assertThat(Files.readAllLines(folder.resolve("table")))
                .anyMatch(line -> line.endsWith("| 50 % | 99.75 % |") && line.contains("| f32 |"))
                .anyMatch(line -> line.endsWith("| 25 % | - |") && line.contains("| u8 |"))
                .anyMatch(line -> line.endsWith("| - | - |") && line.contains("| f32 |"))
                .contains("| addmm | 1000x32768x1024 | tf32 | 0.02 | 0.0 % | 2.5 % | 99.6 % | 0.22 |");
        assertThat(Files.readString(folder.resolve("json")))
                .contains("\"certified\" : 0.9975", "\"floor_ms\" : 2.0", "\"wrong_second\" : 0.025");
    }

    /// Few operations for many bytes: reading bounds the search.
    @Test
    void theRooflineOfAFewQueriesIsReading() {
        SearchResult search = SearchNotes.of(new Ceiling(4), List.of()).search("1x999999x4", "f32", "cuda");
        assertThat(search.floorMs()).hasValue(1e6 * 4 * 4 / 4e12 * 1e3);
        assertThatThrownBy(() -> WrongAnswers.parse("{}", "test"))
                .isInstanceOf(DataException.class)
                .hasMessageStartingWith("test: expected a count of wrong answers");
    }
}
