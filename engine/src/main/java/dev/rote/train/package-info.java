/// Training a diffusion model on a device: one program per step, checkpoints, run folders, listeners.
///
/// [Trainer] is what a Java program embeds; [RunFolder] adds files that survive kill -9. Imports everything of the
/// engine but `metrics` and `measure`. Read [Trainer] first, then [TrainingStep].
package dev.rote.train;
