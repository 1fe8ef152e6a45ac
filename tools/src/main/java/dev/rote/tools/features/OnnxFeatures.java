package dev.rote.tools.features;

import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import dev.rote.data.Extent;
import dev.rote.data.Image;
import dev.rote.data.Resize;
import dev.rote.errors.DataException;
import dev.rote.metrics.FeatureExtractor;
import dev.rote.metrics.Rows;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/// Features of a network that the user supplies as an ONNX file, such as the Inception network of FID (Heusel et al.
/// 2017, arXiv:1706.08500). ONNX Runtime computes them on the CPU.
///
/// The network has one input, f32 [N,3,H,W] or [N,1,H,W]; its first output, f32 [N,...], is flattened per image.
/// Gray images are repeated for three channels. Where H and W are fixed, images are resized to them by the
/// antialiased bilinear rule of [Resize]; otherwise they come at their own size. Values are in [0, 1], unless the
/// file's metadata has the keys `rote.low` and `rote.high`: then black and white become these numbers. Any other
/// normalisation belongs in the network.
///
/// The distance is called FID if the metadata has the key `rote.fid` with the value `true`: whoever exports
/// Inception's pool features says so, a file's name does not.
///
/// Every image goes through in a batch of the same size and position for every number of threads, each batch on one
/// thread, so threads change no bit.
public final class OnnxFeatures implements FeatureExtractor, AutoCloseable {
    /// Images of one run, where the network does not fix it.
    private static final int BATCH = 32;

    private final Path path;
    private final Extent images;
    private final OrtEnvironment environment;
    private final OrtSession session;
    private final Input input;
    private final int dimension;
    private final boolean isFid;

    /// What the network reads.
    ///
    /// @param batch images of one run
    /// @param low what 0 becomes
    /// @param high what 1 becomes
    private record Input(String name, int batch, int channels, int height, int width, float low, float high) {
        int size() {
            return channels * height * width;
        }
    }

    private OnnxFeatures(Path path, Extent images, OrtEnvironment environment, OrtSession session) throws OrtException {
        this.path = path;
        this.images = images;
        this.environment = environment;
        this.session = session;
        this.input = input();
        this.isFid = "true".equals(session.getMetadata().getCustomMetadata().get("rote.fid"));
        this.dimension = run(new float[input.batch() * input.size()]).length / input.batch();
    }

