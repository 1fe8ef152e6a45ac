package dev.rote.device.cpu;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;

/// How much memory this process can still take before Linux kills it: the least of what the machine has
/// available and what its control groups leave. Other systems do not say it in files, so there nothing is known.
///
/// | file | what is read |
/// |---|---|
/// | `/proc/meminfo` | `MemAvailable`: free memory and caches that can be given up |
/// | `/proc/self/cgroup` | the group: `0::PATH` (version 2), `N:...memory...:PATH` (version 1) |
/// | `/sys/fs/cgroup/PATH/memory.max`, `.current` | limit and use of a version 2 group and of each above it |
/// | `/sys/fs/cgroup/memory/PATH/memory.limit_in_bytes`, `.usage_in_bytes` | the same in version 1 |
/// | `memory.stat` beside them | `inactive_file`, `total_inactive_file`: caches in that use that can be given up |
final class HostMemory {
    /// Version 1 writes a limit near 2^63 where there is none.
    private static final long NO_LIMIT = 1L << 60;

    private HostMemory() {}

    static OptionalLong free() {
        return free(Path.of("/"));
    }

    /// @param root folder that holds `proc` and `sys`
    static OptionalLong free(Path root) {
        OptionalLong available = field(root.resolve("proc/meminfo"), "MemAvailable:");
        if (available.isEmpty()) {
            return OptionalLong.empty();
        }
        long free = available.getAsLong() * 1024;
        for (String line : lines(root.resolve("proc/self/cgroup"))) {
            String[] parts = line.split(":", 3);
            if (parts.length < 3) {
                continue;
            }
            if (parts[0].equals("0") && parts[1].isEmpty()) {
                free = Math.min(free, left(root.resolve("sys/fs/cgroup"), parts[2], Group.V2));
            } else if (List.of(parts[1].split(",")).contains("memory")) {
                free = Math.min(free, left(root.resolve("sys/fs/cgroup/memory"), parts[2], Group.V1));
            }
        }
        return OptionalLong.of(Math.max(0, free));
    }

    /// File names of a version.
    private enum Group {
        V1("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
        V2("memory.max", "memory.current", "inactive_file");

        private final String limit;
        private final String use;
        private final String cache;

        Group(String limit, String use, String cache) {
            this.limit = limit;
            this.use = use;
            this.cache = cache;
        }
    }

    /// The least that the group and those above it leave. A container sees its own group as the mount itself,
    /// while the path may be the host's: folders that do not exist are passed over.
    private static long left(Path mount, String path, Group group) {
        long least = Long.MAX_VALUE;
        Path folder = mount.resolve(path.replaceFirst("^/+", "")).normalize();
        while (folder != null && folder.startsWith(mount)) {
            OptionalLong limit = number(folder.resolve(group.limit));
            OptionalLong use = number(folder.resolve(group.use));
            if (limit.isPresent() && limit.getAsLong() < NO_LIMIT && use.isPresent()) {
                long cache = field(folder.resolve("memory.stat"), group.cache).orElse(0);
                least = Math.min(least, limit.getAsLong() - Math.max(0, use.getAsLong() - cache));
            }
            folder = folder.getParent();
        }
        return least;
    }

    /// The first line as a number; empty for `max` and where there is no such file.
    private static OptionalLong number(Path file) {
        List<String> lines = lines(file);
        return lines.isEmpty() ? OptionalLong.empty() : parse(lines.getFirst());
    }

    /// The number after a word at the beginning of a line.
    private static OptionalLong field(Path file, String word) {
        for (String line : lines(file)) {
            String[] words = line.strip().split("\\s+");
            if (words.length >= 2 && words[0].equals(word)) {
                return parse(words[1]);
            }
        }
        return OptionalLong.empty();
    }

    private static OptionalLong parse(String text) {
        try {
            return OptionalLong.of(Long.parseLong(text.strip()));
        } catch (NumberFormatException notANumber) {
            return OptionalLong.empty();
        }
    }

    private static List<String> lines(Path file) {
        try {
            return Files.isReadable(file) ? Files.readAllLines(file) : List.of();
        } catch (IOException unreadable) {
            return List.of();
        }
    }
}
