package dev.rote.device.cuda;

import dev.rote.device.Buffer;
import dev.rote.device.NearestSearch;
import dev.rote.device.Owned;
import dev.rote.device.Vectors;
import dev.rote.graph.DType;
import java.lang.foreign.MemorySegment;
import jcuda.driver.CUdevice_attribute;

/// Exact nearest neighbours by kernels: `nearest_split` prepares, `nearest_scan` bounds all distances from below on
/// tensor cores, `nearest_rank` compares what the bounds do not rule out.
///
/// References that fit stay on the device, prepared once; of more, a part at a time goes through it in every search,
/// and the segment they come from must stay as it is. Queries are taken in parts as well, as many as the bounds
/// have
/// memory.
final class CudaNearestSearch implements NearestSearch {
    private static final int GROUP_BYTES = 8;
    private static final int GROUP = 32; // references
    private static final int RANK_QUERIES = 4; // of a block
    private static final int RANK_THREADS = 128;
    private static final int MEAN_CHUNKS = 64;
    private static final int MEAN_THREADS = 256;
    private static final int DEEPEST_PIXELS = 131_071; // products of -128 in 32 bits
    private static final int COUNTERS = 4; // searched on, compared, wrong bounds, not finite
    private static final int INVALID = 3;
    private static final long MOST_GROUP_BYTES = 1L << 30;

    private final Owned owned;
    private final CudaDevice device;
    private final Vectors references;
    private final CudaBuffer centre;
    private final CudaBuffer counters;
    private final NearestVectors prepared;
    private final boolean resident;
    private final long budget;
    private final int multiprocessors;
    private final NearestScan kernels;
    private NearestWorkspace workspace;

    static CudaNearestSearch open(CudaDevice device, Vectors references) {
        NearestScan kernels = NearestScan.of(device.major(), device.minor());
        return open(device, references, device.freeBytes().orElseThrow(), kernels);
    }

    /// @param budget bytes that references and queries may take on the device
    static CudaNearestSearch open(CudaDevice device, Vectors references, long budget, NearestScan kernels) {
        if (references.type() == DType.U8 && references.dimension() > DEEPEST_PIXELS) {
            throw new IllegalArgumentException("nearest neighbours: expected at most " + DEEPEST_PIXELS
                    + " dimensions of 8-bit vectors, found " + references.dimension() + "; search in F32");
        }
        return Owned.opening(owned -> new CudaNearestSearch(owned, device, references, budget, kernels));
    }

    /// What a search among f32 references takes, if there is so much, with as many queries as one part may have.
    static long bytes(int references, int dimension, int queries) {
        NearestVectors.Form form =
                new NearestVectors.Form(tiles(references, NearestScan.REFERENCES), dimension, DType.F32);
        long groupBytes = (long) form.capacity() / GROUP * GROUP_BYTES;
        long rows = Math.clamp(MOST_GROUP_BYTES / groupBytes, NearestScan.QUERIES, tiles(queries, NearestScan.QUERIES));
        long mean = dimension * (long) (Float.BYTES + MEAN_CHUNKS * Double.BYTES);
        return form.capacity() * form.rowBytes()
                + rows * (form.rowBytes() + groupBytes + NearestWorkspace.RESULT_BYTES)
                + mean
                + COUNTERS * Integer.BYTES;
    }

