/// Features for the Fréchet distance by the name that a configuration gives them, and those of a user's own network.
///
/// Imports `dev.rote.metrics`, `dev.rote.data`, `dev.rote.config` and ONNX Runtime. Read [Features] first.
package dev.rote.tools.features;
