package dev.rote.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.rote.errors.DeviceException;
import java.nio.file.Path;
import java.util.Arrays;
import jcuda.Pointer;
import jcuda.driver.CUevent;
import jcuda.driver.CUgraph;
import jcuda.driver.CUgraphExec;
import jcuda.driver.CUresult;
import jcuda.driver.CUstreamCaptureMode;
import jcuda.driver.JCudaDriver;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The stand-in for the driver keeps the driver's rules, and what is wrong shows.
@ExtendWith(StandInExtension.class)
class StandInTest {
    private static final int NON_BLOCKING = 1;

    private final StandIn standIn = StandIn.loaded().orElseThrow();
    private final StreamHandle first = new StreamHandle();
    private final StreamHandle second = new StreamHandle();
    private Kernels kernels;

    @BeforeEach
    void open() {
        kernels = new Kernels(new KernelImage());
        JCudaDriver.cuStreamCreate(first, NON_BLOCKING);
        JCudaDriver.cuStreamCreate(second, NON_BLOCKING);
        kernels.prepare(KernelLaunch.perElement(
                "test_step",
                1,
                new Arguments() // loaded before any capture
                        .pointer("x", 0)
                        .pointer("y", 0)
                        .i64("n", 0)
                        .f32("factor", 0)));
    }

    @AfterEach
    void close() {
        JCudaDriver.cuStreamDestroy(first);
        JCudaDriver.cuStreamDestroy(second);
        kernels.close();
    }

