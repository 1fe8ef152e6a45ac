package dev.rote.random;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `kernels/common/random.cuh`, compiled by g++, against the Java code: the same bits.
class CudaRandomTest {
    private static final int NORMALS = 200_000;
    private static final int ORDER = 1009;

    /// Writes 32-bit words: for each block four words, two normals, a uniform number and an index; then epochs.
    private static final String PROGRAM = """
            #include "random.cuh"
            #include <stdio.h>
            static void put(uint32_t word) { fwrite(&word, 4, 1, stdout); }
            int main() {
                for (uint32_t block = 0; block < NORMALS; block++) {
                    uint32_t w[4];
                    float c, s;
                    philox(0x123456789abcdef1ull, block + 0xfffffff0ull, block * 7, block % 14, w);
                    for (int i = 0; i < 4; i++) put(w[i]);
                    draw_normals(w[0], w[1], &c, &s);
                    put(RR_BITS(c));
                    put(RR_BITS(s));
                    put(RR_BITS(draw_uniform(w[2])));
                    put(draw_below(w[3], block + 1));
                }
                for (uint32_t epoch = 0; epoch < 3; epoch++) {
                    uint32_t keys[4];
                    philox(77, epoch, 0, 3, keys);
                    for (uint32_t position = 0; position < ORDER; position++) put(epoch_index(position, ORDER, keys));
                }
                return 0;
            }
            """;

    @TempDir
    Path folder;

    @Test
    void theKernelsRandomNumbersHaveTheBitsOfTheJavaCode() throws IOException, InterruptedException {
        ByteBuffer found = compiledAndRun();
        int[] words = new int[4];
        for (int block = 0; block < NORMALS; block++) {
            Philox.words(0x123456789abcdef1L, block + 0xfffffff0L, block * 7, block % 14, words, 0);
            for (int word : words) {
                same(found, block, word);
            }
            same(found, block, Float.floatToRawIntBits(Draw.normalCos(words[0], words[1])));
            same(found, block, Float.floatToRawIntBits(Draw.normalSin(words[0], words[1])));
            same(found, block, Float.floatToRawIntBits(Draw.uniform(words[2])));
            same(found, block, Draw.below(words[3], block + 1));
        }
        for (int position = 0; position < 3 * ORDER; position++) {
            same(found, position, EpochOrder.indexAt(77, position, ORDER));
        }
        assertThat(found.hasRemaining()).isFalse();
    }

    private static void same(ByteBuffer found, int block, int expected) {
        int word = found.getInt();
        if (word != expected) {
            assertThat(word).as("block or position %d", block).isEqualTo(expected);
        }
    }

    private ByteBuffer compiledAndRun() throws IOException, InterruptedException {
        Path header = Path.of("../kernels/common").toAbsolutePath().normalize();
        assertThat(header.resolve("random.cuh")).exists();
        Path source = Files.writeString(folder.resolve("draws.cpp"), PROGRAM);
        Path program = folder.resolve("draws");
        List<String> compiler = List.of(
                "g++",
                "-std=c++17",
                "-O2",
                "-Wall",
                "-Wextra",
                "-Werror",
                "-Wno-unused-function",
                "-ffp-contract=off",
                "-DNORMALS=" + NORMALS,
                "-DORDER=" + ORDER,
                "-I" + header,
                "-o",
                program.toString(),
                source.toString());
        Path log = folder.resolve("log");
        try {
            assertThat(run(compiler, log)).as(() -> text(log)).isZero();
        } catch (IOException noCompiler) {
            abort("no g++ here: " + noCompiler.getMessage());
        }
        Path output = folder.resolve("output");
        assertThat(run(List.of(program.toString()), output)).isZero();
        return ByteBuffer.wrap(Files.readAllBytes(output)).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static String text(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            return e.toString();
        }
    }

    private static int run(List<String> command, Path output) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        assertThat(process.waitFor(2, TimeUnit.MINUTES)).isTrue();
        return process.exitValue();
    }
}
