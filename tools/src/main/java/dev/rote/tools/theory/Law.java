package dev.rote.tools.theory;

import dev.rote.config.ConfigTree;
import dev.rote.config.Named;
import dev.rote.config.Section;
import dev.rote.data.DataOptions;
import dev.rote.data.Dataset;
import dev.rote.data.TrainingData;
import dev.rote.device.linalg.Lapack;
import dev.rote.device.linalg.Matrix;
import dev.rote.errors.DataException;
import dev.rote.theory.Population;
import dev.rote.theory.Spectrum;
import java.util.List;
import tools.jackson.databind.node.JsonNodeFactory;

/// A distribution of data, `[law.NAME]` of a file.
///
/// @param name of the table
/// @param covariance its spectrum
/// @param variance Tr Sigma / d; of images 1
/// @param low smaller eigenvalue of two
/// @param high larger eigenvalue of two
/// @param share of the smaller one
/// @param exponent of the power law
/// @param degreesOfFreedom of Student's t; 0 for Gaussian data
/// @param source of images
/// @param size of images, height and width
record Law(
        String name,
        Covariance covariance,
        double variance,
        double low,
        double high,
        double share,
        double exponent,
        int degreesOfFreedom,
        String source,
        int size) {
    /// Words for `covariance`.
    enum Covariance implements Named {
        IDENTITY("identity", List.of("variance", "degrees_of_freedom")),
        TWO_DELTA("two-delta", List.of("low", "high", "share", "degrees_of_freedom")),
        POWER_LAW("power-law", List.of("variance", "exponent", "degrees_of_freedom")),
        IMAGES("images", List.of("source", "size"));

        private final String word;
        private final List<String> keys;

        Covariance(String word, List<String> keys) {
            this.word = word;
            this.keys = keys;
        }

        @Override
        public String word() {
            return word;
        }
    }

    private static final List<String> KEYS = List.of(
            "covariance", "variance", "low", "high", "share", "exponent", "degrees_of_freedom", "source", "size");

    /// Images that decide the covariance, at most.
    private static final int MOST_IMAGES = 20_000;

    /// Gaussian data with Sigma = I.
    static final Law STANDARD = new Law("gaussian", Covariance.IDENTITY, 1, 0.5, 1.5, 0.5, 1, 0, "", 0);

    /// Reads `[law.NAME]`.
    ///
    /// @throws DataException with file, line and key
    static Law of(ConfigTree tree, String name) {
        Section s = Section.of(tree, "law." + name, KEYS);
        Covariance covariance = s.choice("covariance", Covariance.values(), Covariance.IDENTITY);
        for (String key : KEYS.subList(1, KEYS.size())) {
            if (s.find(key).isPresent() && !covariance.keys.contains(key)) {
                throw new DataException(tree.place(s.dotted(key)) + ": " + s.dotted(key)
                        + ": covariance \"" + covariance.word + "\" knows no such key; it has "
                        + String.join(", ", covariance.keys));
            }
        }
        Law law = new Law(
                name,
                covariance,
                positive(s, "variance", 1),
                positive(s, "low", 0.5),
                positive(s, "high", 1.5),
                s.real("share", 0.5),
                s.real("exponent", 1),
                s.integer("degrees_of_freedom", 0),
                s.text("source", "builtin:fashion-mnist"),
                s.integer("size", 10));
        if (!(law.share > 0 && law.share < 1)) {
            throw wrong(s, "share", "a number above 0 and below 1", law.share);
        }
        if (law.low > law.high) {
            throw wrong(s, "high", "at least low, which is " + law.low, law.high);
        }
        if (!(law.exponent >= 0)) {
            throw wrong(s, "exponent", "0 or more", law.exponent);
        }
        if (law.degreesOfFreedom != 0 && law.degreesOfFreedom < 3) {
            throw wrong(
                    s,
                    "degrees_of_freedom",
                    "3 or more, so that there is a variance, or 0 for Gaussian data",
                    law.degreesOfFreedom);
        }
        if (law.size < 1) {
            throw wrong(s, "size", "1 or more", law.size);
        }
        return law;
    }

    private static double positive(Section s, String key, double fallback) {
        double value = s.real(key, fallback);
        if (!(value > 0)) {
            throw wrong(s, key, "a number above 0", value);
        }
        return value;
    }

    private static DataException wrong(Section s, String key, String expected, double found) {
        return s.wrong(key, expected, JsonNodeFactory.instance.numberNode(found));
    }

    boolean heavyTailed() {
        return degreesOfFreedom > 0;
    }

    /// Whether the losses of the Gaussian equivalent are those of these data.
    boolean gaussian() {
        return !heavyTailed() && covariance != Covariance.IMAGES;
    }

    /// For people: `Σ = I`, `Σ ~ k^-1, Student t with 3 degrees of freedom`.
    String words(Population population) {
        return population.covariance().name()
                + (heavyTailed() ? ", Student t with " + degreesOfFreedom + " degrees of freedom" : "");
    }

    /// The distribution in d dimensions.
    ///
    /// @throws DataException if images have another number of pixels, or cannot be read
    Population population(int d, Lapack lapack) {
        return switch (covariance) {
            case IDENTITY -> elliptical(Spectrum.identity(variance), d);
            case TWO_DELTA -> elliptical(Spectrum.twoDelta(low, high, share), d);
            case POWER_LAW -> elliptical(Spectrum.powerLaw(exponent, d, variance), d);
            case IMAGES -> images(d, lapack);
        };
    }

    private Population elliptical(Spectrum spectrum, int d) {
        return new Population.Elliptical(spectrum, d, degreesOfFreedom);
    }

    private Population images(int d, Lapack lapack) {
        try (TrainingData data =
                TrainingData.load(DataOptions.of(source).withSize(size).withGray(true))) {
            Dataset images = data.train();
            if (size * size != d) {
                throw new DataException("law." + name + ".size: expected images of " + d
                        + " pixels, as model.d says, found " + size + " x " + size);
            }
            int count = Math.min(MOST_IMAGES, images.count());
            Matrix points = new Matrix(count, d);
            double[] row = new double[d];
            for (int i = 0; i < count; i++) {
                float[] image = images.image(i);
                for (int j = 0; j < d; j++) {
                    row[j] = image[j];
                }
                points.setRow(i, row);
            }
            return Population.Sample.of(source, points, lapack);
        }
    }
}
