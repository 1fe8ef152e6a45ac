package dev.rote.device.cuda;

import dev.rote.device.Buffer;
import dev.rote.device.Owned;
import dev.rote.graph.DType;
import java.lang.foreign.MemorySegment;

/// Room for vectors as the scan wants them (`kernels/common/nearest.cuh`): the values themselves, their centred bf16 or
/// 8-bit part and the terms of their bounds. Filled as often as wanted.
final class NearestVectors implements AutoCloseable {
    private static final int TILE_BYTES = 128; // of depth
    private static final int STEP_BYTES = 64; // of depth, what a scan takes at a time
    private static final int TERM_BYTES = 16;
    private static final int SPLIT_THREADS = 128;

    /// Rows, values per row, and their type.
    ///
    /// @param capacity a multiple of the scan's tile
    record Form(int capacity, int dimension, DType type) {
        int valueBytes() {
            return type == DType.U8 ? 1 : 2;
        }

        int depthBytes() {
            return Math.ceilDiv(dimension * valueBytes(), TILE_BYTES) * TILE_BYTES;
        }

        int steps() {
            return depthBytes() / STEP_BYTES;
        }

        /// Of one vector on the device.
        long rowBytes() {
            return (long) dimension * type.bytes() + depthBytes() + TERM_BYTES + Double.BYTES;
        }
    }

    private final Owned owned;
    private final CudaDevice device;
    private final Form form;
    private final CudaBuffer values;
    private final CudaBuffer hi;
    private final CudaBuffer terms;
    private final CudaBuffer base;
    private long valuesAddress;
    private int count;

    static NearestVectors open(CudaDevice device, String owner, Form form) {
        return Owned.opening(owned -> new NearestVectors(owned, device, owner, form));
    }

    private NearestVectors(Owned owned, CudaDevice device, String owner, Form form) {
        this.owned = owned;
        this.device = device;
        this.form = form;
        long rows = form.capacity();
        this.values = bytes(owner, rows * form.dimension() * form.type().bytes());
        this.hi = bytes(owner, rows * form.depthBytes());
        this.terms = bytes(owner, rows * TERM_BYTES);
        this.base = bytes(owner, rows * Double.BYTES);
    }

    private CudaBuffer bytes(String owner, long bytes) {
        return owned.add((CudaBuffer) device.allocate(owner, DType.U8, bytes), Buffer::close);
    }

    Form form() {
        return form;
    }

    /// Vectors that are there.
    int count() {
        return count;
    }

    /// `count` rounded up to whole tiles.
    int padded(int tile) {
        return Math.ceilDiv(count, tile) * tile;
    }

    /// Takes over vectors from host memory.
    void upload(MemorySegment rows, int vectors) {
        values.write(0, rows);
        valuesAddress = values.address();
        count = vectors;
    }

    /// Vectors that lie on the device already and stay there while they are used.
    void borrow(long address, int vectors) {
        valuesAddress = address;
        count = vectors;
    }

    /// Centres and splits what is there.
    ///
    /// @param centre of f32 vectors
    /// @param invalid address of a counter of vectors that are not finite
    /// @param tile of the scan: so many vectors are prepared together, the last ones with nothing in them
    void split(CudaBuffer centre, long invalid, int tile) {
        boolean pixels = form.type() == DType.U8;
        Arguments arguments = new Arguments()
                .pointer("v", valuesAddress)
                .pointer("centre", pixels ? 0 : centre.address())
                .pointer("hi", hi.address())
                .pointer("terms", terms.address())
                .pointer("base", base.address())
                .pointer("invalid", invalid)
                .i64("rows", count)
                .i32("d", form.dimension())
                .i32("depth_bytes", form.depthBytes());
        String kernel = pixels ? "nearest_split_u8" : "nearest_split_f32";
        device.launch(KernelLaunch.blocks(kernel, padded(tile), SPLIT_THREADS, arguments));
    }

    /// The vectors as they came.
    long valuesAddress() {
        return valuesAddress;
    }

    long hiAddress() {
        return hi.address();
    }

    long termsAddress() {
        return terms.address();
    }

    long baseAddress() {
        return base.address();
    }

    @Override
    public void close() {
        owned.close();
    }
}
