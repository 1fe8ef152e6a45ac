package dev.rote.config;

/// Parameters of the metrics of samples.
///
/// @param alpha of the calibrated l2 test
/// @param neighbours of the calibrated l2 test
/// @param cells of k-means for C_T
/// @param prdcNeighbours k of precision, recall, density and coverage
public record SampleTests(double alpha, int neighbours, int cells, int prdcNeighbours) {
    /// As published: alpha 0.5 and 50 neighbours; 3 cells; k = 5.
    public static final SampleTests STANDARD = new SampleTests(0.5, 50, 3, 5);

    /// @throws IllegalArgumentException when a value is out of range; the message names the dotted key
    public SampleTests {
        Check.that(alpha > 0 && alpha <= 1, "measure.calibrated_alpha", "a number above 0, at most 1", alpha);
        Check.between(2, 64, "measure.calibrated_neighbours", neighbours);
        Check.between(1, 1000, "measure.c_t_cells", cells);
        Check.between(1, 64, "measure.prdc_neighbours", prdcNeighbours);
    }

    static SampleTests of(Section s) {
        return new SampleTests(
                s.real("calibrated_alpha", STANDARD.alpha),
                s.integer("calibrated_neighbours", STANDARD.neighbours),
                s.integer("c_t_cells", STANDARD.cells),
                s.integer("prdc_neighbours", STANDARD.prdcNeighbours));
    }

    /// Left out where they are the standard, so that runs from before there were these keys are still the same runs.
    void write(TomlText toml) {
        if (!equals(STANDARD)) {
            toml.put("calibrated_alpha", alpha)
                    .put("calibrated_neighbours", neighbours)
                    .put("c_t_cells", cells)
                    .put("prdc_neighbours", prdcNeighbours);
        }
    }
}
