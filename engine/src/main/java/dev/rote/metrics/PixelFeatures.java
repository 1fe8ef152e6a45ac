package dev.rote.metrics;

/// The pixels themselves as features. Distances in them are dominated by brightness and position: report what is
/// measured as "... on pixels (not FID)".
///
/// @param dimension values of an image
public record PixelFeatures(int dimension) implements FeatureExtractor {
    public PixelFeatures {
        if (dimension < 1) {
            throw new IllegalArgumentException("pixel features: expected at least one value, got " + dimension);
        }
    }

    @Override
    public String name() {
        return "Fréchet distance on pixels (not FID)";
    }

    @Override
    public Rows features(Rows images, int threads) {
        if (images.dimension() != dimension) {
            throw new IllegalArgumentException(
                    "pixel features: expected images of " + dimension + " values, got " + images.dimension());
        }
        return images;
    }
}
