package dev.rote.device.cuda;

import dev.rote.bindings.cuda.CUlaunchAttributeValue_union;
import dev.rote.bindings.cuda.CUlaunchAttribute_st;
import dev.rote.bindings.cuda.CUlaunchConfig_st;
import dev.rote.bindings.cuda.CudaDriver;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// `cuLaunchKernelEx`, which JCuda lacks: blocks in clusters, and kernels that start before the one before has ended.
final class ExtendedLaunch {
    private ExtendedLaunch() {}

    /// @param early whether it may start while the kernel before it on the stream runs; it waits for that one's end
    // itself
    /// @return a `CUresult`
    static int launch(FunctionHandle function, KernelLaunch launch, StreamHandle stream, boolean early) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment attributes = CUlaunchAttribute_st.allocateArray(2, arena);
            int count = 0;
            if (launch.isInClusters()) {
                inClusters(CUlaunchAttribute_st.asSlice(attributes, count++), launch.cluster());
            }
            if (early) {
                MemorySegment attribute = CUlaunchAttribute_st.asSlice(attributes, count++);
                CUlaunchAttribute_st.id(attribute, CudaDriver.CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION());
                CUlaunchAttributeValue_union.programmaticStreamSerializationAllowed(
                        CUlaunchAttribute_st.value(attribute), 1);
            }
            MemorySegment config = CUlaunchConfig_st.allocate(arena);
            CUlaunchConfig_st.gridDimX(config, launch.grid().x());
            CUlaunchConfig_st.gridDimY(config, launch.grid().y());
            CUlaunchConfig_st.gridDimZ(config, launch.grid().z());
            CUlaunchConfig_st.blockDimX(config, launch.block().x());
            CUlaunchConfig_st.blockDimY(config, launch.block().y());
            CUlaunchConfig_st.blockDimZ(config, launch.block().z());
            CUlaunchConfig_st.sharedMemBytes(config, launch.sharedBytes());
            CUlaunchConfig_st.hStream(config, stream.pointer());
            CUlaunchConfig_st.attrs(config, attributes);
            CUlaunchConfig_st.numAttrs(config, count);
            MemorySegment struct = MemorySegment.ofBuffer(launch.arguments().struct());
            MemorySegment parameters = arena.allocateFrom(ValueLayout.ADDRESS, struct);
            return CudaDriver.cuLaunchKernelEx(config, function.pointer(), parameters, MemorySegment.NULL);
        }
    }

    private static void inClusters(MemorySegment attribute, KernelLaunch.Extent blocks) {
        CUlaunchAttribute_st.id(attribute, CudaDriver.CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION());
        MemorySegment cluster = CUlaunchAttributeValue_union.clusterDim(CUlaunchAttribute_st.value(attribute));
        CUlaunchAttributeValue_union.clusterDim.x(cluster, blocks.x());
        CUlaunchAttributeValue_union.clusterDim.y(cluster, blocks.y());
        CUlaunchAttributeValue_union.clusterDim.z(cluster, blocks.z());
    }
}
