/// Benchmarks of CPU and GPU (JMH; operations by [OperationTimes]) and the report that lays them beside the peers'
/// times.
///
/// Imports the engine's public classes; nothing imports this package. Each benchmark checks its result in the run that
/// it times. Read [Study] and [TrainingStepBench] first; `bench/README.md` says how to run.
package dev.rote.bench;
