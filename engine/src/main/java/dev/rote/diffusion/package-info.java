/// Denoising diffusion as parts of a graph: noise levels, training loss, samplers.
///
/// [Schedule] is the forward process, [Objective] what the network predicts of it, [TrainingLoss] draws times and
/// noise and writes the loss, [Sampler] writes one step of DDIM or DDPM. A network is any [Denoiser]. Time indices
/// count from 0 (least noise) to T - 1. Imports `graph`, `random`. Read [TrainingLoss] first.
package dev.rote.diffusion;
