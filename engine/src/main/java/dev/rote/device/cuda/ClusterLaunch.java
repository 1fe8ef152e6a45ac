package dev.rote.device.cuda;

import dev.rote.bindings.cuda.CUlaunchAttributeValue_union;
import dev.rote.bindings.cuda.CUlaunchAttribute_st;
import dev.rote.bindings.cuda.CUlaunchConfig_st;
import dev.rote.bindings.cuda.CudaDriver;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// `cuLaunchKernelEx`, which JCuda lacks: blocks in clusters.
final class ClusterLaunch {
    private ClusterLaunch() {}

    /// @return a `CUresult`
    static int launch(FunctionHandle function, KernelLaunch launch, StreamHandle stream) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment attribute = CUlaunchAttribute_st.allocate(arena);
            CUlaunchAttribute_st.id(attribute, CudaDriver.CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION());
            MemorySegment cluster = CUlaunchAttributeValue_union.clusterDim(CUlaunchAttribute_st.value(attribute));
            CUlaunchAttributeValue_union.clusterDim.x(cluster, launch.cluster().x());
            CUlaunchAttributeValue_union.clusterDim.y(cluster, launch.cluster().y());
            CUlaunchAttributeValue_union.clusterDim.z(cluster, launch.cluster().z());
            MemorySegment config = CUlaunchConfig_st.allocate(arena);
            CUlaunchConfig_st.gridDimX(config, launch.grid().x());
            CUlaunchConfig_st.gridDimY(config, launch.grid().y());
            CUlaunchConfig_st.gridDimZ(config, launch.grid().z());
            CUlaunchConfig_st.blockDimX(config, launch.block().x());
            CUlaunchConfig_st.blockDimY(config, launch.block().y());
            CUlaunchConfig_st.blockDimZ(config, launch.block().z());
            CUlaunchConfig_st.sharedMemBytes(config, launch.sharedBytes());
            CUlaunchConfig_st.hStream(config, stream.pointer());
            CUlaunchConfig_st.attrs(config, attribute);
            CUlaunchConfig_st.numAttrs(config, 1);
            MemorySegment struct = MemorySegment.ofBuffer(launch.arguments().struct());
            MemorySegment parameters = arena.allocateFrom(ValueLayout.ADDRESS, struct);
            return CudaDriver.cuLaunchKernelEx(config, function.pointer(), parameters, MemorySegment.NULL);
        }
    }
}