    private CudaNearestSearch(Owned owned, CudaDevice device, Vectors references, long budget, NearestScan kernels) {
        this.owned = owned;
        this.device = device;
        this.references = references;
        this.budget = budget;
        this.kernels = kernels;
        this.multiprocessors = device.attribute(CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
        NearestVectors.Form whole = form(tiles(references.count(), NearestScan.REFERENCES));
        long fitting = budget / 2 / whole.rowBytes() / NearestScan.REFERENCES * NearestScan.REFERENCES;
        this.resident = whole.capacity() <= fitting;
        int capacity = resident ? whole.capacity() : (int) Math.max(NearestScan.REFERENCES, fitting);
        this.centre = floats("centre of the references", references.dimension());
        this.counters = bytes("counters of a search", COUNTERS * (long) Integer.BYTES);
        this.prepared = owned.add(NearestVectors.open(device, "references", form(capacity)), NearestVectors::close);
        if (references.count() > 0) {
            load(0);
            if (references.type() == DType.F32) {
                computeCentre();
            }
            counters.clear();
            prepared.split(centre, counters.address() + INVALID * Integer.BYTES, NearestScan.REFERENCES);
            requireFinite(references, "references");
        }
    }

    private NearestVectors.Form form(int capacity) {
        return new NearestVectors.Form(capacity, references.dimension(), references.type());
    }

    private static int tiles(int count, int tile) {
        return Math.max(1, Math.ceilDiv(count, tile)) * tile;
    }

    private CudaBuffer floats(String owner, long elements) {
        return owned.add((CudaBuffer) device.allocate(owner, DType.F32, elements), Buffer::close);
    }

    private CudaBuffer bytes(String owner, long elements) {
        return owned.add((CudaBuffer) device.allocate(owner, DType.U8, elements), Buffer::close);
    }

    /// Uploads the references from `first` on, as many as there is room for.
    private void load(int first) {
        int count = Math.min(prepared.form().capacity(), references.count() - first);
        prepared.upload(references.slice(first, count), count);
    }

    /// The mean of the references that are there; any centre would give the same neighbours.
    private void computeCentre() {
        int d = references.dimension();
        try (CudaBuffer partial = (CudaBuffer) device.allocate("mean", DType.U8, 8L * MEAN_CHUNKS * d)) {
            int blocks = Math.ceilDiv(d, MEAN_THREADS);
            device.launch(new KernelLaunch(
                    "nearest_mean_partial",
                    new KernelLaunch.Extent(blocks, MEAN_CHUNKS, 1),
                    KernelLaunch.Extent.of(MEAN_THREADS),
                    0,
                    mean(partial)));
            device.launch(KernelLaunch.blocks("nearest_mean", blocks, MEAN_THREADS, mean(partial)));
            device.synchronize("mean of the references");
        }
    }

    private Arguments mean(CudaBuffer partial) {
        return new Arguments()
                .pointer("v", prepared.valuesAddress())
                .pointer("partial", partial.address())
                .pointer("centre", centre.address())
                .i64("rows", prepared.count())
                .i32("d", references.dimension())
                .i32("chunks", MEAN_CHUNKS);
    }

    private void requireFinite(Vectors vectors, String what) {
        if (counter(INVALID) > 0) {
            vectors.requireFinite(what);
            throw new AssertionError(what + ": " + counter(INVALID) + " vectors are not finite on the device only");
        }
    }

    private int counter(int which) {
        int[] values = new int[COUNTERS];
        counters.read(0, MemorySegment.ofArray(values));
        return values[which];
    }

    @Override
    public Answer search(Vectors queries, Question question) throws InterruptedException {
        require(queries.dimension() == references.dimension() && queries.type() == references.type(), queries);
        return search(queries, null, queries.count(), question);
    }

    @Override
    public Answer search(Buffer queries, int count, Question question) throws InterruptedException {
        long needed = (long) count * references.rowBytes();
        if (!(queries instanceof CudaBuffer buffer)
                || queries.type() != references.type()
                || count < 0
                || queries.bytes() < needed) {
            throw new IllegalArgumentException("nearest neighbours: expected a CUDA buffer of " + needed + " bytes of "
                    + references.type() + " for " + count + " queries, found " + queries);
        }
        return search(null, buffer, count, question);
    }

    private void require(boolean fits, Vectors queries) {
        if (!fits) {
            throw new IllegalArgumentException("nearest neighbours: queries have dimension " + queries.dimension()
                    + " of " + queries.type() + ", references " + references.dimension() + " of " + references.type());
        }
    }

    private Answer search(Vectors host, CudaBuffer buffer, int count, Question question) throws InterruptedException {
        question.require(count, references.count());
        device.makeCurrent();
        int k = question.k();
        int[] indices = new int[count * k];
        double[] squares = new double[count * k];
        int rows = room(count);
        counters.clear();
        for (int first = 0; first < count; first += rows) {
            int part = Math.min(rows, count - first);
            if (host != null) {
                workspace.queries().upload(host.slice(first, part), part);
            } else {
                workspace.queries().borrow(buffer.address() + first * references.rowBytes(), part);
            }
            workspace.exclude(question.excludeIndex(), first, part);
            searchPart(k, question.excludeIndex() != null, false);
            workspace.read(first, part, k, indices, squares);
        }
        if (counter(INVALID) > 0) {
            requireFinite(host != null ? host : download(buffer, count), "queries");
        }
        return new Answer(indices, squares, counter(0));
    }

    private Vectors download(CudaBuffer buffer, int count) {
        float[] values = new float[Math.multiplyExact(count, references.dimension())];
        buffer.read(0, MemorySegment.ofArray(values));
        return new Vectors(MemorySegment.ofArray(values), count, references.dimension(), DType.F32);
    }

    /// Queries of a part; the workspace is made, or made anew where it is too small.
    private int room(int count) {
        long groupBytes = (long) groups() * GROUP_BYTES;
        long perQuery = groupBytes + prepared.form().rowBytes() + NearestWorkspace.RESULT_BYTES;
        long most = Math.min(MOST_GROUP_BYTES / Math.max(1, groupBytes), budget / 4 / perQuery);
        int step = NearestScan.QUERIES;
        int rows = (int) Math.clamp(most / step * step, step, tiles(count, step));
        if (workspace == null || workspace.queries().form().capacity() < rows) {
            if (workspace != null) {
                workspace.close();
            }
            workspace = NearestWorkspace.open(device, form(rows), groupBytes);
        }
        return rows;
    }

    private int groups() {
        return prepared.form().capacity() / GROUP;
    }

    private void searchPart(int k, boolean excludes, boolean audit) throws InterruptedException {
        workspace.queries().split(centre, counters.address() + INVALID * Integer.BYTES, NearestScan.QUERIES);
        for (int first = 0; first < references.count(); first += prepared.form().capacity()) {
            if (Thread.interrupted()) {
                throw new InterruptedException("the search for nearest neighbours was cancelled");
            }
            if (!resident) {
                load(first);
                prepared.split(centre, counters.address() + INVALID * Integer.BYTES, NearestScan.REFERENCES);
                requireFinite(references, "references");
            }
            device.launch(scan());
            device.launch(rank(first, k, excludes, audit));
        }
    }

    private KernelLaunch scan() {
        NearestVectors queries = workspace.queries();
        NearestScan.Split split = kernels.split(
                queries.count(),
                prepared.padded(NearestScan.REFERENCES) / NearestScan.REFERENCES,
                prepared.form().steps(),
                multiprocessors);
        boolean pixels = references.type() == DType.U8;
        float gamma = pixels ? 0 : 24 * Math.ceilDiv(references.dimension(), 16) * 0x1p-23f;
        Arguments arguments = new Arguments()
                .pointer("queries", queries.hiAddress())
                .pointer("references", prepared.hiAddress())
                .pointer("query_terms", queries.termsAddress())
                .pointer("reference_terms", prepared.termsAddress())
                .pointer("groups", workspace.groupsAddress())
                .i32("depth_bytes", prepared.form().depthBytes())
                .i32("tiles", split.tiles())
                .i32("block_tiles", split.blockTiles())
                .f32("gamma", gamma);
        return new KernelLaunch(
                kernels.kernel(pixels),
                split.grid(),
                KernelLaunch.Extent.of(kernels.threads()),
                kernels.sharedBytes(),
                arguments);
    }

    private KernelLaunch rank(int first, int k, boolean excludes, boolean audit) {
        NearestVectors queries = workspace.queries();
        Arguments arguments = new Arguments()
                .pointer("queries", queries.valuesAddress())
                .pointer("references", prepared.valuesAddress())
                .pointer("base", queries.baseAddress())
                .pointer("groups", workspace.groupsAddress())
                .pointer("exclude", excludes ? workspace.excludeAddress() : 0)
                .pointer("squares", workspace.squaresAddress())
                .pointer("indices", workspace.indicesAddress())
                .pointer("counts", counters.address())
                .i32("m", queries.count())
                .i32("n", prepared.count())
                .i32("d", references.dimension())
                .i32("k", k)
                .i32("group_count", prepared.padded(NearestScan.REFERENCES) / GROUP)
                .i32("first", first)
                .i32("merge", first > 0 ? 1 : 0)
                .i32("audit", audit ? 1 : 0);
        return KernelLaunch.blocks(
                references.type() == DType.U8 ? "nearest_rank_u8" : "nearest_rank_f32",
                Math.ceilDiv(queries.count(), RANK_QUERIES),
                RANK_THREADS,
                arguments);
    }

    /// Whether the bounds hold.
    ///
    /// @param pairs compared
    /// @param wrong pairs whose bound was above their squared distance: none, or the search is not exact
    record Audit(long pairs, long wrong) {}

    /// Compares every pair of at most one part of queries, and every bound with the distance.
    Audit audit(Vectors queries) throws InterruptedException {
        device.makeCurrent();
        long pairs = 0;
        long wrong = 0;
        int rows = room(queries.count());
        for (int first = 0; first < queries.count(); first += rows) {
            int part = Math.min(rows, queries.count() - first);
            counters.clear();
            workspace.queries().upload(queries.slice(first, part), part);
            searchPart(1, false, true);
            pairs += Integer.toUnsignedLong(counter(1));
            wrong += Integer.toUnsignedLong(counter(2));
        }
        return new Audit(pairs, wrong);
    }

    @Override
    public void close() {
        device.forget(this);
        if (workspace != null) {
            workspace.close();
            workspace = null;
        }
        owned.close();
    }
}
