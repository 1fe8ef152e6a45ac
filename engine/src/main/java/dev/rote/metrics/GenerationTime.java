package dev.rote.metrics;

/// When samples became good.
///
/// @param step tau_gen: first measured step whose Fréchet distance is within the factor of the minimum
/// @param minimumStep where the minimum is
/// @param minimum the smallest Fréchet distance up to tau_mem
/// @param minimumIsLast the minimum is at the last measurement up to tau_mem: it may not have been reached yet
public record GenerationTime(double step, double minimumStep, double minimum, boolean minimumIsLast) {}
