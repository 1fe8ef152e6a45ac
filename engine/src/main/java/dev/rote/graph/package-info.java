/// A training step as data: typed values, operations, derived gradients, fused patterns, one memory plan.
///
/// [Graph] is written by networks, [Autodiff] appends the backward half, [Fusion] rewrites patterns, [Plan]
/// decides lifetimes and lays every step value in one arena; a device then compiles the plan. Layout is NHWC,
/// channels innermost; 1-D data are H = 1. Imports nothing else of ours. Read [Op] first, then [Graph].
package dev.rote.graph;