    /// Loads a network and tries it on black images.
    ///
    /// @param images size of the images to come
    /// @throws DataException if the file is not a network that reads such images
    public static OnnxFeatures open(Path path, Extent images) {
        OrtEnvironment environment = OrtEnvironment.getEnvironment();
        OrtSession session = null;
        OnnxFeatures features = null;
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            options.setIntraOpNumThreads(1);
            session = environment.createSession(path.toString(), options);
            features = new OnnxFeatures(path, images, environment, session);
            return features;
        } catch (OrtException e) {
            throw failed(path, "an ONNX network that ONNX Runtime can run", e);
        } finally {
            if (features == null && session != null) {
                close(path, session);
            }
        }
    }

    private static DataException failed(Path path, String expected, OrtException e) {
        return new DataException(path + ": expected " + expected + ", found: " + e.getMessage(), e);
    }

    private Input input() throws OrtException {
        Map<String, NodeInfo> inputs = session.getInputInfo();
        if (inputs.size() != 1) {
            throw wrong("inputs", "one", inputs.keySet().toString());
        }
        NodeInfo node = inputs.values().iterator().next();
        if (!(node.getInfo() instanceof TensorInfo tensor)
                || tensor.type != OnnxJavaType.FLOAT
                || tensor.getShape().length != 4) {
            throw wrong(
                    "input " + node.getName(),
                    "f32 [N,3,H,W] or [N,1,H,W]",
                    node.getInfo().toString());
        }
        long[] shape = tensor.getShape(); // -1 where it is free
        long channels = shape[1] < 0 ? images.channels() : shape[1];
        if (channels != images.channels() && !(channels == 3 && images.channels() == 1)) {
            throw wrong(
                    "input " + node.getName(),
                    images.channels() + " channels, as the images" + (images.channels() == 1 ? ", or 3" : ""),
                    Arrays.toString(shape));
        }
        Map<String, String> metadata = session.getMetadata().getCustomMetadata();
        return new Input(
                node.getName(),
                shape[0] < 0 ? BATCH : Math.toIntExact(shape[0]),
                (int) channels,
                shape[2] < 0 ? images.height() : Math.toIntExact(shape[2]),
                shape[3] < 0 ? images.width() : Math.toIntExact(shape[3]),
                number(metadata, "rote.low", 0),
                number(metadata, "rote.high", 1));
    }

    private float number(Map<String, String> metadata, String key, float usual) {
        String text = metadata.get(key);
        if (text == null) {
            return usual;
        }
        try {
            return Float.parseFloat(text);
        } catch (NumberFormatException e) {
            throw new DataException(path + ": metadata " + key + ": expected a number, found " + text, e);
        }
    }

    private DataException wrong(String position, String expected, String found) {
        return DataException.expected(path, position, expected, found);
    }

    @Override
    public String name() {
        return (isFid ? "FID on features of " : "Fréchet distance on features of ") + path.getFileName();
    }

    @Override
    public int dimension() {
        return dimension;
    }

    @Override
    public Rows features(Rows rows, int threads) throws InterruptedException {
        if (rows.dimension() != images.size()) {
            throw new IllegalArgumentException(
                    "ONNX features: expected images of " + images + " values, found " + rows.dimension());
        }
        if (threads < 1) {
            throw new IllegalArgumentException("threads: expected at least 1, found " + threads);
        }
        float[] features = new float[Math.multiplyExact(rows.count(), dimension)];
        try (ExecutorService pool = Executors.newFixedThreadPool(threads)) {
            List<Future<Void>> running = new ArrayList<>();
            for (int first = 0; first < rows.count(); first += input.batch()) {
                int start = first;
                running.add(pool.submit(() -> {
                    batch(rows, start, features);
                    return null;
                }));
            }
            try {
                for (Future<Void> batch : running) {
                    batch.get();
                }
            } catch (ExecutionException e) {
                switch (e.getCause()) {
                    case RuntimeException cause -> throw cause;
                    case Error cause -> throw cause;
                    default -> throw new AssertionError("features of a batch", e);
                }
            } finally {
                pool.shutdownNow();
            }
        }
        return Rows.of(features, dimension);
    }

    /// Features of the batch that begins at image `first`; the last batch is filled up with black images.
    private void batch(Rows rows, int first, float[] features) {
        int count = Math.min(input.batch(), rows.count() - first);
        float[] planes = new float[input.batch() * input.size()];
        Arrays.fill(planes, input.low());
        for (int i = 0; i < count; i++) {
            float[] image = new float[images.size()];
            long start = (long) (first + i) * image.length * Float.BYTES;
            MemorySegment.copy(rows.values(), ValueLayout.JAVA_FLOAT_UNALIGNED, start, image, 0, image.length);
            put(image, planes, i * input.size());
        }
        try {
            float[] out = run(planes);
            System.arraycopy(out, 0, features, first * dimension, count * dimension);
        } catch (OrtException e) {
            throw failed(path, "features of images " + first + " and on", e);
        }
    }

    /// Lays an image [H,W,C] in planes [C,H,W] as the network wants them.
    private void put(float[] image, float[] planes, int start) {
        boolean fits = images.height() == input.height() && images.width() == input.width();
        float[] sized = fits ? image : Resize.resize(Image.of(images, image), input.height(), input.width());
        int pixels = input.height() * input.width();
        for (int c = 0; c < input.channels(); c++) {
            int from = images.channels() == 1 ? 0 : c;
            for (int p = 0; p < pixels; p++) {
                float value = sized[p * images.channels() + from];
                planes[start + c * pixels + p] = Math.fma(value, input.high() - input.low(), input.low());
            }
        }
    }

    /// The first output for one batch, flat.
    private float[] run(float[] planes) throws OrtException {
        long[] shape = {input.batch(), input.channels(), input.height(), input.width()};
        try (OnnxTensor tensor = OnnxTensor.createTensor(environment, FloatBuffer.wrap(planes), shape);
                OrtSession.Result result = session.run(Map.of(input.name(), tensor))) {
            if (!(result.get(0) instanceof OnnxTensor output)
                    || output.getInfo().type != OnnxJavaType.FLOAT
                    || output.getInfo().getShape().length < 2
                    || output.getInfo().getShape()[0] != input.batch()
                    || output.getInfo().getNumElements() == 0) {
                throw wrong(
                        "output " + session.getOutputNames().iterator().next(),
                        "f32 [" + input.batch() + ",...]",
                        result.get(0).getInfo().toString());
            }
            FloatBuffer values = output.getFloatBuffer();
            float[] out = new float[values.remaining()];
            values.get(out);
            return out;
        }
    }

    private static void close(Path path, OrtSession session) {
        try {
            session.close();
        } catch (OrtException e) {
            throw failed(path, "to close it", e);
        }
    }

    /// Frees the network.
    @Override
    public void close() {
        close(path, session);
    }
}
