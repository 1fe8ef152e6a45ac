/// `rote theory`: the random-features model of memorization as figures and tables.
///
/// [TheoryFile] says what is computed, an [Experiment] computes it, [TheoryFiles] writes the folder. Imports the
/// engine's `theory` and the command's `cli` and `report`. Read [TheoryCommand] first.
package dev.rote.tools.theory;
