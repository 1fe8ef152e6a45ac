package dev.rote.tools.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Properties;

/// Which build of the program this is.
public final class Build {
    private Build() {}

    /// The version number of the build.
    public static String version() {
        var properties = new Properties();
        try (InputStream in = Build.class.getResourceAsStream("/dev/rote/tools/build.properties")) {
            properties.load(in);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return properties.getProperty("version");
    }

    /// The commit that was built, with `-dirty` after it if sources had been changed; `unknown` outside git.
    public static String commit() {
        try (InputStream in = Build.class.getResourceAsStream("/dev/rote/tools/commit.txt")) {
            String text = in == null ? "" : new String(in.readAllBytes(), StandardCharsets.UTF_8).strip();
            return text.matches("[0-9a-f]{7,40}(-dirty)?") ? text : "unknown";
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// What a run records of the program and the machine; it records the device itself.
    public static Map<String, String> recorded() {
        Map<String, String> recorded = new LinkedHashMap<>();
        recorded.put("version", version());
        recorded.put("commit", commit());
        recorded.put("java", Runtime.version().toString());
        recorded.put(
                "os",
                System.getProperty("os.name") + " " + System.getProperty("os.version") + " "
                        + System.getProperty("os.arch"));
        return recorded;
    }
}
