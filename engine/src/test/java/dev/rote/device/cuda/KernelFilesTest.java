package dev.rote.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// The kernels' sources say what they must, and what was built from them is of these sources.
class KernelFilesTest {
    private static final Path KERNELS = Path.of("../kernels");
    private static final List<String> HEADER =
            List.of("Math", "Shapes", "Layout", "Requires", "Tiling", "Numerics", "Determinism", "Cost", "Reference");
    private static final int LINES = 400;

    static List<Path> files() throws IOException {
        try (Stream<Path> all = Files.list(KERNELS)) {
            return all.filter(file -> file.toString().endsWith(".cu")).sorted().toList();
        }
    }

    @ParameterizedTest
    @MethodSource("files")
    void aHeaderHasItsFieldsInOrder(Path file) throws IOException {
        List<String> lines = Files.readAllLines(file);
        assertThat(lines.getFirst()).startsWith("// " + file.getFileName() + ": ");
        List<String> fields = new ArrayList<>();
        for (String line : lines) {
            if (!line.startsWith("//")) {
                break;
            }
            // A field begins in the first column of the comment and is followed by at least two spaces.
            String[] words = line.substring(2).split("\\s{2,}", 2);
            if (words.length == 2 && HEADER.contains(words[0].strip())) {
                fields.add(words[0].strip());
            }
        }
        assertThat(fields).containsExactlyElementsOf(HEADER);
        assertThat(lines).hasSizeLessThanOrEqualTo(LINES);
    }

    @Test
    void thePrebuiltKernelsAreOfTheseSources() throws Exception {
        assertThat(check("--check")).as("kernels/build.sh --check").isZero();
    }

    /// Registers, shared memory and spills of every kernel on every target, as the compiler gave them.
    @Test
    void theTableOfResourcesIsCompleteAndNoKernelSpills() throws IOException {
        List<String> table = Files.readAllLines(KERNELS.resolve("resources.tsv"));
        TreeSet<String> listed = new TreeSet<>();
        for (String line : table.subList(1, table.size())) {
            String[] cells = line.split("\t");
            listed.add(cells[0] + "\t" + cells[1]);
            assertThat(Integer.parseInt(cells[6]))
                    .as("spilled bytes of %s on %s", cells[0], cells[2])
                    .isZero();
        }
        assertThat(listed)
                .containsExactlyInAnyOrderElementsOf(Files.readAllLines(KERNELS.resolve("prebuilt/index.txt")));
    }

    @Test
    void everyPrebuiltFileIsForEveryTarget() throws IOException {
        TreeSet<String> compiled = new TreeSet<>();
        for (String line : Files.readAllLines(KERNELS.resolve("resources.tsv"))) {
            compiled.add(line.split("\t")[2]);
        }
        compiled.remove("target");
        compiled.add("compute_80");
        for (Path source : files()) {
            String stem = source.getFileName().toString().replace(".cu", ".fatbin");
            assertThat(FatBinary.targets(
                            Files.readAllBytes(KERNELS.resolve("prebuilt").resolve(stem))))
                    .as(stem)
                    .containsExactlyInAnyOrderElementsOf(compiled);
        }
        assertThatThrownBy(() -> FatBinary.targets(new byte[64])).hasMessageContaining("expected a fat binary");
    }

    @Test
    void theStandInHasTheKernelsOfTheIndex() throws IOException {
        Assumptions.assumeTrue(Files.exists(StandInExtension.library()), "no stand-in");
        System.setProperty(StandIn.PROPERTY, StandInExtension.library().toString());
        List<String> indexed = Files.readAllLines(KERNELS.resolve("prebuilt/index.txt")).stream()
                .map(line -> line.split("\t")[0])
                .toList();
        List<String> linked = StandIn.loaded().orElseThrow().layouts().keySet().stream()
                .filter(kernel -> !kernel.startsWith("test_"))
                .toList();
        assertThat(linked).containsExactlyInAnyOrderElementsOf(indexed);
    }

    /// A step that launches a kernel without one would launch it once per replica.
    @Test
    void everyKernelOfAStepHasAnEntryForReplicas() throws IOException {
        TreeSet<String> indexed = new TreeSet<>();
        for (String line : Files.readAllLines(KERNELS.resolve("prebuilt/index.txt"))) {
            indexed.add(line.split("\t")[0]);
        }
        assertThat(indexed)
                .filteredOn(kernel -> !kernel.endsWith("_replicas") && !indexed.contains(kernel + "_replicas"))
                .isNotEmpty()
                .allMatch(kernel -> kernel.startsWith("nearest_") || kernel.startsWith("add_bias_"));
    }

    private static int check(String option) throws IOException, InterruptedException {
        Assumptions.assumeTrue(Files.isExecutable(Path.of("/bin/bash")), "no bash");
        Process process = new ProcessBuilder("bash", KERNELS.resolve("build.sh").toString(), option)
                .inheritIO()
                .start();
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        return process.exitValue();
    }
}
