package dev.rote.train;

/// Is told what happens during training, on the thread that trains.
public interface TrainingListener {
    /// Losses of consecutive steps, the last of which is update number `step` (counted from 1).
    ///
    /// @param imagesPerSecond since the call before
    void onLosses(int step, float[] losses, double imagesPerSecond);

    /// Hears nothing.
    static TrainingListener silent() {
        return (step, losses, imagesPerSecond) -> {};
    }
}
