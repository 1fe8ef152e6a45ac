package dev.rote.device.cuda;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/// The argument struct of one launch, written field by field in the order of its declaration in the `.cu` file.
///
/// Offsets follow the C rules: a number is aligned to its size, the struct to its largest alignment. The kernel's own
/// layout is compared with [#fields] whenever the stand-in is loaded ([Kernels]), so this is the only mirror.
final class Arguments {
    private static final int LIMIT = 4096; // of a kernel's parameters, but for replicas

    private final ByteBuffer bytes;
    private final List<String> fields = new ArrayList<>();
    private int alignment = 1;

    Arguments() {
        this(LIMIT);
    }

    private Arguments(int limit) {
        bytes = ByteBuffer.allocateDirect(limit).order(ByteOrder.nativeOrder());
    }

    /// `Replicas` of `kernel.cuh`: the structs of one kernel side by side, zeros behind those that are given.
    ///
    /// @param most how many there may be
    /// @param shift log2 of the planes of a grid
    static Arguments replicas(List<Arguments> each, int most, int shift) {
        Arguments first = each.getFirst();
        int size = first.struct().remaining();
        Arguments all = new Arguments(most * size + first.alignment + Integer.BYTES);
        all.alignment = first.alignment;
        all.fields.addAll(first.fields);
        for (int number = 0; number < most; number++) {
            all.bytes.put(number < each.size() ? each.get(number).struct() : ByteBuffer.allocate(size));
        }
        return all.i32("shift", shift);
    }

    /// A pointer; 0 for none.
    Arguments pointer(String name, long address) {
        place(name, 8, 'p');
        bytes.putLong(address);
        return this;
    }

    /// An array of them, zeros behind those that are given.
    Arguments pointers(String name, List<Long> addresses, int length) {
        place(name, 8 * length, 8, 'p');
        for (int i = 0; i < length; i++) {
            bytes.putLong(i < addresses.size() ? addresses.get(i) : 0);
        }
        return this;
    }

    Arguments i64(String name, long value) {
        place(name, 8, 'v');
        bytes.putLong(value);
        return this;
    }

    Arguments i32(String name, int value) {
        place(name, 4, 'v');
        bytes.putInt(value);
        return this;
    }

    /// An array, zeros behind the values that are given.
    Arguments i32s(String name, List<Integer> values, int length) {
        place(name, 4 * length, 4, 'v');
        for (int i = 0; i < length; i++) {
            bytes.putInt(i < values.size() ? values.get(i) : 0);
        }
        return this;
    }

    Arguments f32(String name, float value) {
        place(name, 4, 'v');
        bytes.putFloat(value);
        return this;
    }

    /// Boxes of a tensor for the copy engine.
    Arguments tensorMap(String name, TensorMap map) {
        place(name, map.bytes().length, TensorMap.ALIGNMENT, 'v');
        bytes.put(map.bytes());
        return this;
    }

    /// The number or address that a field holds.
    long value(String name) {
        for (String field : fields) {
            String[] parts = field.split(":");
            if (parts[0].equals(name)) {
                int offset = Integer.parseInt(parts[1]);
                return parts[2].equals("4") ? bytes.getInt(offset) : bytes.getLong(offset);
            }
        }
        throw new IllegalArgumentException("expected a field " + name + ", found " + fields);
    }

    private void place(String name, int size, char kind) {
        place(name, size, size, kind);
    }

    private void place(String name, int size, int to, char kind) {
        align(to);
        fields.add(name + ":" + bytes.position() + ":" + size + ":" + kind);
        alignment = Math.max(alignment, to);
    }

    private void align(int size) {
        while (bytes.position() % size != 0) {
            bytes.put((byte) 0);
        }
    }

    /// `name:offset:bytes:kind` of each field; of replicas, those of the first and what is behind them all.
    List<String> fields() {
        return List.copyOf(fields);
    }

    /// The struct, from its first byte, its end padded to its alignment.
    ByteBuffer struct() {
        align(alignment);
        return bytes.duplicate().order(ByteOrder.nativeOrder()).flip();
    }
}
