package dev.rote.device;

import dev.rote.errors.EnvironmentException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Locale;

/// Native libraries from the class path, unpacked to a cache folder: the system property `rote.native.cache`, else
/// `.cache/rote` in the user's home, else the temporary folder.
///
/// @param library name for messages, such as `oneDNN`
/// @param artifact whose jar holds the files, such as `org.bytedeco:dnnl`
/// @param resources folder on the class path, without a slash at its end
/// @param folder to which the files are unpacked
public record NativeFiles(String library, String artifact, String resources, Path folder) {
    /// The files of a library that the bytedeco presets package.
    ///
    /// @param name of the preset, such as `dnnl`
    public static NativeFiles ofPreset(String library, String name, String version) {
        String platform = platform();
        return new NativeFiles(
                library,
                "org.bytedeco:" + name,
                "/org/bytedeco/" + name + "/" + platform,
                cacheFolder().resolve(name + "-" + version + "-" + platform));
    }

    /// The presets' name of this operating system and machine.
    public static String platform() {
        String os = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        boolean arm = System.getProperty("os.arch").equals("aarch64");
        if (os.contains("linux")) {
            return arm ? "linux-arm64" : "linux-x86_64";
        }
        if (os.contains("mac")) {
            return arm ? "macosx-arm64" : "macosx-x86_64";
        }
        return "windows-x86_64";
    }

    /// The folder that holds all unpacked libraries; it may not exist yet.
    public static Path cacheFolder() {
        String chosen = System.getProperty("rote.native.cache");
        if (chosen != null) {
            return Path.of(chosen);
        }
        Path home = Path.of(System.getProperty("user.home"));
        return Files.isWritable(home)
                ? home.resolve(".cache").resolve("rote")
                : Path.of(System.getProperty("java.io.tmpdir")).resolve("rote");
    }

    /// Whether the class path has this file.
    public boolean has(String file) {
        return NativeFiles.class.getResource(resources + "/" + file) != null;
    }

    /// Where the file lies, after it has been unpacked if it was not there.
    ///
    /// @throws EnvironmentException if it is not on the class path or cannot be written
    public Path unpacked(String file) {
        String resource = resources + "/" + file;
        Path target = folder.resolve(file);
        try (InputStream in = NativeFiles.class.getResourceAsStream(resource)) {
            if (in == null) {
                throw new EnvironmentException(library + ": " + resource
                        + " is not on the class path; is there a build of " + artifact + " for this platform?");
            }
            if (Files.isRegularFile(target)) {
                return target;
            }
            Files.createDirectories(folder);
            // Whole or not at all: another process may be unpacking the same file.
            Path partial = Files.createTempFile(folder, file, ".part");
            Files.copy(in, partial, StandardCopyOption.REPLACE_EXISTING);
            Files.move(partial, target, StandardCopyOption.ATOMIC_MOVE);
            return target;
        } catch (IOException e) {
            throw new EnvironmentException(
                    library + ": cannot unpack " + resource + " to " + target + ": " + e.getMessage(), e);
        }
    }
}
