package dev.rote.device.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

class HostMemoryTest {
    private static final long MEGABYTE = 1_000_000;

    @TempDir
    Path root;

    @BeforeEach
    void aMachineWith8Gigabytes() throws IOException {
        write("proc/meminfo", "MemTotal:       9000000 kB\nMemFree:  100 kB\nMemAvailable:    8000000 kB\n");
    }

    private void write(String path, String text) throws IOException {
        Path file = root.resolve(path);
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
    }

    @Test
    void withoutGroupsTheMachineDecides() {
        assertThat(HostMemory.free(root)).hasValue(8_000_000L * 1024);
    }

    @Test
    void otherSystemsSayNothing() throws IOException {
        Files.delete(root.resolve("proc/meminfo"));
        assertThat(HostMemory.free(root)).isEmpty();
    }

    @Test
    void aVersion2GroupAndThoseAboveItLimit() throws IOException {
        write("proc/self/cgroup", "0::/slice/job\n");
        write("sys/fs/cgroup/slice/job/memory.max", "max\n");
        write("sys/fs/cgroup/slice/job/memory.current", "1000000\n");
        assertThat(HostMemory.free(root)).hasValue(8_000_000L * 1024);
        write("sys/fs/cgroup/slice/memory.max", 500 * MEGABYTE + "\n");
        write("sys/fs/cgroup/slice/memory.current", 300 * MEGABYTE + "\n");
        assertThat(HostMemory.free(root)).hasValue(200 * MEGABYTE);
        write("sys/fs/cgroup/slice/memory.stat", "anon 7\ninactive_file " + 50 * MEGABYTE + "\n");
        assertThat(HostMemory.free(root)).hasValue(250 * MEGABYTE);
        write("sys/fs/cgroup/slice/job/memory.max", "1\n");
        assertThat(HostMemory.free(root)).hasValue(0);
    }

    @Test
    void aContainerSeesItsGroupAsTheMount() throws IOException {
        write("proc/self/cgroup", "0::/not/here\n");
        write("sys/fs/cgroup/memory.max", 400 * MEGABYTE + "\n");
        write("sys/fs/cgroup/memory.current", 100 * MEGABYTE + "\n");
        assertThat(HostMemory.free(root)).hasValue(300 * MEGABYTE);
    }

    @Test
    void aVersion1GroupLimits() throws IOException {
        write("proc/self/cgroup", "5:cpu:/\n4:memory:/job\n0::/\n");
        write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
        write("sys/fs/cgroup/memory/memory.usage_in_bytes", "12345\n");
        write("sys/fs/cgroup/memory/job/memory.limit_in_bytes", 600 * MEGABYTE + "\n");
        write("sys/fs/cgroup/memory/job/memory.usage_in_bytes", 500 * MEGABYTE + "\n");
        write("sys/fs/cgroup/memory/job/memory.stat", "inactive_file 1\ntotal_inactive_file " + MEGABYTE + "\n");
        assertThat(HostMemory.free(root)).hasValue(101 * MEGABYTE);
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void thisMachineHasSome() {
        assertThat(HostMemory.free().orElseThrow()).isBetween(MEGABYTE, 1L << 50);
    }
}
