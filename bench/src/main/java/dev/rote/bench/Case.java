package dev.rote.bench;

/// What was timed; ours and the peers' times of equal cases are laid side by side.
///
/// @param benchmark `training_step`, `sampling`, `nearest_neighbours`, `memorized_fraction`, a part of an audit, or an
///     operation such as `conv2d`
/// @param shape such as `W=8 batch=64 32x32x1` or `256x1024x1024`
/// @param type `f32`, `tf32`, `bf16` or `u8`
public record Case(String benchmark, String shape, String type) {
    static final String TRAINING_STEP = "training_step";
    static final String SAMPLING = "sampling";
    static final String NEAREST_NEIGHBOURS = "nearest_neighbours";
    static final String MEMORIZED_FRACTION = "memorized_fraction";
    static final String MEMORIZATION_SEARCH = "memorization_search";
}
