package dev.rote.diffusion;

import dev.rote.graph.Mix;
import dev.rote.graph.Value;

/// What the network predicts, with `a = sqrt(alphaBar)`, `s = sqrt(1 - alphaBar)` and `x = a x0 + s noise`. All images
/// are [N,H,W,C] f32. Salimans & Ho 2022, arXiv:2202.00512, section 4 and appendix D.
public enum Objective {
    /// The noise that was added.
    NOISE,
    /// The clean image.
    X0,
    /// `v = a noise - s x0`.
    V;

    /// `x_t = a x0 + s noise` (Ho et al. 2020, arXiv:2006.11239, eq. 4).
    public static Value diffuse(NoiseLevels levels, Value x0, Value noise) {
        return levels.graph().apply(new Mix(), x0, noise, levels.signal(1), levels.noise(1));
    }

    /// What the network is trained towards.
    public Value target(NoiseLevels levels, Value x0, Value noise) {
        return switch (this) {
            case NOISE -> noise;
            case X0 -> x0;
            case V -> levels.graph().apply(new Mix(), noise, x0, levels.signal(1), levels.noise(-1));
        };
    }

    /// The noise that a prediction implies.
    public Value noise(NoiseLevels levels, Value x, Value prediction) {
        return combine(levels, x, prediction, NOISE);
    }

    /// The clean image that a prediction implies.
    public Value clean(NoiseLevels levels, Value x, Value prediction) {
        return combine(levels, x, prediction, X0);
    }

    private Value combine(NoiseLevels levels, Value x, Value prediction, Objective wanted) {
        if (this == wanted) {
            return prediction;
        }
        Value ofX = levels.lookUp("of_x", step -> convert(wanted, levels.signalAt(step), levels.noiseAt(step))
                .ofX());
        Value ofPrediction =
                levels.lookUp("of_prediction", step -> convert(wanted, levels.signalAt(step), levels.noiseAt(step))
                        .ofPrediction());
        return levels.graph().apply(new Mix(), x, prediction, ofX, ofPrediction);
    }

    /// `wanted = ofX x + ofPrediction prediction`.
    record Conversion(double ofX, double ofPrediction) {}

    /// The noise or the clean image as a combination of x and this prediction, for signal a and noise s.
    ///
    /// @throws IllegalArgumentException if v is wanted, which nothing needs
    Conversion convert(Objective wanted, double a, double s) {
        return switch (wanted) {
            case NOISE ->
                switch (this) {
                    case NOISE -> new Conversion(0, 1);
                    case X0 -> new Conversion(1 / s, -a / s);
                    case V -> new Conversion(s, a);
                };
            case X0 ->
                switch (this) {
                    case NOISE -> new Conversion(1 / a, -s / a);
                    case X0 -> new Conversion(0, 1);
                    case V -> new Conversion(a, -s);
                };
            case V -> throw new IllegalArgumentException("objective: expected NOISE or X0, found " + wanted);
        };
    }
}
