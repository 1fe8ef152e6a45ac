package dev.rote.device.cpu;

import static dev.rote.device.cpu.Memory.ALL;
import static dev.rote.device.cpu.Memory.F;
import static dev.rote.device.cpu.Memory.LANES;
import static dev.rote.device.cpu.Memory.ORDER;

import jdk.incubator.vector.FloatVector;

/// The vector loop of an optimizer's update, over whole vectors of [begin, end). Small for the reason given in
/// [RowMath].
final class UpdateMath {
    private UpdateMath() {}

    /// `v = mu v + scale g + decay p; p = p - lr v`.
    static void sgd(long p, long g, long v, long begin, long end, float lr, float scale, float mu, float decay) {
        for (long i = begin; i <= end - LANES; i += LANES) {
            FloatVector parameter = FloatVector.fromMemorySegment(F, ALL, p + 4 * i, ORDER);
            FloatVector step = FloatVector.fromMemorySegment(F, ALL, g + 4 * i, ORDER)
                    .mul(scale)
                    .add(parameter.mul(decay));
            step = FloatVector.fromMemorySegment(F, ALL, v + 4 * i, ORDER)
                    .mul(mu)
                    .add(step);
            step.intoMemorySegment(ALL, v + 4 * i, ORDER);
            parameter.sub(step.mul(lr)).intoMemorySegment(ALL, p + 4 * i, ORDER);
        }
    }
}
