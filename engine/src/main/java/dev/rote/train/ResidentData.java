package dev.rote.train;

import dev.rote.data.Dataset;
import dev.rote.device.Buffer;
import dev.rote.device.Device;
import dev.rote.device.Owned;
import dev.rote.graph.DType;
import java.util.HashMap;
import java.util.Map;

/// A data set in device memory, 8-bit where it is 8-bit.
final class ResidentData implements AutoCloseable {
    private final Owned owned;
    private final Map<String, Buffer> buffers = new HashMap<>();

    static ResidentData open(Device device, String owner, Dataset data) {
        return Owned.opening(owned -> new ResidentData(owned, device, owner, data));
    }

    private ResidentData(Owned owned, Device device, String owner, Dataset data) {
        this.owned = owned;
        Buffer images = owned.add(device.allocate(owner, type(data), elements(data)), Buffer::close);
        images.write(0, data.values().asSlice(0, images.bytes()));
        buffers.put(TrainingStep.DATA, images);
        data.labels().ifPresent(labels -> {
            Buffer buffer = owned.add(device.allocate(owner + " labels", DType.I32, labels.length), Buffer::close);
            buffer.writeInts(labels);
            buffers.put(TrainingStep.LABELS, buffer);
        });
    }

    private static DType type(Dataset data) {
        return data.eightBit() ? DType.U8 : DType.F32;
    }

    private static long elements(Dataset data) {
        return (long) data.count() * data.extent().size();
    }

    /// What the data set takes on a device.
    static long bytes(Dataset data) {
        long labels = data.labels().map(all -> (long) all.length).orElse(0L);
        return elements(data) * type(data).bytes() + labels * DType.I32.bytes();
    }

    Map<String, Buffer> bindings() {
        return buffers;
    }

    @Override
    public void close() {
        owned.close();
    }
}
