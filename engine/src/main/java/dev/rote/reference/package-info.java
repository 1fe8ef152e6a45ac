/// The definition of every operation: plain loops over `double[]`, one class per stem, slow and obvious on purpose.
///
/// A device is right if it agrees with these. [ReferenceRun] runs a whole graph by them, node by node; [Definitions]
/// is the list from operation to definition. Tensors are row-major, channels innermost. Letters as in
/// [dev.rote.graph.Op]. Imports `graph` and, for the random operations, `random`. Read [ReferenceRun] first.
package dev.rote.reference;
