package dev.rote.device.cpu;

import static dev.rote.device.cpu.Memory.getFloat;
import static dev.rote.device.cpu.Memory.setFloat;

import dev.rote.graph.Shape;
import java.util.Arrays;

/// Operations with one number per image and channel.
final class ChannelKernels {
    private final int images;
    private final int size;
    private final int channels;
    private final RowPattern rows;
    private final float[] perChannel;
    private final float[] first;
    private final float[] second;
    private final float[] zero;
    private final float[] one;

    ChannelKernels(Shape x) {
        images = x.dim(0);
        size = Math.toIntExact(x.elements() / images);
        channels = x.last();
        rows = new RowPattern(channels);
        perChannel = new float[channels];
        first = new float[rows.period];
        second = new float[rows.period];
        zero = new float[rows.period];
        one = new float[rows.period];
        Arrays.fill(one, 1);
    }

    Kernel add(Stage x, Stage v, Stage y) {
        return () -> {
            for (int n = 0; n < images; n++) {
                rows.expand(v.in(n), first);
                rows.affine(x.in(n), one, first, y.out(n), size);
                y.done(n);
            }
        };
    }

    Kernel modulate(Stage x, Stage scale, Stage shift, Stage y) {
        return () -> {
            for (int n = 0; n < images; n++) {
                onePlus(scale.in(n));
                rows.expand(shift.in(n), second);
                rows.affine(x.in(n), first, second, y.out(n), size);
                y.done(n);
            }
        };
    }

    private void onePlus(long scale) {
        for (int c = 0; c < channels; c++) {
            perChannel[c] = 1 + getFloat(scale + 4L * c);
        }
        rows.expand(perChannel, 0, first);
    }

    Kernel modulateBackward(Stage dy, Stage x, Stage scale, Stage dx, Stage dscale, Stage dshift) {
        double[] sums = new double[rows.period];
        double[] total = new double[channels];
        return () -> {
            for (int n = 0; n < images; n++) {
                long g = dy.in(n);
                Arrays.fill(sums, 0);
                rows.sumProducts(g, x.in(n), zero, size, sums);
                write(sums, total, dscale, n);
                Arrays.fill(sums, 0);
                rows.sum(g, zero, size, sums);
                write(sums, total, dshift, n);
                onePlus(scale.in(n));
                rows.affine(g, first, zero, dx.out(n), size);
                dx.done(n);
            }
        };
    }

    private void write(double[] sums, double[] total, Stage out, int n) {
        Arrays.fill(total, 0);
        rows.fold(sums, total);
        long at = out.out(n);
        for (int c = 0; c < channels; c++) {
            setFloat(at + 4L * c, (float) total[c]);
        }
        out.done(n);
    }

    /// Keeps or drops whole channels.
    Kernel dropChannels(Stage x, Stage y, DropoutMask mask) {
        return () -> {
            mask.begin();
            for (int n = 0; n < images; n++) {
                mask.fill(n, channels, perChannel);
                rows.expand(perChannel, 0, first);
                rows.affine(x.in(n), first, zero, y.out(n), size);
                y.done(n);
            }
        };
    }

    /// Keeps or drops single elements.
    Kernel dropElements(Stage x, Stage y, DropoutMask mask) {
        float[] factors = new float[size];
        return () -> {
            mask.begin();
            for (int n = 0; n < images; n++) {
                mask.fill(n, size, factors);
                long in = x.in(n);
                long out = y.out(n);
                for (int i = 0; i < size; i++) {
                    setFloat(out + 4L * i, getFloat(in + 4L * i) * factors[i]);
                }
                y.done(n);
            }
        };
    }
}
