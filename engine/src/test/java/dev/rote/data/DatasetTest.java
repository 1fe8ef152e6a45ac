package dev.rote.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;

class DatasetTest {
    private static final Extent EXTENT = new Extent(1, 2, 1);

    @Test
    void bytesAreImagesInZeroToOne() {
        try (Dataset data = Dataset.of(2, EXTENT, new byte[] {0, (byte) 255, 51, (byte) 128})) {
            assertThat(data.image(1)).containsExactly(0.2f, 128 / 255f);
            assertThat(data.image(0)).containsExactly(0f, 1f);
            assertThat(data.eightBit()).isTrue();
            assertThat(data.values().byteSize()).isEqualTo(4);
            assertThat(data.values().isReadOnly()).isTrue();
        }
    }

    @Test
    void copyAppliesScaleAndOffset() {
        byte[] bytes = {0, (byte) 255, 51, (byte) 128};
        MemorySegment memory = Arena.ofAuto().allocate(4);
        memory.copyFrom(MemorySegment.ofArray(bytes));
        try (Dataset data =
                new Dataset(Arena.ofShared(), memory, true, 2, EXTENT, null, new Dataset.Range(2f / 255f, -1.25f))) {
            MemorySegment target = Arena.ofAuto().allocate(8);
            data.copyTo(1, 2, target);
            assertThat(target.getAtIndex(ValueLayout.JAVA_FLOAT, 0)).isEqualTo(Math.fma(51f, 2f / 255f, -1.25f));
            assertThat(target.getAtIndex(ValueLayout.JAVA_FLOAT, 1)).isEqualTo(Math.fma(128f, 2f / 255f, -1.25f));
            assertThatThrownBy(() -> data.copyTo(0, 2, target))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("at least 16 bytes, found 8");
            assertThatThrownBy(() -> data.copyTo(0, 3, target)).isInstanceOf(IndexOutOfBoundsException.class);
        }
    }

    @Test
    void selectionCopiesImagesLabelsAndRange() {
        MemorySegment memory = Arena.ofAuto().allocate(6);
        memory.copyFrom(MemorySegment.ofArray(new byte[] {1, 2, 3, 4, 5, 6}));
        Dataset data =
                new Dataset(Arena.ofShared(), memory, true, 3, EXTENT, new int[] {7, 8, 9}, new Dataset.Range(3f, 4f));
        try (Dataset chosen = data.select(2, 0, 2)) {
            data.close();
            assertThat(chosen.values().toArray(ValueLayout.JAVA_BYTE)).containsExactly(5, 6, 1, 2, 5, 6);
            assertThat(chosen.labels()).contains(new int[] {9, 7, 9});
            assertThat(chosen.scale()).isEqualTo(3f);
            assertThat(chosen.offset()).isEqualTo(4f);
            assertThatThrownBy(() -> chosen.select(3)).isInstanceOf(IndexOutOfBoundsException.class);
        }
    }

    @Test
    void hashIsThatOfTheStatedBytes() throws Exception {
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        text.writeBytes("rote-data u8 2 1 2 1\n".getBytes(StandardCharsets.US_ASCII));
        text.writeBytes(new byte[] {1, 2, 3, 4});
        text.writeBytes(new byte[] {5, 0, 0, 0, 1, 1, 0, 0});
        MemorySegment memory = Arena.ofAuto().allocate(4);
        memory.copyFrom(MemorySegment.ofArray(new byte[] {1, 2, 3, 4}));
        try (Dataset data =
                new Dataset(Arena.ofShared(), memory, true, 2, EXTENT, new int[] {5, 257}, Dataset.Range.unit(true))) {
            byte[] expected = MessageDigest.getInstance("SHA-256").digest(text.toByteArray());
            assertThat(data.contentHash()).isEqualTo(HexFormat.of().formatHex(expected));
        }
    }

    @Test
    void hashTellsShapesAndValuesApart() {
        try (Dataset a = Dataset.of(2, EXTENT, new byte[4]);
                Dataset b = Dataset.of(2, new Extent(2, 1, 1), new byte[4]);
                Dataset c = Dataset.of(2, EXTENT, new byte[] {0, 0, 0, 1});
                Dataset d = Dataset.of(2, EXTENT, new float[4])) {
            assertThat(new String[] {a.contentHash(), b.contentHash(), c.contentHash(), d.contentHash()})
                    .doesNotHaveDuplicates();
        }
    }

    @Test
    void closedDataCannotBeRead() {
        Dataset data = Dataset.of(2, EXTENT, new float[] {0f, 0.5f, 1f, 0.25f});
        assertThat(data.image(1)).containsExactly(1f, 0.25f);
        data.close();
        data.close();
        assertThatThrownBy(() -> data.image(0)).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void lengthsAndValuesAreChecked() {
        assertThatThrownBy(() -> Dataset.of(2, EXTENT, new byte[3])).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Dataset.of(1, EXTENT, new float[] {0f, Float.NaN}))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("value 1");
        assertThatThrownBy(() -> new Extent(1 << 16, 1 << 16, 1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new Extent(0, 1, 1)).isInstanceOf(IllegalArgumentException.class);
    }
}
