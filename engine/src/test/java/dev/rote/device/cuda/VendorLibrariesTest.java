package dev.rote.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.rote.errors.EnvironmentException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Where NVIDIA's libraries are looked for, on a file system of its own.
class VendorLibrariesTest {
    @TempDir
    Path root;

    private Path put(String file) throws IOException {
        Path path = root.resolve(file);
        Files.createDirectories(path.getParent());
        return Files.write(path, new byte[0]);
    }

    private VendorLibraries search(Map<String, String> environment) {
        return VendorLibraries.search("", environment, root);
    }

    @Test
    void nothingFoundIsOneSentenceThatSaysWhereItWasLookedFor() {
        assertThat(search(Map.of()).describe()).isEqualTo("cuBLAS not found, cuDNN not found");
        assertThatThrownBy(() -> search(Map.of()).require())
                .isInstanceOf(EnvironmentException.class)
                .hasMessage(
                        "kernels \"vendor\": found no cuBLAS (libcublas.so.13 or libcublas.so.12) and no cuDNN "
                                + "(libcudnn.so.9); looked in ROTE_VENDOR_LIBRARIES (names none), LD_LIBRARY_PATH, the folders "
                                + "of ld.so.conf, /usr/local/cuda*, the folders of the system, nvidia/*/lib of Python's packages");
    }

    @Test
    void oneThatIsMissingIsNamedAlone() throws IOException {
        put("usr/lib/x86_64-linux-gnu/libcublas.so.12");
        assertThatThrownBy(() -> search(Map.of()).require())
                .hasMessageStartingWith("kernels \"vendor\": found no cuDNN (libcudnn.so.9); looked in");
    }

    @Test
    void theNewestCublasIsTakenWhereverItIs() throws IOException {
        put("usr/local/cuda-12.6/lib64/libcublas.so.12");
        Path newest = put("usr/local/cuda-13.0/targets/x86_64-linux/lib/libcublas.so.13");
        assertThat(search(Map.of()).cublas()).contains(newest);
    }

    @Test
    void packagesOfPythonAreFound() throws IOException {
        Path cublas = put("opt/venv/lib/python3.12/site-packages/nvidia/cu13/lib/libcublas.so.13");
        Path cudnn = put("usr/local/lib/python3.12/dist-packages/nvidia/cudnn/lib/libcudnn.so.9");
        assertThat(search(Map.of()).require().describe()).isEqualTo("cuBLAS " + cublas + ", cuDNN " + cudnn);
    }

    @Test
    void packagesOfThePythonOnThePathAreFound() throws IOException {
        put("home/python/bin/python3");
        Path cudnn = put("home/python/lib/python3.13/site-packages/nvidia/cudnn/lib/libcudnn.so.9");
        String path = "/nowhere/bin:" + root.resolve("home/python/bin");
        assertThat(search(Map.of("PATH", path)).cudnn()).contains(cudnn);
    }

    @Test
    void whatIsNamedComesFirstThenTheLibraryPathThenTheLoadersFolders() throws IOException {
        put("etc/ld.so.conf");
        Files.writeString(root.resolve("etc/ld.so.conf"), "include /etc/ld.so.conf.d/*.conf\n");
        put("etc/ld.so.conf.d/cuda.conf");
        Files.writeString(root.resolve("etc/ld.so.conf.d/cuda.conf"), "# CUDA\n/opt/cuda/lib\n");
        Path configured = put("opt/cuda/lib/libcudnn.so.9");
        assertThat(search(Map.of()).cudnn()).contains(configured);
        Path onPath = put("path/libcudnn.so.9");
        Map<String, String> environment = Map.of("LD_LIBRARY_PATH", ":" + onPath.getParent());
        assertThat(search(environment).cudnn()).contains(onPath);
        Path named = put("named/libcudnn.so.9");
        assertThat(VendorLibraries.search(named.getParent().toString(), environment, root)
                        .cudnn())
                .contains(named);
    }
}
