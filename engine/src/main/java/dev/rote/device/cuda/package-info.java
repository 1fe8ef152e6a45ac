/// CUDA through JCuda's driver API: memory, modules, streams, launches and graphs, and the stand-in for the driver.
///
/// May import `device`, `graph`, `random`, `errors` and JCuda. The kernels are in `kernels/`; nothing here knows their
/// text. Read [Driver] first.
package dev.rote.device.cuda;
