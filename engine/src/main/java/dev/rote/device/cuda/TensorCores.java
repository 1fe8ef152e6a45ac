package dev.rote.device.cuda;

/// What of a device's tensor cores a program uses.
///
/// @param tf32 whether products of f32 tensors may round their factors to 10 bits of mantissa
/// @param sm90 whether the kernels for compute capability 9.0 alone may run: `wgmma` and the tensor copy engine
record TensorCores(boolean tf32, boolean sm90) {}
