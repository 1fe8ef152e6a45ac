package dev.rote.device.cuda;

/// What an operation puts on the stream: a kernel of ours, or a call of a vendor's library.
sealed interface Launch permits KernelLaunch, VendorLaunch {}
