package dev.rote.device.linalg;

import java.util.Optional;

/// Eigenvalues of a symmetric matrix, and its eigenvectors if they were asked for.
///
/// @param values ascending
/// @param vectors orthonormal rows: row k belongs to `values[k]`
public record Eigen(double[] values, Optional<Matrix> vectors) {}
