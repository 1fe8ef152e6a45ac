/// Where programs run: a [Device] allocates [Buffer]s and compiles plans to [Program]s.
///
/// Devices are `dev.rote.device.cpu` and, later, `dev.rote.device.cuda`. Imports `graph` and `random`. Read [Device]
/// first.
package dev.rote.device;
