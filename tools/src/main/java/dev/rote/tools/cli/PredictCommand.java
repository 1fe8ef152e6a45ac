package dev.rote.tools.cli;

import dev.rote.config.ConfigTree;
import dev.rote.config.ModelConfig;
import dev.rote.config.RunConfig;
import dev.rote.config.TrainConfig;
import dev.rote.data.Extent;
import dev.rote.device.Device;
import dev.rote.errors.DataException;
import dev.rote.errors.NonFiniteException;
import dev.rote.nn.ParameterLayout;
import dev.rote.nn.Precision;
import dev.rote.nn.UNet;
import dev.rote.nn.UNetConfig;
import dev.rote.nn.UNetFiles;
import dev.rote.storage.SafeTensors;
import dev.rote.storage.SafeTensorsFile;
import dev.rote.storage.Tensor;
import dev.rote.train.Blueprint;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/// Applies trained weights to noisy images from a file: the network itself, to be compared with another program's.
@Command(
        name = "predict",
        description = "Applies a trained network to the images x and diffusion times t of a safetensors file.",
        mixinStandardHelpOptions = true)
public final class PredictCommand implements Callable<Integer> {
    /// Images of one program run: bounds the memory, and is enough to keep all lanes busy.
    static final int BATCH = 64;

    private final Console console;

    @Option(
            names = "--weights",
            required = true,
            paramLabel = "FILE",
            description = "Weights or a checkpoint (safetensors, names as in the published code).")
    private Path weights;

    @Option(
            names = "--input",
            required = true,
            paramLabel = "FILE",
            description = "Tensors x [N,C,H,W] F32 and t [N], rows of the table of times if the network has one,"
                    + " in safetensors.")
    private Path input;

    @Option(
            names = "--output",
            required = true,
            paramLabel = "FILE",
            description = "Where y [N,C,H,W] goes, in safetensors.")
    private Path output;

    @Option(
            names = "--device",
            defaultValue = "cpu",
            converter = Devices.Converter.class,
            description = "cpu, cuda or auto (default: ${DEFAULT-VALUE}).")
    private RunConfig.Device device;

    @Option(
            names = "--kernels",
            defaultValue = "own",
            converter = Devices.KernelsConverter.class,
            description = "own, or vendor for cuBLAS and cuDNN on cuda (default: ${DEFAULT-VALUE}).")
    private RunConfig.Kernels kernels;

    @Option(
            names = "--precision",
            defaultValue = "f32",
            converter = PrecisionConverter.class,
            description = "f32 or bf16 (default: ${DEFAULT-VALUE}).")
    private Precision precision;

    @Option(
            names = "--threads",
            defaultValue = "0",
            paramLabel = "N",
            description = "CPU threads (default: all cores).")
    private int threads;

    @Option(
            names = "--config",
            paramLabel = "FILE",
            description = "Take the network from [model] of this file instead of from the weights.")
    private Path config;

    @Option(names = "--ema", description = "Use the averaged weights of a checkpoint.")
    private boolean average;

    public PredictCommand(Console console) {
        this.console = console;
    }

    /// Reads `f32` or `bf16`.
    static final class PrecisionConverter implements ITypeConverter<Precision> {
        @Override
        public Precision convert(String word) {
            return switch (word) {
                case "f32" -> Precision.F32;
                case "bf16" -> Precision.BF16;
                default -> throw new TypeConversionException("expected f32 or bf16, found " + word);
            };
        }
    }

    @Override
    public Integer call() {
        NoisyImages images = NoisyImages.read(input);
        try (SafeTensorsFile file = SafeTensors.open(weights)) {
            file.verifyHash();
            UNetConfig network = network(file, images);
            images.require(network);
            ParameterLayout layout = UNet.layout(network);
            float[] parameters = UNetFiles.parameters(weights, file, layout, prefix(file));
            float[] frozen = UNetFiles.frozen(weights, file, layout);
            Devices.announce(device, console.err());
            Devices.Wanted wanted = new Devices.Wanted(device, kernels, threads, TrainConfig.Precision.F32);
            try (Device opened = Devices.open(wanted, notice -> console.err().println("rote: " + notice));
                    Predictor predictor = Predictor.open(opened, network, precision, parameters, frozen, BATCH)) {
                console.err().println(opened.describe());
                float[] y = predictor.predict(images.nhwc(), images.t(), images.height(), images.width());
                write(images, network.outChannels(), y);
            }
        }
        return 0;
    }

    private UNetConfig network(SafeTensorsFile file, NoisyImages images) {
        if (config != null) {
            Extent extent = new Extent(images.height(), images.width(), images.channels());
            ModelConfig model = model(config);
            if (model.family() == ModelConfig.Family.MLP_MIXTURE) {
                throw DataException.expected(
                        config,
                        "model.family",
                        "a family of U-Nets, whose weights predict applies",
                        model.family().word());
            }
            return Blueprint.unet(model, extent);
        }
        UNetFiles.Found found = UNetFiles.detect(weights, file);
        found.lines().forEach(console.err()::println);
        return found.config();
    }

    /// The network of a configuration, which need not say on what and for how long it is trained.
    private static ModelConfig model(Path file) {
        ConfigTree tree = ConfigTree.read(file);
        Map<String, String> required = Map.of("data.source", "none", "train.steps", "1");
        for (String key : required.keySet()) {
            if (tree.find(key).isEmpty()) {
                tree = tree.with(key, ConfigTree.value(required.get(key)), tree.place(key));
            }
        }
        return RunConfig.of(tree).model();
    }

    private String prefix(SafeTensorsFile file) {
        if (!average) {
            return "";
        }
        if (file.entries().keySet().stream().noneMatch(name -> name.startsWith(UNetFiles.EMA))) {
            throw DataException.expected(
                    weights, "--ema", "tensors named " + UNetFiles.EMA + "...", "no averaged weights");
        }
        return UNetFiles.EMA;
    }

    private void write(NoisyImages images, int channels, float[] y) {
        for (int i = 0; i < y.length; i++) {
            if (!Float.isFinite(y[i])) {
                throw new NonFiniteException(
                        "y: the prediction for image " + i / (y.length / images.count()) + " is not finite");
            }
        }
        int pixels = images.height() * images.width();
        float[] nchw = NoisyImages.transpose(y, images.count(), pixels, channels);
        Tensor tensor = Tensor.ofFloats("y", nchw, images.count(), channels, images.height(), images.width());
        SafeTensors.write(
                output, List.of(tensor), Map.of("precision", precision.name().toLowerCase(Locale.ROOT)), true);
    }
}
