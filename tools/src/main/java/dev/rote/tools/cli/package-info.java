/// The commands `train`, `predict` and `doctor`, and what commands share: [Console], [Devices], [ProgressListener],
/// [Interruption].
///
/// Imports the engine, `features`, `RunSheets` of `study` and picocli. Read [PredictCommand] first: it is the
/// shortest whole path from options to a device and back.
package dev.rote.tools.cli;
