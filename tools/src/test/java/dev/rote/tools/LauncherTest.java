package dev.rote.tools;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/// Runs a copy of the launcher in a folder of its own, with a JDK and a Maven that only say how they were called.
@DisabledOnOs(OS.WINDOWS)
class LauncherTest {
    private static final List<String> COMMANDS = List.of(
            "sed",
            "head",
            "tr",
            "env",
            "dirname",
            "readlink",
            "cat",
            "find",
            "mkdir",
            "rm",
            "rmdir",
            "touch",
            "sleep",
            "cp",
            "mv");

    @TempDir
    Path folder;

    private Path root;
    private Path bin;
    private Path jdks;

    private record Result(int exit, String out, String err) {}

    @BeforeEach
    void layOut() throws IOException {
        folder = folder.toRealPath();
        root = Files.createDirectories(folder.resolve("a checkout"));
        jdks = Files.createDirectories(folder.resolve("jdks"));
        bin = Files.createDirectories(folder.resolve("bin"));
        Files.copy(Path.of("..", "rote"), root.resolve("rote"));
        Files.writeString(Files.createDirectories(root.resolve("engine/src")).resolve("A.java"), "class A {}");
        for (String command : COMMANDS) {
            Path real = Files.exists(Path.of("/usr/bin", command))
                    ? Path.of("/usr/bin", command)
                    : Path.of("/bin", command);
            script(bin.resolve(command), "exec " + real + " \"$@\"");
        }
    }

    private static Path script(Path file, String text) throws IOException {
        Files.createDirectories(file.getParent());
        Files.writeString(file, "#!/bin/sh\n" + text + "\n");
        assertThat(file.toFile().setExecutable(true)).isTrue();
        return file;
    }

    private Path jdk(String name, String version) throws IOException {
        Path home = jdks.resolve(name);
        script(home.resolve("bin/javac"), "exit 0");
        script(
                home.resolve("bin/java"),
                "echo \"" + name + "\"; for each in \"$@\"; do echo \"[$each]\"; done; exit 7");
        Files.writeString(home.resolve("release"), "IMPLEMENTOR=\"x\"\nJAVA_VERSION=\"" + version + "\"\n");
        return home;
    }

    private void maven(String before) throws IOException {
        script(
                bin.resolve("mvn"),
                before + "\necho \"$JAVA_HOME $*\" >> builds\nmkdir -p tools/target/lib\n: > tools/target/rote.jar");
    }

    private List<String> builds() throws IOException {
        Path file = root.resolve("builds");
        return Files.exists(file) ? Files.readAllLines(file) : List.of();
    }

    private Process start(Map<String, String> environment, List<String> command) throws IOException {
        var builder = new ProcessBuilder(command).directory(folder.toFile());
        builder.environment().clear();
        builder.environment().putAll(Map.of("PATH", bin.toString(), "HOME", folder.toString()));
        builder.environment().put("ROTE_JDK_FOLDERS", jdks.toString());
        builder.environment().putAll(environment);
        return builder.start();
    }

    private static Result result(Process process) throws IOException, InterruptedException {
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        String err = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        return new Result(process.exitValue(), out, err);
    }

    private Result rote(Map<String, String> environment, String... arguments) throws IOException, InterruptedException {
        var command = new ArrayList<>(List.of(root.resolve("rote").toString()));
        command.addAll(List.of(arguments));
        return result(start(environment, command));
    }

    @Test
    void argumentsAndExitStatusPassThrough() throws Exception {
        jdk("jdk25", "25.0.3");
        maven("");
        Result result = rote(Map.of("ROTE_JAVA_OPTS", "-Xmx1g -Da=b"), "study", "a b", "", "*");
        assertThat(result.exit()).isEqualTo(7);
        assertThat(result.out().lines())
                .startsWith(
                        "jdk25", "[--enable-native-access=ALL-UNNAMED]", "[--add-modules]", "[jdk.incubator.vector]")
                .containsSequence("[-Xmx1g]", "[-Da=b]", "[-cp]")
                .endsWith("[dev.rote.tools.Rote]", "[study]", "[a b]", "[]", "[*]");
        assertThat(result.err()).isEqualTo("building rote (first use) ...\n");
    }

    @Test
    void theNamedJdkWinsAndOlderOnesAreSkipped() throws Exception {
        Path named = jdk("named", "26");
        Path home = jdk("home", "25");
        Path old = jdk("old", "17.0.1");
        Map<String, String> print = Map.of("ROTE_PRINT", "jdk", "JAVA_HOME", home.toString());
        assertThat(rote(print).out().strip()).isEqualTo(home.toString());
        assertThat(rote(Map.of("ROTE_PRINT", "jdk", "JAVA_HOME", old.toString(), "JAVA26_HOME", named.toString()))
                        .out()
                        .strip())
                .isEqualTo(named.toString());
        var both = new HashMap<>(print);
        both.put("ROTE_JAVA_HOME", named.toString());
        assertThat(rote(both).out().strip()).isEqualTo(named.toString());
    }

    @Test
    void theJavaOnThePathIsFoundThroughLinks() throws Exception {
        Path home = jdk("real", "25");
        Files.createSymbolicLink(bin.resolve("java"), home.resolve("bin/java"));
        assertThat(rote(Map.of("ROTE_PRINT", "jdk", "ROTE_JDK_FOLDERS", "/nowhere"))
                        .out()
                        .strip())
                .isEqualTo(home.toString());
    }

