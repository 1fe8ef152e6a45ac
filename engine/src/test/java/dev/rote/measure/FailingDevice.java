package dev.rote.measure;

import dev.rote.device.Buffer;
import dev.rote.device.Device;
import dev.rote.device.Program;
import dev.rote.errors.DeviceException;
import dev.rote.graph.DType;
import dev.rote.graph.Plan;
import dev.rote.graph.Target;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/// A device that refuses memory after so many allocations and programs.
final class FailingDevice implements Device {
    private final Device device;
    private int left;

    FailingDevice(Device device, int successes) {
        this.device = device;
        this.left = successes;
    }

    private void spend(String what) {
        if (left-- == 0) {
            throw new DeviceException(what + " fails, as the test wants");
        }
    }

    @Override
    public Buffer allocate(String owner, DType type, long elements) {
        spend(owner);
        return device.allocate(owner, type, elements);
    }

    @Override
    public Program compile(String name, List<Plan> lanes, Map<String, Buffer> bindings) {
        spend(name);
        return device.compile(name, lanes, bindings);
    }

    @Override
    public Program together(String name, List<Part> parts) {
        spend(name);
        return device.together(name, parts);
    }

    @Override
    public String kind() {
        return device.kind();
    }

    @Override
    public String describe() {
        return device.describe();
    }

    @Override
    public int lanes(int batch) {
        return device.lanes(batch);
    }

    @Override
    public Target target() {
        return device.target();
    }

    @Override
    public long programBytes(List<Plan> lanes) {
        return device.programBytes(lanes);
    }

    @Override
    public OptionalLong freeBytes() {
        return device.freeBytes();
    }

    @Override
    public long allocatedBytes() {
        return device.allocatedBytes();
    }

    @Override
    public void close() {
        device.close();
    }
}
