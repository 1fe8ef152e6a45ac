/// Measurement in the training loop: samples, memorized fraction, Fréchet distance, losses at fixed times.
///
/// [MeasuredRun] trains a run in its folder and measures at the configured steps. Imports `train`, `metrics`,
/// `diffusion` and below. Read [MeasuredRun] first, then [Measurer].
package dev.rote.measure;
