package dev.rote.tools;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Compiles and runs the example of embedding, as its reader would.
class EmbedExampleTest {
    @TempDir
    Path temp;

    @Test
    void theExampleTrainsCancelsSavesAndSamples() throws IOException, InterruptedException {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--enable-native-access=ALL-UNNAMED",
                        "--add-modules",
                        "jdk.incubator.vector",
                        "-cp",
                        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                        Path.of("examples", "embed", "Embed.java").toString(),
                        temp.toString())
                .redirectErrorStream(true)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(output)
                .contains("step 6 loss", "cancelled after step 6", "same loss again: true", "sampled 4 images");
        assertThat(process.exitValue()).as(output).isZero();
        assertThat(temp.resolve("checkpoint.safetensors")).exists();
        assertThat(temp.resolve("weights.safetensors")).exists();
    }
}
