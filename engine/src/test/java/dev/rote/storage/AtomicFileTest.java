package dev.rote.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.rote.errors.EnvironmentException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AtomicFileTest {
    @TempDir
    Path folder;

    @Test
    void aFileIsCreatedAndReplaced() throws IOException {
        Path target = folder.resolve("a.txt");
        AtomicFile.write(target, new byte[] {1, 2, 3});
        AtomicFile.write(target, new byte[] {4});
        assertThat(Files.readAllBytes(target)).containsExactly(4);
        assertThat(names()).containsExactly("a.txt");
    }

    @Test
    void theOldFileIsThereUntilTheNewOneIsComplete() throws IOException {
        Path target = folder.resolve("a.txt");
        AtomicFile.write(target, new byte[] {1});
        AtomicFile.write(target, channel -> {
            channel.write(ByteBuffer.wrap(new byte[] {2, 2}));
            assertThat(Files.readAllBytes(target)).containsExactly(1);
        });
        assertThat(Files.readAllBytes(target)).containsExactly(2, 2);
    }

    @Test
    void aFullDiskLeavesTheOldFileAndNoPartialOne() throws IOException {
        Path target = folder.resolve("a.txt");
        AtomicFile.write(target, new byte[] {1});
        assertThatThrownBy(() -> AtomicFile.write(target, channel -> {
                    channel.write(ByteBuffer.wrap(new byte[] {2}));
                    throw new IOException("No space left on device");
                }))
                .isInstanceOf(EnvironmentException.class)
                .hasMessage(target + ": cannot write the file: no space left on the disk");
        assertThat(Files.readAllBytes(target)).containsExactly(1);
        assertThat(names()).containsExactly("a.txt");
    }

    @Test
    void aFaultOfTheCallerAlsoLeavesNoPartialFile() throws IOException {
        assertThatThrownBy(() -> AtomicFile.write(folder.resolve("a.txt"), channel -> {
                    throw new IllegalStateException("caller");
                }))
                .isInstanceOf(IllegalStateException.class);
        assertThat(names()).isEmpty();
    }

    @Test
    void aPartialFileOfAKilledWriterIsTakenOver() throws IOException {
        Files.write(folder.resolve("a.txt.partial"), new byte[100]);
        AtomicFile.write(folder.resolve("a.txt"), new byte[] {9});
        assertThat(Files.readAllBytes(folder.resolve("a.txt"))).containsExactly(9);
        assertThat(names()).containsExactly("a.txt");
    }

    @Test
    void aMissingFolderIsNamed() {
        assertThatThrownBy(() -> AtomicFile.write(folder.resolve("none/a.txt"), new byte[1]))
                .isInstanceOf(EnvironmentException.class)
                .hasMessageContaining("the folder " + folder.resolve("none") + " does not exist");
    }

    @Test
    void aTargetThatIsAFolderIsRefusedAndKept() throws IOException {
        Path target = Files.createDirectories(folder.resolve("a.txt/inner")).getParent();
        assertThatThrownBy(() -> AtomicFile.write(target, new byte[1])).isInstanceOf(EnvironmentException.class);
        assertThat(names()).containsExactly("a.txt");
        assertThat(target.resolve("inner")).isDirectory();
    }

    @Test
    void failuresOfTheDiskBecomeOneClearSentence() {
        Path path = folder.resolve("x");
        assertThat(DiskFailure.of(path, "write", new AccessDeniedException("x")))
                .hasMessage(path + ": cannot write: permission denied");
        assertThat(DiskFailure.of(path, "write", new IOException("Permission denied")))
                .hasMessageEndingWith("permission denied");
        assertThat(DiskFailure.of(path, "write", new FileSystemException("x", null, "Read-only file system")))
                .hasMessageEndingWith("the file system is read-only");
        assertThat(DiskFailure.of(path, "write", new FileSystemException("x", null, "No space left on device")))
                .hasMessageEndingWith("no space left on the disk");
        assertThat(DiskFailure.of(path, "write", new IOException("Disk quota exceeded")))
                .hasMessageEndingWith("the disk quota is used up");
        assertThat(DiskFailure.of(path, "write", new IOException((String) null)))
                .hasMessageEndingWith("IOException");
    }

    private java.util.List<String> names() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(p -> p.getFileName().toString()).toList();
        }
    }
}