    @Test
    void aLaunchReachesEveryElementAndNoOther() {
        DeviceAddress x = floats(ramp(1000));
        DeviceAddress y = floats(new float[1001]);
        launch("test_scale", 4, 256, 0, arguments(x, y, 1000, 3));
        float[] found = read(y, 1001);
        for (int i = 0; i < 1000; i++) {
            assertThat(found[i]).isEqualTo(3f * i);
        }
        assertThat(found[1000]).isZero();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void blocksAddTheirElementsInBothOrders(boolean descending) {
        standIn.descending(descending);
        DeviceAddress x = floats(ramp(3000));
        DeviceAddress y = floats(new float[3]);
        launch("test_block_sum", 3, 1024, 0, arguments(x, y, 3000, 0));
        assertThat(read(y, 3)).containsExactly(523_776f, 1_572_352f, 2_402_372f);
    }

    @Test
    void aBarrierThatIsMissingShows() {
        DeviceAddress x = floats(ramp(256));
        DeviceAddress y = floats(new float[256]);
        launch("test_reverse", 1, 256, 1024, arguments(x, y, 256, 1));
        float[] right = read(y, 256);
        assertThat(right[0]).isEqualTo(255);
        assertThat(right[255]).isZero();
        launch("test_reverse", 1, 256, 1024, arguments(x, y, 256, 0));
        assertThat(read(y, 256)).isNotEqualTo(right);
    }

    @Test
    void aDeadlockNamesKernelBlockAndThreadAndTheDeviceIsLost() {
        DeviceAddress x = floats(ramp(64));
        DeviceAddress y = floats(new float[64]);
        Arguments arguments = arguments(x, y, 64, 0);
        assertThatThrownBy(() -> launch("test_deadlock", 2, 64, 0, arguments))
                .isInstanceOf(DeviceException.class)
                .hasMessageContaining("CUDA_ERROR_LAUNCH_FAILED")
                .hasMessageContaining("test_deadlock: deadlock: __syncthreads")
                .hasMessageContaining("block (1,0,0), thread (32,0,0)");
        assertThat(JCudaDriver.cuCtxSynchronize()).isEqualTo(CUresult.CUDA_ERROR_LAUNCH_FAILED);
    }

    @Test
    void aShuffleThatALaneMissesIsAFault() {
        DeviceAddress x = floats(ramp(64));
        Arguments arguments = arguments(x, floats(new float[64]), 64, 1);
        assertThatThrownBy(() -> launch("test_deadlock", 1, 64, 0, arguments)).hasMessageContaining("__shfl_sync");
    }

    @Test
    void aBlockThatWritesBehindItsSharedMemoryIsAFault() {
        DeviceAddress x = floats(ramp(32));
        launch("test_shared_overrun", 1, 32, 128, arguments(x, x, 32, 0));
        assertThatThrownBy(() -> launch("test_shared_overrun", 1, 32, 128, arguments(x, x, 32, 1)))
                .hasMessageContaining(
                        "test_shared_overrun: writes behind its 128 bytes of shared memory, block (0,0,0)");
    }

    @Test
    void lanesThatMeetInDifferentOperationsAreAFault() {
        DeviceAddress x = floats(ramp(32));
        DeviceAddress y = floats(new float[32]);
        Arguments arguments = arguments(x, y, 32, 0);
        assertThatThrownBy(() -> launch("test_divergence", 1, 32, 0, arguments))
                .hasMessageContaining("meet in different warp operations");
    }

    @Test
    void moreThreadsThanTheKernelPromisesAreRefused() {
        DeviceAddress x = floats(ramp(64));
        Arguments arguments = arguments(x, x, 64, 0);
        assertThatThrownBy(() -> launch("test_scale", 1, 512, 0, arguments))
                .hasMessageContaining("launch of test_scale with grid 1x1x1, block 512x1x1")
                .hasMessageContaining("CUDA_ERROR_INVALID_VALUE");
    }

    @Test
    void argumentsThatAreNotTheKernelsAreOurFault() {
        Arguments swapped =
                new Arguments().pointer("y", 0).pointer("x", 0).i64("n", 0).f32("factor", 0);
        assertThatThrownBy(() -> launch("test_scale", 1, 32, 0, swapped))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("x:0:8:p");
    }

    @Test
    void aKernelThatIsNotThereIsNamed() {
        assertThatThrownBy(() -> launch("no_such_kernel", 1, 32, 0, new Arguments()))
                .hasMessageContaining("no_such_kernel")
                .hasMessageContaining("CUDA_ERROR_NOT_FOUND");
    }

    @Test
    void asynchronousCopiesArriveAtTheWaitAndNotBefore() {
        DeviceAddress x = floats(ramp(128));
        DeviceAddress y = floats(new float[128]);
        launch("test_async_copy", 1, 128, 512, arguments(x, y, 100, 1));
        float[] right = read(y, 128);
        assertThat(right[99]).isEqualTo(99);
        assertThat(right[100]).isZero(); // not valid, so zero and never read
        launch("test_async_copy", 1, 128, 512, arguments(x, y, 100, 0));
        assertThat(read(y, 128)[5]).isNaN();
    }

    @Test
    void matrixProductsOfAWarpFollowTheFragmentsOfTheInstructionSet() {
        float[] a = ramp(256);
        float[] b = ramp(128);
        DeviceAddress y = floats(new float[128]);
        DeviceAddress z = floats(new float[128]);
        for (int i = 0; i < 256; i++) {
            a[i] = (i * 37 % 61 - 30) / 16f; // exact in bf16
        }
        for (int i = 0; i < 128; i++) {
            b[i] = (i * 53 % 47 - 23) / 16f;
        }
        Arguments arguments = new Arguments()
                .pointer("a_matrix", shorts(a).value())
                .pointer("b_matrix", shorts(b).value())
                .pointer("x", floats(Arrays.copyOf(a, 128)).value())
                .pointer("w", floats(Arrays.copyOf(b, 64)).value())
                .pointer("y", y.value())
                .pointer("z", z.value());
        launch("test_products", 1, 32, 0, arguments);
        assertThat(read(y, 128)).containsExactly(product(a, b, 16));
        assertThat(read(z, 128)).containsExactly(product(a, b, 8));
    }

    @Test
    void aWriteBehindTheEndIsFoundWhenTheMemoryIsReleased() {
        DeviceAddress y = floats(new float[100]);
        launch("test_overrun", 1, 32, 0, arguments(y, y, 100, 2));
        assertThat(JCudaDriver.cuMemFree(y)).isEqualTo(CUresult.CUDA_ERROR_ILLEGAL_ADDRESS);
        assertThat(standIn.fault()).contains("4 bytes behind the end of an allocation of 400 bytes");
    }

    @Test
    void memoryRunsOut() {
        standIn.set("memory", 4096);
        assertThat(JCudaDriver.cuMemAlloc(new DeviceAddress(), 4097)).isEqualTo(CUresult.CUDA_ERROR_OUT_OF_MEMORY);
        assertThat(JCudaDriver.cuMemAlloc(new DeviceAddress(), 4096)).isEqualTo(CUresult.CUDA_SUCCESS);
    }

    @Test
    void injectedFailuresComeOnce() {
        standIn.fail("cuMemAlloc", 1, CUresult.CUDA_ERROR_OUT_OF_MEMORY);
        assertThat(JCudaDriver.cuMemAlloc(new DeviceAddress(), 4)).isEqualTo(CUresult.CUDA_SUCCESS);
        assertThat(JCudaDriver.cuMemAlloc(new DeviceAddress(), 4)).isEqualTo(CUresult.CUDA_ERROR_OUT_OF_MEMORY);
        assertThat(JCudaDriver.cuMemAlloc(new DeviceAddress(), 4)).isEqualTo(CUresult.CUDA_SUCCESS);
    }

    /// x = 1: y = 2 y + 1 on one stream, then y = 3 y + 1 on the other, from y = 1.
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aStreamWaitsForAnEventOfAnother(boolean descending) {
        standIn.descending(descending);
        DeviceAddress x = floats(new float[] {1});
        DeviceAddress y = floats(new float[] {1});
        step(x, y, 2, first);
        order(first, second);
        step(x, y, 3, second);
        JCudaDriver.cuCtxSynchronize();
        assertThat(read(y, 1)[0]).isEqualTo(10);
    }

    @Test
    void aWaitThatIsMissingBetweenStreamsShowsInOneOfTheOrders() {
        float[] found = new float[2];
        for (boolean descending : new boolean[] {false, true}) {
            standIn.descending(descending);
            DeviceAddress x = floats(new float[] {1});
            DeviceAddress y = floats(new float[] {1});
            step(x, y, 2, first);
            step(x, y, 3, second);
            JCudaDriver.cuCtxSynchronize();
            found[descending ? 1 : 0] = read(y, 1)[0];
        }
        assertThat(found).containsExactly(10, 9);
    }

    @Test
    void aCapturedGraphOfTwoStreamsRepeats() {
        DeviceAddress x = floats(new float[] {1});
        DeviceAddress y = floats(new float[] {1});
        capture(first);
        step(x, y, 2, first);
        order(first, second);
        step(x, y, 3, second);
        order(second, first);
        CUgraphExec graph = instantiate(endCapture(first));
        assertThat(read(y, 1)[0]).as("nothing runs while it is captured").isEqualTo(1);
        for (int i = 0; i < 2; i++) {
            Driver.check(JCudaDriver.cuGraphLaunch(graph, first), "cuGraphLaunch");
        }
        synchronize(first);
        assertThat(read(y, 1)[0]).isEqualTo(64); // (1 -> 3 -> 10 -> 21 -> 64)
        JCudaDriver.cuGraphExecDestroy(graph);
    }

    @Test
    void aCaptureThatAnotherStreamHasNotJoinedAgainIsRefused() {
        DeviceAddress x = floats(new float[] {1});
        capture(first);
        step(x, x, 2, first);
        order(first, second);
        step(x, x, 3, second);
        CUgraph graph = new CUgraph();
        assertThat(JCudaDriver.cuStreamEndCapture(first, graph)).isEqualTo(CUresult.CUDA_ERROR_STREAM_CAPTURE_UNJOINED);
    }

    @Test
    void allocatingAndSynchronisingWhileCapturingAreRefused() {
        capture(first);
        int expected = CUresult.CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
        assertThat(JCudaDriver.cuMemAlloc(new DeviceAddress(), 4)).isEqualTo(expected);
        assertThat(JCudaDriver.cuStreamSynchronize(first)).isEqualTo(expected);
        JCudaDriver.cuGraphDestroy(endCapture(first));
    }

    @Test
    void aRecordIsRepeatedUnderAddressSanitizer(@TempDir Path folder) throws Exception {
        Path record = folder.resolve("good");
        standIn.record(record);
        DeviceAddress x = floats(ramp(100));
        launch("test_scale", 1, 128, 0, arguments(x, floats(new float[100]), 100, 2));
        standIn.stopRecording();
        assertThat(StandInExtension.replay(record)).contains("status 0", "replay: 1 launches");

        Path wrong = folder.resolve("wrong");
        standIn.record(wrong);
        DeviceAddress y = floats(new float[100]);
        launch("test_overrun", 1, 32, 0, arguments(y, y, 100, 1));
        standIn.stopRecording();
        assertThat(StandInExtension.replay(wrong))
                .contains("heap-buffer-overflow", "tests.cu")
                .doesNotContain("status 0");
    }

    private void step(DeviceAddress x, DeviceAddress y, float factor, StreamHandle stream) {
        KernelLaunch launch = KernelLaunch.perElement("test_step", 1, arguments(x, y, 1, factor));
        kernels.prepare(launch);
        kernels.launch(launch, stream);
    }

    private static void order(StreamHandle before, StreamHandle after) {
        CUevent event = new CUevent();
        Driver.check(JCudaDriver.cuEventCreate(event, 0), "cuEventCreate");
        Driver.check(JCudaDriver.cuEventRecord(event, before), "cuEventRecord");
        Driver.check(JCudaDriver.cuStreamWaitEvent(after, event, 0), "cuStreamWaitEvent");
        JCudaDriver.cuEventDestroy(event);
    }

    private static void capture(StreamHandle stream) {
        int mode = CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_GLOBAL;
        Driver.check(JCudaDriver.cuStreamBeginCapture(stream, mode), "cuStreamBeginCapture");
    }

    private static CUgraph endCapture(StreamHandle stream) {
        CUgraph graph = new CUgraph();
        Driver.check(JCudaDriver.cuStreamEndCapture(stream, graph), "cuStreamEndCapture");
        return graph;
    }

    private static CUgraphExec instantiate(CUgraph graph) {
        CUgraphExec executable = new CUgraphExec();
        Driver.check(JCudaDriver.cuGraphInstantiate(executable, graph, 0), "cuGraphInstantiate");
        JCudaDriver.cuGraphDestroy(graph);
        return executable;
    }

    private void launch(String kernel, int blocks, int threads, int sharedBytes, Arguments arguments) {
        KernelLaunch launch = new KernelLaunch(
                kernel, KernelLaunch.Extent.of(blocks), KernelLaunch.Extent.of(threads), sharedBytes, arguments);
        kernels.prepare(launch);
        kernels.launch(launch, first);
        synchronize(first);
    }

    private static void synchronize(StreamHandle stream) {
        Driver.check(JCudaDriver.cuStreamSynchronize(stream), "cuStreamSynchronize");
    }

    private static Arguments arguments(DeviceAddress x, DeviceAddress y, long n, float factor) {
        return new Arguments()
                .pointer("x", x.value())
                .pointer("y", y.value())
                .i64("n", n)
                .f32("factor", factor);
    }

    private static DeviceAddress allocate(long bytes) {
        DeviceAddress address = new DeviceAddress();
        Driver.check(JCudaDriver.cuMemAlloc(address, bytes), "cuMemAlloc");
        return address;
    }

    private static DeviceAddress floats(float[] values) {
        DeviceAddress address = allocate(4L * values.length);
        Driver.check(JCudaDriver.cuMemcpyHtoD(address, Pointer.to(values), 4L * values.length), "cuMemcpyHtoD");
        return address;
    }

    /// As bf16, of values that are exact in it.
    private static DeviceAddress shorts(float[] values) {
        short[] bits = new short[values.length];
        for (int i = 0; i < values.length; i++) {
            bits[i] = (short) (Float.floatToRawIntBits(values[i]) >>> 16);
        }
        DeviceAddress address = allocate(2L * values.length);
        Driver.check(JCudaDriver.cuMemcpyHtoD(address, Pointer.to(bits), 2L * values.length), "cuMemcpyHtoD");
        return address;
    }

    private static float[] read(DeviceAddress address, int count) {
        float[] values = new float[count];
        Driver.check(JCudaDriver.cuMemcpyDtoH(Pointer.to(values), address, 4L * count), "cuMemcpyDtoH");
        return values;
    }

    private static float[] ramp(int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = i;
        }
        return values;
    }

    /// [16,depth] times [depth,8], rows packed.
    private static float[] product(float[] a, float[] b, int depth) {
        float[] y = new float[128];
        for (int row = 0; row < 16; row++) {
            for (int column = 0; column < 8; column++) {
                for (int k = 0; k < depth; k++) {
                    y[8 * row + column] += a[depth * row + k] * b[8 * k + column];
                }
            }
        }
        return y;
    }
}
