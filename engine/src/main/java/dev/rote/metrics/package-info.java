/// What is measured on samples and on runs: exact nearest neighbours, tests for copies, the quality of samples, the
/// time scales tau_gen and tau_mem, and their laws, each with an interval. Plain mathematics on arrays: no file, no
/// plot; of a device only [NeighbourSearch] takes notice. Imports `errors`, and `device` and `graph` for that.
///
/// Results do not depend on the number of threads, bit for bit. Methods that take a number of threads can be
/// cancelled by interrupting the caller.
///
/// Read [NearestNeighbours] first, then [MemorizedFraction], [SampleMetrics] and [TimeScales].
package dev.rote.metrics;
