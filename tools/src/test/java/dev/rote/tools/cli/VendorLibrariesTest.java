package dev.rote.tools.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class VendorLibrariesTest {
    @Test
    void theNewestIsNamedWithItsPlaceAndWhatIsMissingAsWell(@TempDir Path folder) throws IOException {
        Path first = Files.createDirectory(folder.resolve("first"));
        Path second = Files.createDirectory(folder.resolve("second"));
        assertThat(VendorLibraries.describe(List.of(first, second))).isEqualTo("cuBLAS not found, cuDNN not found");
        Files.createFile(first.resolve("libcublas.so.12"));
        Path newest = Files.createFile(second.resolve("libcublas.so.13"));
        assertThat(VendorLibraries.describe(List.of(first, second)))
                .isEqualTo("cuBLAS " + newest + ", cuDNN not found");
    }
}
