package dev.rote.device.cuda;

import dev.rote.errors.DeviceException;

/// A [VendorCall] on operands at their addresses.
record VendorLaunch(VendorCall call, VendorCall.Operands operands) implements Launch {
    /// Puts the call on the stream that the library's handle is bound to; allowed while that is captured.
    ///
    /// @throws DeviceException if the library refuses what it took when it was tried
    void issue() {
        String refusal = call.issue(operands);
        if (!refusal.isEmpty()) {
            throw new DeviceException(call + ": " + refusal);
        }
    }
}
