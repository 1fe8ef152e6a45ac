package dev.rote.nn;

import dev.rote.errors.DataException;
import dev.rote.graph.Shape;
import dev.rote.storage.SafeTensors;
import dev.rote.storage.SafeTensorsFile;
import dev.rote.storage.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Weights in safetensors files, those of U-Nets under the names of the published code, all in PyTorch's shapes.
///
/// A name with a slash, as `ema/NAME` in checkpoints, belongs to another part of the file: each part is read by its
/// prefix, and weights have the empty one.
public final class UNetFiles {
    /// Prefix of the averaged parameters in checkpoints.
    public static final String EMA = "ema/";

    private UNetFiles() {}

    /// A network found in a file.
    ///
    /// @param lines for people: what was read from where
    public record Found(UNetConfig config, List<String> lines) {
        public Found {
            lines = List.copyOf(lines);
        }
    }

    /// Finds the network from names and shapes; what they cannot tell comes from metadata written by [#metadata], else
    /// from the defaults of the published network with those names.
    ///
    /// @throws DataException if the tensors are not those of a U-Net
    public static Found detect(Path path, SafeTensorsFile file) {
        return new UNetDetection(path, file).run();
    }

    /// Reads trained parameters into a flat buffer [layout.size()].
    ///
    /// @param prefix part of the file, empty or [#EMA]
    /// @throws DataException naming the first tensor that is missing, has another shape, or is not the network's
    public static float[] parameters(Path path, SafeTensorsFile file, ParameterLayout layout, String prefix) {
        checkExtra(path, file, layout, prefix);
        return read(path, file, layout, true, prefix);
    }

    /// Reads the frozen tables into a flat buffer [layout.frozenSize()].
    ///
    /// @throws DataException as [#parameters]
    public static float[] frozen(Path path, SafeTensorsFile file, ParameterLayout layout) {
        return read(path, file, layout, false, "");
    }

    /// The tensors of a flat buffer under their names, in PyTorch's shapes.
    ///
    /// @param trainable which of the two buffers `flat` is
    public static List<Tensor> tensors(ParameterLayout layout, boolean trainable, float[] flat, String prefix) {
        List<Tensor> tensors = new ArrayList<>();
        for (ParameterSpec spec : layout.specs()) {
            if (spec.trainable() == trainable) {
                tensors.add(Tensor.ofFloats(prefix + spec.name(), spec.toFile(flat), extents(spec.fileShape())));
            }
        }
        return tensors;
    }

    /// Writes a file with weights and architecture that Python and [#detect] read.
    ///
    /// @throws dev.rote.errors.EnvironmentException if the disk refuses
    public static void write(Path path, Network config, float[] parameters, float[] frozen) {
        ParameterLayout layout = config.layout();
        List<Tensor> tensors = new ArrayList<>(tensors(layout, false, frozen, ""));
        tensors.addAll(tensors(layout, true, parameters, ""));
        SafeTensors.write(path, tensors, config.metadata(), true);
    }

    /// What shapes cannot tell of a network, for `__metadata__`.
    public static Map<String, String> metadata(UNetConfig config) {
        Map<String, String> metadata = new LinkedHashMap<>();
        metadata.put("unet.heads", Integer.toString(config.heads()));
        metadata.put("unet.head_size", Integer.toString(config.headSize()));
        metadata.put("unet.groups", Integer.toString(config.groups()));
        metadata.put("unet.eps", Float.toString(config.eps()));
        metadata.put("unet.dropout", Float.toString(config.dropout()));
        metadata.put("unet.channel_dropout", Boolean.toString(config.channelDropout()));
        metadata.put("unet.zero_init", Boolean.toString(config.zeroInit()));
        metadata.put("unet.cosine_first", Boolean.toString(config.cosineFirst()));
        metadata.put("unet.gelu", Boolean.toString(config.gelu()));
        return metadata;
    }

    private static float[] read(
            Path path, SafeTensorsFile file, ParameterLayout layout, boolean trainable, String prefix) {
        float[] flat = new float[Math.toIntExact(trainable ? layout.size() : layout.frozenSize())];
        for (ParameterSpec spec : layout.specs()) {
            if (spec.trainable() == trainable) {
                String name = prefix + spec.name();
                long[] expected = extents(spec.fileShape());
                SafeTensorsFile.Entry entry = file.entries().get(name);
                if (entry == null) {
                    throw DataException.expected(path, "tensor " + name, Arrays.toString(expected), "no such tensor");
                }
                if (!Arrays.equals(entry.shape(), expected)) {
                    throw DataException.expected(
                            path, "tensor " + name, Arrays.toString(expected), Arrays.toString(entry.shape()));
                }
                spec.fromFile(file.floats(name), flat);
            }
        }
        return flat;
    }

    private static void checkExtra(Path path, SafeTensorsFile file, ParameterLayout layout, String prefix) {
        for (SafeTensorsFile.Entry entry : file.entries().values()) {
            if (!entry.name().startsWith(prefix)) {
                continue;
            }
            String name = entry.name().substring(prefix.length());
            if (!name.contains("/") && layout.find(name).isEmpty()) {
                throw DataException.expected(
                        path,
                        "tensor " + entry.name(),
                        "only tensors of the network",
                        "one that it does not have, " + Arrays.toString(entry.shape()));
            }
        }
    }

    private static long[] extents(Shape shape) {
        return Arrays.stream(shape.toArray()).asLongStream().toArray();
    }
}
