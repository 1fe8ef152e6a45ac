package dev.rote.train;

import dev.rote.device.Device;
import dev.rote.errors.EnvironmentException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;

/// Device memory of a run by what it is for, in bytes, known before any of it is allocated: nothing is worse to
/// read than the silence of a process that the system killed.
///
/// @param model parameters, moments, average
/// @param images resident training images
/// @param step arenas and scratch memory of the training step, all lanes
/// @param sampling the sampler's programs and images
/// @param losses programs of the losses at fixed times, with their resident images
/// @param search training images prepared for nearest neighbours, and room for a search
public record MemoryNeed(long model, long images, long step, long sampling, long losses, long search) {
    /// What Java and oneDNN take beside a run's buffers: code, heap, the library's own objects. Measured on the
    /// CPU: 160 MB for a network of 0.26 M parameters. Where the device is a card this is host memory, and a small
    /// reserve.
    public static final long PROGRAM = 192L << 20;

    private record Part(String name, long bytes, String key) {}

    /// With sampling added.
    public MemoryNeed plusSampling(long bytes) {
        return new MemoryNeed(model, images, step, sampling + bytes, losses, search);
    }

    /// With a loss at a fixed time added.
    public MemoryNeed plusLoss(long bytes) {
        return new MemoryNeed(model, images, step, sampling, losses + bytes, search);
    }

    /// With the search for nearest neighbours.
    public MemoryNeed plusSearch(long bytes) {
        return new MemoryNeed(model, images, step, sampling, losses, search + bytes);
    }

    /// What the device will have allocated.
    public long deviceBytes() {
        return model + images + step + sampling + losses + search;
    }

    /// What must be free: [#deviceBytes] and [#PROGRAM].
    public long total() {
        return deviceBytes() + PROGRAM;
    }

    /// @throws EnvironmentException if the device knows how much is free and it is less than [#total()]; the
    ///     message says what is needed for what, what is free, and which keys to lower
    public void require(Device device) {
        require(device, 0);
    }

    /// The same where some of what is free is promised to others.
    void require(Device device, long promised) {
        OptionalLong free = device.freeBytes();
        if (free.isEmpty() || free.getAsLong() - promised >= total()) {
            return;
        }
        List<Part> parts = new ArrayList<>(List.of(
                new Part("the training step", step, "train.batch, model.width or threads"),
                new Part("the model", model, "model.width"),
                new Part("resident images", images, "data.n or data.size"),
                new Part("sampling", sampling, "measure.batch"),
                new Part("losses", losses, "measure.batch or measure.loss_images"),
                new Part("nearest neighbours", search, "measure.samples or data.n")));
        parts.sort(Comparator.comparingLong(Part::bytes).reversed());
        parts.removeIf(part -> part.bytes() == 0);
        String spent = String.join(
                ", ",
                parts.stream()
                        .map(part -> readable(part.bytes()) + " " + part.name())
                        .toList());
        throw new EnvironmentException("not enough memory: expected " + readable(total()) + " free (" + spent + ", "
                + readable(PROGRAM) + " the program), found " + readable(free.getAsLong())
                + (promised > 0 ? " of which " + readable(promised) + " are for the runs beside it" : "") + "; lower "
                + parts.getFirst().key());
    }

    private static String readable(long bytes) {
        double mebi = bytes / (double) (1 << 20);
        return mebi < 1024
                ? String.format(Locale.ROOT, "%.1f MiB", mebi)
                : String.format(Locale.ROOT, "%.2f GiB", mebi / 1024);
    }
}
