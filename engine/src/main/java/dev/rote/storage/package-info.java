/// Files that outlive a run: weights and checkpoints ([SafeTensors]), metrics ([JsonLines]) and TensorBoard logs
/// ([TensorBoardEvents]), and how to replace a file so that a crash leaves the old or the new one ([AtomicFile]).
///
/// What is wrong with a file's content is a [dev.rote.errors.DataException], what is wrong with the disk an
/// [dev.rote.errors.EnvironmentException]; readers never allocate by a number that they have not checked against
/// the size of the file. Imports `errors` only. Read [SafeTensors] first.
package dev.rote.storage;
