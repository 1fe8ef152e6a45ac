package dev.rote.device.cuda;

import dev.rote.errors.EnvironmentException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/// The compiled kernels: one fat binary per `.cu` file, and an index that says which file a kernel is in. Or the
/// stand-in, which has all kernels linked in.
final class KernelImage {
    private static final String FOLDER = "/dev/rote/kernels/";
    private static final byte[] STAND_IN = {0x50, (byte) 0xed, 0x55, (byte) 0xba, 0, 0, 0, 0};
    private static final String ALL = "all";

    private final Map<String, String> files = new HashMap<>();
    private final boolean standIn = StandIn.loaded().isPresent();

    /// @throws EnvironmentException if this build has no kernels
    KernelImage() {
        if (!standIn) {
            new String(read("index.txt"), StandardCharsets.UTF_8).lines().forEach(line -> {
                String[] words = line.split("\t");
                files.put(words[0], words[1]);
            });
        }
    }

    /// Name of the file that holds the kernel.
    ///
    /// @throws EnvironmentException if this build has no such kernel
    String fileOf(String kernel) {
        String file = standIn ? ALL : files.get(kernel);
        if (file == null) {
            throw new EnvironmentException("device \"cuda\": this build has no kernel " + kernel);
        }
        return file;
    }

    /// Whether this build has the kernel.
    boolean has(String kernel) {
        return standIn ? StandIn.loaded().orElseThrow().layouts().containsKey(kernel) : files.containsKey(kernel);
    }

    /// The image of a file, for the driver.
    byte[] load(String file) {
        return standIn ? STAND_IN.clone() : read(file + ".fatbin");
    }

    /// How many kernels there are and what for, as `303 kernels for sm_80, sm_90a and compute_80`.
    ///
    /// @throws EnvironmentException if this build has no kernels
    String describe() {
        if (standIn) {
            return "those linked into the stand-in";
        }
        Set<String> targets = new TreeSet<>();
        new TreeSet<>(files.values()).forEach(file -> targets.addAll(FatBinary.targets(load(file))));
        return files.size() + " kernels for " + String.join(", ", targets);
    }

    private static byte[] read(String name) {
        try (InputStream in = KernelImage.class.getResourceAsStream(FOLDER + name)) {
            if (in == null) {
                throw new EnvironmentException("device \"cuda\": this build has no compiled kernels (" + name
                        + " is missing): build it where nvcc is, see kernels/README.md");
            }
            return in.readAllBytes();
        } catch (IOException e) {
            throw new EnvironmentException("device \"cuda\": cannot read " + name + ": " + e.getMessage(), e);
        }
    }
}
