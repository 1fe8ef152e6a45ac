/// Random numbers as a pure function of (seed, purpose, step, element): no generator state, so a run resumes or
/// replays any step without any, and the same bits come out on the CPU and under CUDA. Only integer operations and
/// IEEE float add, multiply, fused multiply-add, square root and conversion are used.
///
/// Imports nothing else of ours but is imported by devices and data. Read [Philox] first, then [Draw].
package dev.rote.random;
