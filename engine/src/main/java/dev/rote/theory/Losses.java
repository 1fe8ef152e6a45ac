package dev.rote.theory;

/// The model at one training time.
///
/// @param tau training time
/// @param train loss on the training points, per dimension
/// @param test loss on fresh points
/// @param score E_score, the squared distance to the true score per dimension; NaN where that is not known
public record Losses(double tau, double train, double test, double score) {
    /// L_gen, the gap between the losses.
    public double gap() {
        return test - train;
    }
}
