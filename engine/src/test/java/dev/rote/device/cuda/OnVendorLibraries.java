package dev.rote.device.cuda;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Assumptions;

/// Devices with vendor operations for tests: NVIDIA's libraries on a GPU, their stand-ins (native/standin/vendor) on
/// the stand-in for the driver. Tests are skipped where there are none.
final class OnVendorLibraries {
    private OnVendorLibraries() {}

    /// Names the stand-ins' folder, which nothing but this property makes a process use.
    static void find() {
        if (!AnyDriver.isGpu()) {
            StandInExtension.load();
            Path folder = StandInExtension.library().resolveSibling("vendor");
            Assumptions.assumeTrue(Files.exists(folder), () -> "no stand-ins for NVIDIA's libraries in " + folder);
            System.setProperty(VendorLibraries.PROPERTY, folder.toAbsolutePath().toString());
        }
        VendorLibraries found = VendorLibraries.here();
        Assumptions.assumeTrue(found.cublas().isPresent() && found.cudnn().isPresent(), found.describe());
    }

    /// A device and what it said.
    record Opened(CudaDevice device, List<String> notices) implements AutoCloseable {
        @Override
        public void close() {
            device.close();
        }
    }

    static Opened open(boolean tf32) {
        find();
        List<String> notices = new ArrayList<>();
        return new Opened(CudaDevice.openWithVendor(0, tf32, notices::add), notices);
    }
}
