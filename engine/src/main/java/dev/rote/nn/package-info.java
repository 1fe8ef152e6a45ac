/// Networks: plain functions that write a [dev.rote.graph.Graph], and where their parameters lie.
///
/// [Parameters] hands out the leaves while a network is written and lays them in flat buffers, [ParameterLayout] is
/// that arrangement, [UNet] writes the U-Nets of studies 1 and 3 and of iDDPM, [UNetFiles] reads and writes their
/// weights. Images are NHWC, filters [K,R,S,C]; files hold PyTorch's shapes. Imports `graph`, `random`, `storage` and
/// `errors`. Read [UNet] first.
package dev.rote.nn;
