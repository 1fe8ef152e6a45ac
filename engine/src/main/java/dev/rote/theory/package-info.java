/// The random-features score model of Bonnaire, Urfin, Biroli & Mézard 2025 (arXiv:2505.17638), section 3: the
/// spectrum
/// that decides when it memorizes, by theory and by simulation, and its training in closed form and step by step.
///
/// One diffusion time t at a time; d data dimensions, n = psi_n d training points, p = psi_p d features. Imports
/// `graph`, `random`, `device`, `device.linalg` and `optim`. Read [Scalars], then [Resolvent], then
/// [GradientFlow].
package dev.rote.theory;
