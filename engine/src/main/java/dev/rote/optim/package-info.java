/// Optimizers as parts of a graph, over flat buffers arranged by [dev.rote.nn.ParameterLayout].
///
/// [Backward] appends the gradients of one or more micro-batches, [Optimizer] the update that follows, both from an
/// [OptimizerConfig]. Imports `graph` and `nn`. Read [Optimizer] first.
package dev.rote.optim;
