package dev.rote.train;

import dev.rote.config.RunConfig;
import dev.rote.errors.DataException;
import dev.rote.nn.Network;
import dev.rote.nn.ParameterLayout;
import dev.rote.nn.ParameterSpec;
import dev.rote.nn.Parameters;
import dev.rote.nn.UNetFiles;
import dev.rote.optim.Optimizer;
import dev.rote.storage.SafeTensors;
import dev.rote.storage.SafeTensorsFile;
import dev.rote.storage.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// A checkpoint: a safetensors file from which training goes on with the same bits.
///
/// | tensors | what |
/// |---|---|
/// | `NAME` | parameters and frozen tables, PyTorch's names and shapes |
/// | `ema/NAME` | averaged parameters |
/// | `optimizer.momentum/NAME`, `optimizer.exp_avg/NAME`, `optimizer.exp_avg_sq/NAME` | moments |
///
/// `__metadata__` has `rote.step`, `rote.config` (hash of the configuration), `rote.data` (hash of the training
/// images), `rote.steps` (`train.steps` of that configuration), the architecture (`unet.*`, `mlp.*`) and `sha256` of
/// the data section. There is no state of a random generator: draws are functions of seed and step.
final class Checkpoint {
    private static final String STEP = "rote.step";
    private static final String CONFIG = "rote.config";
    private static final String DATA = "rote.data";
    private static final String STEPS = "rote.steps";

    private Checkpoint() {}

    /// Prefix of a flat buffer's tensors.
    static String prefix(String buffer) {
        return buffer.equals(Optimizer.EMA) ? UNetFiles.EMA : "optimizer." + buffer + "/";
    }

    /// Writes a checkpoint, whole or not at all.
    ///
    /// @throws dev.rote.errors.NonFiniteException if a value is not finite; nothing is written
    /// @throws dev.rote.errors.EnvironmentException if the disk refuses
    static void write(Path path, ModelState model, Network network, RunConfig config, String dataHash) {
        ParameterLayout layout = model.layout();
        List<Tensor> tensors = new ArrayList<>();
        if (layout.frozenSize() > 0) {
            tensors.addAll(UNetFiles.tensors(
                    layout, false, model.buffer(Parameters.FROZEN).readFloats(), ""));
        }
        float[] parameters = model.buffer(Parameters.PARAMETERS).readFloats();
        FiniteCheck.require(layout, parameters, "", model.step());
        tensors.addAll(UNetFiles.tensors(layout, true, parameters, ""));
        for (String name : model.moments()) {
            float[] flat = model.buffer(name).readFloats();
            FiniteCheck.require(layout, flat, prefix(name), model.step());
            tensors.addAll(UNetFiles.tensors(layout, true, flat, prefix(name)));
        }
        Map<String, String> metadata = new LinkedHashMap<>(network.metadata());
        metadata.put(STEP, Integer.toString(model.step()));
        metadata.put(CONFIG, config.hash());
        metadata.put(DATA, dataHash);
        metadata.put(STEPS, Integer.toString(config.train().steps()));
        SafeTensors.write(path, tensors, metadata, true);
    }

    /// Reads a checkpoint into a model. The model is changed only if the whole file is good.
    ///
    /// @throws DataException if the file is damaged, of another network, of another configuration or of other data
    static void read(Path path, ModelState model, RunConfig config, String dataHash) {
        try (SafeTensorsFile file = SafeTensors.open(path)) {
            if (!file.verifyHash()) {
                throw DataException.expected(path, "__metadata__", "the sha256 of the tensors", "no hash");
            }
            int step = step(path, file);
            ParameterLayout layout = model.layout();
            float[] parameters = UNetFiles.parameters(path, file, layout, "");
            Map<String, float[]> moments = new LinkedHashMap<>();
            for (String name : model.moments()) {
                moments.put(name, moment(path, file, layout, prefix(name)));
            }
            if (!isShorter(file, config)) {
                requireSame(path, file, CONFIG, config.hash(), "the configuration of this run");
            }
            requireSame(path, file, DATA, dataHash, "the training images of this run");
            if (layout.frozenSize() > 0) {
                model.buffer(Parameters.FROZEN).writeFloats(UNetFiles.frozen(path, file, layout));
            }
            model.setParameters(parameters);
            moments.forEach((name, flat) -> model.buffer(name).writeFloats(flat));
            model.setStep(step);
        }
    }

    private static float[] moment(Path path, SafeTensorsFile file, ParameterLayout layout, String prefix) {
        return UNetFiles.parameters(path, file, layout, prefix);
    }

    private static int step(Path path, SafeTensorsFile file) {
        String text = file.metadata().get(STEP);
        try {
            int step = Integer.parseInt(text);
            if (step >= 0) {
                return step;
            }
        } catch (NumberFormatException e) {
            throw DataException.expected(path, "__metadata__ " + STEP, "the number of updates", String.valueOf(text));
        }
        throw DataException.expected(path, "__metadata__ " + STEP, "at least 0 updates", text);
    }

    /// True for a checkpoint of the same run with fewer updates, which this one extends.
    private static boolean isShorter(SafeTensorsFile file, RunConfig config) {
        String steps = file.metadata().getOrDefault(STEPS, "");
        return steps.matches("[1-9][0-9]{0,8}")
                && Extension.allows(config, file.metadata().get(CONFIG), Integer.parseInt(steps));
    }

    private static void requireSame(Path path, SafeTensorsFile file, String key, String hash, String what) {
        String found = file.metadata().get(key);
        if (!hash.equals(found)) {
            throw DataException.expected(path, "__metadata__ " + key, hash + " (" + what + ")", String.valueOf(found));
        }
    }

    /// The first value that is not finite, by tensor.
    static final class FiniteCheck {
        private FiniteCheck() {}

        /// @throws dev.rote.errors.NonFiniteException naming tensor and step
        static void require(ParameterLayout layout, float[] flat, String prefix, int step) {
            for (ParameterSpec spec : layout.specs()) {
                for (int i = 0; spec.trainable() && i < spec.elements(); i++) {
                    float value = flat[(int) spec.offset() + i];
                    if (!Float.isFinite(value)) {
                        throw new dev.rote.errors.NonFiniteException(
                                "after step " + step + " tensor " + prefix + spec.name() + " holds " + value);
                    }
                }
            }
        }
    }
}
