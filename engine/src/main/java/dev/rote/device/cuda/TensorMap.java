package dev.rote.device.cuda;

import dev.rote.bindings.cuda.CUtensorMap_st;
import dev.rote.bindings.cuda.CudaDriver;
import dev.rote.graph.DType;
import dev.rote.graph.Shape;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/// A tensor as the copy engine of compute capability 9.0 sees it: kernels take boxes of it into shared memory, zeros
/// where a box reaches beyond the tensor.
///
/// @param bytes the driver's encoding, 128 bytes, for a kernel's arguments
record TensorMap(byte[] bytes) {
    static final int ALIGNMENT = 64; // of the encoding, in a struct too
    /// Of no tensor, for a kernel that does not look.
    static final TensorMap NONE = new TensorMap(new byte[Math.toIntExact(CUtensorMap_st.sizeof())]);

    /// Encodes a dense tensor of at most five dimensions.
    ///
    /// @param address of the first element, aligned to 16 bytes
    /// @param dims extents, innermost first; all strides but the innermost must be multiples of 16 bytes
    /// @param box extents of a box, innermost first, each at most 256; its innermost row a multiple of 16 bytes
    /// @throws DeviceException if the driver refuses it
    static TensorMap dense(DType type, long address, long[] dims, int[] box) {
        return of(type, address, dims, box, CudaDriver.CU_TENSOR_MAP_SWIZZLE_NONE());
    }

    /// Images in bf16 for `wgmma`, whole or as the pixels of one parity.
    ///
    /// Axes, innermost first: channels (of two neighbours where there are four planes), columns of a plane, parity of
    /// the row, rows of a plane, images.
    ///
    /// @param plane [N,H,W,C]
    /// @param planes 1, or 4: (0,0), (0,1), (1,0), (1,1)
    /// @param box of these axes; its channels have 64 or 128 bytes
    static TensorMap planes(long address, Shape plane, int planes, int[] box) {
        int parities = planes == 4 ? 2 : 1;
        long channels = (long) parities * plane.last();
        long[] dims = {channels, plane.dim(2), parities, plane.dim(1), plane.dim(0)};
        return of(DType.BF16, address, dims, box, swizzle(box[0] * DType.BF16.bytes()));
    }

    /// As [#dense], for `wgmma`: the innermost row of a box has 64 or 128 bytes, and their 16-byte parts change places
    /// (`kernels/common/wgmma_bf16.cuh`).
    static TensorMap swizzled(DType type, long address, long[] dims, int[] box) {
        return of(type, address, dims, box, swizzle(box[0] * type.bytes()));
    }

    private static int swizzle(int rowBytes) {
        return switch (rowBytes) {
            case 64 -> CudaDriver.CU_TENSOR_MAP_SWIZZLE_64B();
            case 128 -> CudaDriver.CU_TENSOR_MAP_SWIZZLE_128B();
            default -> throw new IllegalArgumentException("expected rows of 64 or 128 bytes, found " + rowBytes);
        };
    }

    private static TensorMap of(DType type, long address, long[] dims, int[] box, int swizzle) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment map = arena.allocate(CUtensorMap_st.sizeof(), ALIGNMENT);
            long[] strides = new long[Math.max(1, dims.length - 1)];
            long stride = type.bytes();
            for (int axis = 0; axis + 1 < dims.length; axis++) {
                stride *= dims[axis];
                strides[axis] = stride;
            }
            int[] ones = new int[dims.length];
            Arrays.fill(ones, 1);
            int result = CudaDriver.cuTensorMapEncodeTiled(
                    map,
                    encoded(type),
                    dims.length,
                    MemorySegment.ofAddress(address),
                    arena.allocateFrom(ValueLayout.JAVA_LONG, dims),
                    arena.allocateFrom(ValueLayout.JAVA_LONG, strides),
                    arena.allocateFrom(ValueLayout.JAVA_INT, box),
                    arena.allocateFrom(ValueLayout.JAVA_INT, ones),
                    CudaDriver.CU_TENSOR_MAP_INTERLEAVE_NONE(),
                    swizzle,
                    CudaDriver.CU_TENSOR_MAP_L2_PROMOTION_L2_128B(),
                    CudaDriver.CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE());
            Driver.check(
                    result, "tensor map of " + Arrays.toString(dims) + " " + type + ", box " + Arrays.toString(box));
            return new TensorMap(map.toArray(ValueLayout.JAVA_BYTE));
        }
    }

    private static int encoded(DType type) {
        return switch (type) {
            case F32 -> CudaDriver.CU_TENSOR_MAP_DATA_TYPE_FLOAT32();
            case BF16 -> CudaDriver.CU_TENSOR_MAP_DATA_TYPE_BFLOAT16();
            case I32 -> CudaDriver.CU_TENSOR_MAP_DATA_TYPE_INT32();
            case U8 -> CudaDriver.CU_TENSOR_MAP_DATA_TYPE_UINT8();
        };
    }
}
