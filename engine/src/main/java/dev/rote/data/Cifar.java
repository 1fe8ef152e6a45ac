package dev.rote.data;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.rote.errors.DataException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// CIFAR's binary batches (Krizhevsky 2009). A record, 3,073 bytes long for CIFAR-10 and 3,074 for CIFAR-100:
///
/// | offset | size | meaning |
/// |---|---|---|
/// | 0 | 1 | class: 0 to 9 (CIFAR-10), coarse class 0 to 19 (CIFAR-100) |
/// | 1 | 1 | CIFAR-100 only: fine class 0 to 99, which becomes the label |
/// | 1 or 2 | 3072 | red, then green, then blue plane, 32 rows of 32 |
///
/// A file whose length fits both is read as CIFAR-10.
final class Cifar {
    private static final Extent EXTENT = new Extent(32, 32, 3);
    private static final String NAMES = "data_batch_\\d+\\.bin|test_batch\\.bin|train\\.bin|test\\.bin";

    private Cifar() {}

    /// True for the file names of the published archives.
    static boolean named(Path file) {
        return file.getFileName().toString().matches(NAMES);
    }

    /// The files one after the other, in the order given.
    static ArraySource open(List<Path> files) {
        return Opener.guarded(arena -> {
            List<ArrayPart> parts = new ArrayList<>();
            int[] labels = new int[0];
            for (Path file : files) {
                MemorySegment bytes = Opened.map(file, arena);
                int head = headBytes(file, bytes.byteSize());
                int record = head + EXTENT.size();
                int count = Opener.count(file.toString(), "size", bytes.byteSize() / record);
                var strides = ArrayPart.Strides.nchw(record, EXTENT, 1);
                parts.add(ArrayPart.bytes(file.toString(), bytes, head, count, EXTENT, strides));
                int first = labels.length;
                labels = Arrays.copyOf(labels, first + count);
                for (int i = 0; i < count; i++) {
                    labels[first + i] = label(file, bytes, (long) i * record, head);
                }
            }
            return new ArraySource(arena, parts, labels);
        });
    }

    private static int headBytes(Path file, long size) {
        for (int head = 1; head <= 2; head++) {
            if (size > 0 && size % (head + EXTENT.size()) == 0) {
                return head;
            }
        }
        throw DataException.expected(file, "size", "a multiple of 3073 (CIFAR-10) or 3074 (CIFAR-100)", size + "");
    }

    private static int label(Path file, MemorySegment bytes, long at, int head) {
        int[] classes = head == 1 ? new int[] {10} : new int[] {20, 100};
        int label = 0;
        for (int k = 0; k < head; k++) {
            label = bytes.get(JAVA_BYTE, at + k) & 0xff;
            if (label >= classes[k]) {
                throw DataException.expected(
                        file, "byte " + (at + k), "a class from 0 to " + (classes[k] - 1), label + "");
            }
        }
        return label;
    }
}
