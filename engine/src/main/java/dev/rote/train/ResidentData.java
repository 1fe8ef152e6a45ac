package dev.rote.train;

import dev.rote.data.Dataset;
import dev.rote.device.Buffer;
import dev.rote.device.Device;
import dev.rote.graph.DType;
import java.util.HashMap;
import java.util.Map;

/// A data set in device memory, 8-bit where it is 8-bit.
final class ResidentData implements AutoCloseable {
    private final Map<String, Buffer> buffers = new HashMap<>();

    ResidentData(Device device, String owner, Dataset data) {
        long elements = (long) data.count() * data.extent().size();
        Buffer images = device.allocate(owner, data.eightBit() ? DType.U8 : DType.F32, elements);
        images.write(0, data.values().asSlice(0, images.bytes()));
        buffers.put(TrainingStep.DATA, images);
        data.labels().ifPresent(labels -> {
            Buffer buffer = device.allocate(owner + " labels", DType.I32, labels.length);
            buffer.writeInts(labels);
            buffers.put(TrainingStep.LABELS, buffer);
        });
    }

    Map<String, Buffer> bindings() {
        return buffers;
    }

    @Override
    public void close() {
        buffers.values().forEach(Buffer::close);
    }
}
