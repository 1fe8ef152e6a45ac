package dev.rote.tools.report;

/// Memorized fraction of held-out images: what the test `d1/d2 < k` finds where nothing can have been copied.
///
/// @param k threshold of the ratio
/// @param value share in [0, 1]
/// @param low lower end of its 95 % interval, NaN when there is none
/// @param high upper end of its 95 % interval, NaN when there is none
/// @param images held-out images behind it, 0 when unknown
public record BaseRate(double k, double value, double low, double high, int images) {}