    @Test
    void aJdkWithoutAReleaseFileIsAskedForItsVersion() throws Exception {
        Path home = jdk("bare", "25");
        Files.delete(home.resolve("release"));
        script(home.resolve("bin/java"), "echo 'openjdk version \"25.0.1\" 2026-01-01' >&2");
        assertThat(rote(Map.of("ROTE_PRINT", "jdk")).out().strip()).isEqualTo(home.toString());
    }

    @Test
    void noFittingJdkIsOneSentenceAndStatusThree() throws Exception {
        jdk("old", "17.0.1");
        Path runtimeOnly = jdk("runtime", "25");
        Files.delete(runtimeOnly.resolve("bin/javac"));
        Result none = rote(Map.of());
        assertThat(none.exit()).isEqualTo(3);
        assertThat(none.err())
                .startsWith("rote: needs a JDK 25 or newer and found none: install one")
                .hasLineCount(1);
        Result named = rote(Map.of("ROTE_JAVA_HOME", jdks.resolve("old").toString()));
        assertThat(named.exit()).isEqualTo(3);
        assertThat(named.err())
                .endsWith("/old, which is not a JDK 25 or newer\n")
                .hasLineCount(1);
    }

    @Test
    void itStartsThroughLinksFromAnyFolder() throws Exception {
        jdk("jdk25", "25");
        maven("");
        Path first = Files.createSymbolicLink(folder.resolve("first"), Path.of("a checkout", "rote"));
        Path second = Files.createSymbolicLink(bin.resolve("second"), first);
        Result result = result(start(Map.of(), List.of(second.toString(), "doctor")));
        assertThat(result.out()).contains("[" + root + "/tools/target/rote.jar:" + root + "/tools/target/lib/*]");
    }

    @Test
    void itBuildsOnceAndAgainWhenASourceIsNewer() throws Exception {
        Path home = jdk("jdk25", "25");
        maven("");
        rote(Map.of());
        assertThat(rote(Map.of()).err()).isEmpty();
        assertThat(builds()).hasSize(1);
        assertThat(builds().getFirst())
                .startsWith(home + " ")
                .contains("package")
                .contains("-Dspotless.check.skip=true");
        FileTime later = FileTime.from(Instant.now().plusSeconds(5));
        Path test = Files.writeString(
                Files.createDirectories(root.resolve("engine/src/test")).resolve("T.java"), "");
        Files.setLastModifiedTime(test, later);
        assertThat(rote(Map.of()).err()).as("a test changed").isEmpty();
        Files.setLastModifiedTime(root.resolve("engine/src/A.java"), later);
        assertThat(rote(Map.of()).err()).isEqualTo("building rote (sources have changed) ...\n");
        assertThat(builds()).hasSize(2);
    }

    /// A study may run for days while somebody changes a source and starts another command.
    @Test
    void aBuildLeavesTheFilesOfARunningProgramAlone() throws Exception {
        jdk("jdk25", "25");
        maven("echo new > tools/target/lib/rote-engine.jar 2> /dev/null");
        rote(Map.of());
        Path jar = Files.writeString(root.resolve("tools/target/rote.jar"), "old program");
        Path engine = Files.writeString(root.resolve("tools/target/lib/rote-engine.jar"), "old engine");
        try (var program = Files.newInputStream(jar);
                var library = Files.newInputStream(engine)) {
            Files.setLastModifiedTime(
                    root.resolve("engine/src/A.java"),
                    FileTime.from(Instant.now().plusSeconds(60)));
            rote(Map.of());
            assertThat(builds()).hasSize(2);
            assertThat(engine).hasContent("new");
            assertThat(program).hasContent("old program");
            assertThat(library).hasContent("old engine");
        }
        assertThat(root.resolve("tools/target/lib")).isDirectoryNotContaining("glob:**.new");
    }

    @Test
    void firstUsesAtTheSameTimeBuildOnce() throws Exception {
        jdk("jdk25", "25");
        maven("sleep 1");
        var started = new ArrayList<Process>();
        for (int i = 0; i < 4; i++) {
            started.add(start(Map.of(), List.of(root.resolve("rote").toString())));
        }
        for (Process process : started) {
            assertThat(result(process).exit()).isEqualTo(7);
        }
        assertThat(builds()).hasSize(1);
        assertThat(root.resolve("target/rote-build.lock")).doesNotExist();
    }

    @Test
    void theLockOfAProcessThatEndedIsTakenAway() throws Exception {
        jdk("jdk25", "25");
        maven("");
        Path lock = Files.createDirectories(root.resolve("target/rote-build.lock"));
        Process ended = start(Map.of(), List.of(bin.resolve("rm").toString(), "-f", "nothing"));
        ended.waitFor();
        Files.writeString(lock.resolve("pid"), ended.pid() + "\n");
        Result result = rote(Map.of());
        assertThat(result.exit()).isEqualTo(7);
        assertThat(result.err()).startsWith("waiting for another build of rote");
        assertThat(builds()).hasSize(1);
    }

    @Test
    void theOutputOfAFailedBuildIsShown() throws Exception {
        jdk("jdk25", "25");
        maven("echo 'A.java:1: broken'; exit 1");
        Result result = rote(Map.of());
        assertThat(result.exit()).isEqualTo(3);
        assertThat(result.err()).contains("A.java:1: broken").contains("rote: the build failed");
        assertThat(root.resolve("target/rote-build.lock")).doesNotExist();
    }

    @Test
    void withoutMavenThereIsOneSentence() throws Exception {
        jdk("jdk25", "25");
        Result result = rote(Map.of());
        assertThat(result.exit()).isEqualTo(3);
        assertThat(result.err())
                .startsWith("rote: must be built")
                .contains("install Apache Maven")
                .hasLineCount(1);
    }
}
