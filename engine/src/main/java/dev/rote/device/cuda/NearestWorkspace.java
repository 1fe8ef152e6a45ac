package dev.rote.device.cuda;

import dev.rote.device.Buffer;
import dev.rote.device.NearestSearch;
import dev.rote.device.Owned;
import dev.rote.graph.DType;
import java.lang.foreign.MemorySegment;

/// Device memory of a search for nearest neighbours: a part of the queries, their bounds and what was found for them.
final class NearestWorkspace implements AutoCloseable {
    /// Of one query.
    static final long RESULT_BYTES = (Double.BYTES + Integer.BYTES) * (long) NearestSearch.MAX_K + Integer.BYTES;

    private final Owned owned;
    private final CudaDevice device;
    private final NearestVectors queries;
    private final CudaBuffer groups;
    private final CudaBuffer squares;
    private final CudaBuffer indices;
    private final CudaBuffer exclude;

    /// @param form of the queries
    /// @param groupBytes bounds of one query
    static NearestWorkspace open(CudaDevice device, NearestVectors.Form form, long groupBytes) {
        return Owned.opening(owned -> new NearestWorkspace(owned, device, form, groupBytes));
    }

    private NearestWorkspace(Owned owned, CudaDevice device, NearestVectors.Form form, long groupBytes) {
        this.owned = owned;
        this.device = device;
        this.queries = owned.add(NearestVectors.open(device, "queries", form), NearestVectors::close);
        long rows = form.capacity();
        this.groups = buffer("bounds of a search", DType.U8, rows * groupBytes);
        this.squares = buffer("squares of a search", DType.U8, rows * NearestSearch.MAX_K * Double.BYTES);
        this.indices = buffer("indices of a search", DType.I32, rows * NearestSearch.MAX_K);
        this.exclude = buffer("excluded of a search", DType.I32, rows);
    }

    private CudaBuffer buffer(String owner, DType type, long elements) {
        return owned.add((CudaBuffer) device.allocate(owner, type, elements), Buffer::close);
    }

    NearestVectors queries() {
        return queries;
    }

    /// The entries of queries `first .. first + count - 1`; null for none.
    void exclude(int[] excludeIndex, int first, int count) {
        if (excludeIndex != null) {
            exclude.write(0, MemorySegment.ofArray(excludeIndex).asSlice(first * 4L, count * 4L));
        }
    }

    /// Waits for the results of `count` queries and writes them to rows `first ..` of arrays `[queries, k]`.
    void read(int first, int count, int k, int[] toIndices, double[] toSquares) {
        long from = (long) first * k;
        long length = (long) count * k;
        indices.read(0, MemorySegment.ofArray(toIndices).asSlice(from * 4, length * 4));
        squares.read(0, MemorySegment.ofArray(toSquares).asSlice(from * 8, length * 8));
    }

    long groupsAddress() {
        return groups.address();
    }

    long squaresAddress() {
        return squares.address();
    }

    long indicesAddress() {
        return indices.address();
    }

    long excludeAddress() {
        return exclude.address();
    }

    @Override
    public void close() {
        owned.close();
    }
}
