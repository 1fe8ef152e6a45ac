/// The CPU device: oneDNN for convolutions and matrix products, the Vector API for the rest.
///
/// The batch is split over lanes, one thread each, and every lane runs its whole share of the step without meeting the
/// others but at collective operations; so there is no fork and join per operation. Imports `graph`, `random`, the
/// contract in `device`, and the oneDNN bindings. Read [CpuDevice], then [Lowering].
package dev.rote.device.cpu;
