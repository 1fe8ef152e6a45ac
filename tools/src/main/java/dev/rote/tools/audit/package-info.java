/// `rote audit`: does a model's output copy its training images?
///
/// Imports `dev.rote.metrics`, `dev.rote.data`, `dev.rote.tools.features` and `dev.rote.tools.report`. Read [Audit]
/// first.
package dev.rote.tools.audit;
