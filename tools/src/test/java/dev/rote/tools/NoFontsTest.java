package dev.rote.tools;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rote.device.cpu.CpuDevice;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/// A study on a machine without fonts, as servers and containers are: in a process whose fontconfig knows of none.
@EnabledOnOs(OS.LINUX)
class NoFontsTest {
    private static final String STUDY = """
            name = "tiny"
            [data]
            source = "builtin:fashion-mnist"
            size = 8
            gray = true
            test = 8
            [model]
            width = 8
            multipliers = [1, 2]
            [train]
            batch = 4
            steps = 2
            [measure]
            steps = [2]
            samples = 4
            sampler_steps = 2
            noise_draws = 2
            sheets = "last"
            [grid]
            "data.n" = [4, 8]
            """;

    @TempDir
    Path temp;

    @Test
    void picturesAreDrawnWithTheProgramsOwnFont() throws IOException, InterruptedException {
        String said = study(List.of());
        assertThat(said).doesNotContain("left out", "rote:");
        assertThat(temp.resolve("out/report.html")).content().contains("n = 8", "</html>", "data:image/png;base64,");
        assertThat(temp.resolve("out/report.html")).content().doesNotContain("left out");
        assertThat(temp.resolve("out/figures/f_mem_k1_3.png")).exists();
        assertThat(temp.resolve("out/runs/n=8/samples/2-neighbours.png")).exists();
    }

    /// A font configuration given by the user is obeyed; this one leads Java to the fonts that are not there.
    @Test
    void picturesThatCannotBeDrawnAreLeftOutAndNamed() throws IOException, InterruptedException {
        String said = study(List.of("-Dsun.awt.fontconfig=" + temp.resolve("absent")));
        assertThat(said.lines().filter(line -> line.startsWith("rote: ")))
                .singleElement()
                .asString()
                .startsWith("rote: Pictures with text are left out: Java cannot use fonts on this machine (")
                .contains("; install fontconfig, FreeType and a font");
        assertThat(temp.resolve("out/report.html"))
                .content()
                .contains("n = 8", "</html>", "Pictures with text are left out", "install fontconfig")
                .doesNotContain("data:image/png", "has not been written");
        assertThat(temp.resolve("out/figures.csv")).exists();
        assertThat(temp.resolve("out/figures")).doesNotExist();
    }

    /// @return what the study said, after it ended well
    private String study(List<String> options) throws IOException, InterruptedException {
        Path empty = Files.writeString(temp.resolve("fonts.conf"), "<fontconfig></fontconfig>\n");
        Path file = Files.writeString(temp.resolve("tiny.toml"), STUDY);
        Path log = temp.resolve("log");
        List<String> words = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "--add-modules",
                "jdk.incubator.vector",
                "-Duser.home=" + temp, // Java keeps a list of fonts there
                "-Drote.native.cache=" + CpuDevice.libraryFolder()));
        words.addAll(options);
        words.addAll(List.of(
                "-cp",
                System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                Rote.class.getName(),
                "study",
                file.toString(),
                "--out",
                temp.resolve("out").toString(),
                "--jobs",
                "1",
                "--threads",
                "1"));
        ProcessBuilder builder =
                new ProcessBuilder(words).redirectErrorStream(true).redirectOutput(log.toFile());
        builder.environment().put("FONTCONFIG_FILE", empty.toString());
        Process process = builder.start();
        boolean ended = process.waitFor(4, TimeUnit.MINUTES);
        process.destroyForcibly();
        String said = Files.readString(log);
        assertThat(ended).as(said).isTrue();
        assertThat(process.exitValue()).as(said).isZero();
        return said;
    }
}
