package dev.rote.nn;

import dev.rote.graph.Graph;
import dev.rote.graph.Value;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/// A residual network of fully connected layers in numbers: what [ResidualMlp] writes.
///
/// @param dimension d, values of one data point
/// @param width W of the hidden layers, even
/// @param blocks residual blocks
/// @param times rows of the time table: the time indices of the schedule
/// @param eps added to the variance by each layer normalisation
/// @param classes number of class labels; 0 for none
public record ResidualMlpConfig(int dimension, int width, int blocks, int times, float eps, int classes)
        implements Network {
    /// Smallest frequency of the positional encoding (Bonnaire et al. 2025, arXiv:2505.17638, released code).
    static final double MIN_FREQUENCY = 1e-4;

    /// @throws IllegalArgumentException if a number is out of range
    public ResidualMlpConfig {
        require(dimension >= 1, "dimension", "at least 1", dimension);
        require(width >= 2 && width % 2 == 0, "width", "an even number of at least 2", width);
        require(blocks >= 1, "blocks", "at least 1", blocks);
        require(times >= 1, "times", "at least 1", times);
        require(eps > 0 && Float.isFinite(eps), "eps", "a finite number above 0", eps);
        require(classes >= 0, "classes", "at least 0", classes);
    }

    /// Study 1 (Bonnaire et al. 2025, arXiv:2505.17638, appendix B): three blocks, 1000 times, no classes.
    public static ResidualMlpConfig study1(int dimension, int width) {
        return new ResidualMlpConfig(dimension, width, 3, 1000, 1e-5f, 0);
    }

    @Override
    public Value build(Graph graph, Parameters parameters, Value x, Value t, Optional<Value> labels, Mode mode) {
        return ResidualMlp.build(graph, parameters, this, x, t, labels, mode);
    }

    @Override
    public long size() {
        return ResidualMlp.declare(this).size();
    }

    @Override
    public ParameterLayout layout() {
        return ResidualMlp.declare(this).freeze();
    }

    @Override
    public Map<String, String> metadata() {
        Map<String, String> metadata = new LinkedHashMap<>();
        metadata.put("mlp.eps", Float.toString(eps));
        metadata.put("mlp.times", Integer.toString(times));
        return metadata;
    }

    private static void require(boolean holds, String option, String expected, Object found) {
        if (!holds) {
            throw new IllegalArgumentException("MLP " + option + ": expected " + expected + ", found " + found);
        }
    }
}
