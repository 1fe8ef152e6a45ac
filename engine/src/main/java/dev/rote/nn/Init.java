package dev.rote.nn;

import dev.rote.graph.Shape;
import dev.rote.random.Draw;
import dev.rote.random.Purpose;

/// How a parameter starts. Values are a function of (seed, number of the parameter, element) alone.
public sealed interface Init {
    /// Element `index` of parameter number `parameter`, counted within the internal layout.
    float at(long seed, int parameter, long index);

    /// One number everywhere.
    record Constant(float number) implements Init {
        @Override
        public float at(long seed, int parameter, long index) {
            return number;
        }
    }

    /// Uniform in (-bound, bound).
    record Uniform(double bound) implements Init {
        @Override
        public float at(long seed, int parameter, long index) {
            float u = Draw.uniform(seed, Purpose.streamStart(parameter) + index, 0, Purpose.INIT);
            return (float) (bound * (2.0 * u - 1.0));
        }
    }

    /// Normal with mean 0.
    record Normal(double deviation) implements Init {
        @Override
        public float at(long seed, int parameter, long index) {
            return (float) (deviation * Draw.normal(seed, Purpose.streamStart(parameter) + index, 0, Purpose.INIT));
        }
    }

    /// Row t of a table of sinusoids, `f_i = 10000^(-i/divisor)` with `half = width/2`: `sin(t f_i)` and `cos(t f_i)`,
    /// sines first unless `cosineFirst` (Vaswani et al. 2017, arXiv:1706.03762, section 3.5).
    record Sinusoid(int width, int divisor, boolean cosineFirst) implements Init {
        @Override
        public float at(long seed, int parameter, long index) {
            int half = width / 2;
            int column = (int) (index % width);
            double angle = (double) (index / width) * StrictMath.pow(10000, -(double) (column % half) / divisor);
            return (float) ((column < half) != cosineFirst ? StrictMath.sin(angle) : StrictMath.cos(angle));
        }
    }

    static Init zeros() {
        return new Constant(0);
    }

    static Init ones() {
        return new Constant(1);
    }

    /// PyTorch's default of convolutions and fully connected layers, weights and biases alike: Kaiming uniform with
    /// a = sqrt 5 (He et al. 2015, arXiv:1502.01852), which is U(-1/sqrt(fan in), 1/sqrt(fan in)).
    static Init fanIn(long fanIn) {
        return new Uniform(1 / Math.sqrt(fanIn));
    }

    /// Xavier uniform of a matrix [K,C] (Glorot & Bengio 2010, eq. 16).
    static Init xavier(Shape matrix) {
        return new Uniform(Math.sqrt(6.0 / (matrix.dim(0) + matrix.dim(1))));
    }
}
