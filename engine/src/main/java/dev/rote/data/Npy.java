package dev.rote.data;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.rote.errors.DataException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// NumPy's array format, versions 1 to 3:
///
/// | offset | size | meaning |
/// |---|---|---|
/// | 0 | 6 | `93 4e 55 4d 50 59` |
/// | 6 | 2 | version, major and minor |
/// | 8 | 2 (version 1) or 4 | length of the header text, little-endian |
/// | 10 or 12 | that length | Python dictionary with `descr`, `fortran_order` and `shape` |
/// | then | product of sizes x bytes of a value | values |
///
/// @param order null for one-byte values
/// @param start where the values begin, in bytes
record Npy(
        String path, char kind, int valueBytes, ByteOrder order, boolean fortran, long[] shape, long start, long end) {
    static final byte[] MAGIC = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y'};
    private static final int MAX_HEADER = 1 << 15;
    private static final Pattern DESCR = Pattern.compile("'descr'\\s*:\\s*'([<>|=]?)([a-z])(\\d{1,2})'");
    private static final Pattern FORTRAN = Pattern.compile("'fortran_order'\\s*:\\s*(True|False)");
    private static final Pattern SHAPE = Pattern.compile("'shape'\\s*:\\s*\\(([\\d\\s,L]*)\\)");
    private static final Set<Long> CHANNELS = Set.of(1L, 3L, 4L);

    /// Reads the header at the start of `head`, which may be shorter than the whole array.
    static Npy header(String path, MemorySegment head) {
        if (head.byteSize() < 12 || head.asSlice(0, 6).mismatch(MemorySegment.ofArray(MAGIC)) >= 0) {
            throw DataException.expected(path, "byte 0", "the NumPy mark 93 4e 55 4d 50 59", Opener.hex(head, 6));
        }
        int version = head.get(JAVA_BYTE, 6);
        if (version < 1 || version > 3) {
            throw DataException.expected(path, "byte 6", "NumPy format version 1, 2 or 3", version + "");
        }
        long length = version == 1
                ? head.get(JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), 8) & 0xffff
                : head.get(JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), 8) & 0xffffffffL;
        long text = version == 1 ? 10 : 12;
        if (length > MAX_HEADER || text + length > head.byteSize()) {
            long most = Math.min(MAX_HEADER, head.byteSize() - text);
            throw DataException.expected(path, "byte 8", "a header text of at most " + most + " bytes", length + "");
        }
        byte[] bytes = head.asSlice(text, length).toArray(JAVA_BYTE);
        return parse(path, new String(bytes, StandardCharsets.ISO_8859_1), text + length);
    }

    private static Npy parse(String path, String text, long start) {
        Matcher descr = find(path, DESCR, text, "'descr': a plain type such as '<f4'");
        Matcher fortran = find(path, FORTRAN, text, "'fortran_order': True or False");
        Matcher shape = find(path, SHAPE, text, "'shape': a tuple of numbers");
        char kind = descr.group(2).charAt(0);
        int valueBytes = Integer.parseInt(descr.group(3));
        if ("ufib".indexOf(kind) < 0 || !List.of(1, 2, 4, 8).contains(valueBytes)) {
            throw DataException.expected(path, "header, 'descr'", "u1, f2, f4 or f8", descr.group(2) + valueBytes);
        }
        String[] sizes =
                shape.group(1).isBlank() ? new String[0] : shape.group(1).split(",");
        long[] dims = new long[sizes.length];
        long values = valueBytes;
        for (int k = 0; k < sizes.length; k++) {
            String size = sizes[k].strip().replace("L", "");
            if (size.isEmpty() && k == sizes.length - 1) {
                dims = Arrays.copyOf(dims, k);
                break;
            }
            dims[k] = size(path, size);
            values = Opener.product(path, "header, 'shape'", values, dims[k]);
        }
        ByteOrder order = descr.group(1).equals(">") ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN;
        return new Npy(path, kind, valueBytes, order, fortran.group(1).equals("True"), dims, start, start + values);
    }

    private static long size(String path, String digits) {
        if (digits.isEmpty() || digits.length() > 18 || digits.chars().anyMatch(c -> c < '0' || c > '9')) {
            throw DataException.expected(path, "header, 'shape'", "a tuple of numbers", "'" + digits + "'");
        }
        return Long.parseLong(digits);
    }

    private static Matcher find(String path, Pattern pattern, String text, String expected) {
        Matcher matcher = pattern.matcher(text);
        if (!matcher.find()) {
            throw DataException.expected(
                    path,
                    "header",
                    expected,
                    text.substring(0, Math.min(120, text.length())).strip());
        }
        return matcher;
    }

    /// True when the array can hold images.
    boolean imageLike() {
        return (shape.length == 3 || shape.length == 4) && type() != null;
    }

    /// True when the array can hold class numbers of `images` images: integers `[N]` or `[N,1]`.
    boolean labelLike(long images) {
        boolean vector = shape.length == 1 || shape.length == 2 && shape[1] == 1;
        return vector && shape[0] == images && "ui".indexOf(kind) >= 0;
    }

    private ArrayPart.Type type() {
        return switch (kind) {
            case 'u' -> valueBytes == 1 ? ArrayPart.Type.U8 : null;
            case 'f' ->
                switch (valueBytes) {
                    case 2 -> ArrayPart.Type.F16;
                    case 4 -> ArrayPart.Type.F32;
                    case 8 -> ArrayPart.Type.F64;
                    default -> null;
                };
            default -> null;
        };
    }

    /// The images in `bytes`, the whole array file; `name` may carry `layout` and `range`.
    ArrayPart images(MemorySegment bytes, SourceName name) {
        requireSize(bytes);
        if (type() == null) {
            throw DataException.expected(path, "header, 'descr'", "u1, f2, f4 or f8", kind + "" + valueBytes);
        }
        if (shape.length != 3 && shape.length != 4) {
            throw DataException.expected(
                    path, "header, 'shape'", "[N,H,W], [N,H,W,C] or [N,C,H,W]", Arrays.toString(shape));
        }
        boolean channelsLast = shape.length == 3 || channelsLast(name);
        long channels = shape.length == 3 ? 1 : channelsLast ? shape[3] : shape[1];
        int rows = channelsLast ? 1 : 2;
        Extent extent = Opener.extent(path, "header, 'shape'", shape[rows], shape[rows + 1], channels);
        long[] s = byteStrides();
        var strides = shape.length == 3
                ? new ArrayPart.Strides(s[0], s[1], s[2], valueBytes)
                : channelsLast
                        ? new ArrayPart.Strides(s[0], s[1], s[2], s[3])
                        : new ArrayPart.Strides(s[0], s[2], s[3], s[1]);
        int count = Opener.count(path, "header, 'shape'", shape[0]);
        double[] range = name.range();
        return new ArrayPart(path, bytes, start, count, extent, strides, type(), order, range[0], range[1]);
    }

    private void requireSize(MemorySegment bytes) {
        if (bytes.byteSize() != end) {
            throw DataException.expected(path, "size", end + " bytes as the header says", bytes.byteSize() + "");
        }
    }

    private boolean channelsLast(SourceName name) {
        String layout = name.query().get("layout");
        if (layout != null) {
            if (!layout.equals("nhwc") && !layout.equals("nchw")) {
                throw DataException.expected(name.text(), "layout", "nhwc or nchw", layout);
            }
            return layout.equals("nhwc");
        }
        if (!CHANNELS.contains(shape[3]) && !CHANNELS.contains(shape[1])) {
            throw DataException.expected(
                    path,
                    "header, 'shape'",
                    "a second or last axis of 1, 3 or 4 channels (or ?layout=nhwc or nchw after the path)",
                    Arrays.toString(shape));
        }
        return CHANNELS.contains(shape[3]);
    }

    private long[] byteStrides() {
        long[] strides = new long[shape.length];
        long next = valueBytes;
        for (int j = 0; j < shape.length; j++) {
            int k = fortran ? j : shape.length - 1 - j;
            strides[k] = next;
            next *= shape[k];
        }
        return strides;
    }

    /// The class numbers in `bytes`, the whole array file: see [#labelLike].
    int[] labels(MemorySegment bytes, int images) {
        requireSize(bytes);
        if (!labelLike(images)) {
            throw DataException.expected(
                    path,
                    "header",
                    "integer labels of shape (" + images + ",)",
                    kind + "" + valueBytes + " " + Arrays.toString(shape));
        }
        int[] labels = new int[images];
        for (int i = 0; i < images; i++) {
            long label = 0;
            for (int b = 0; b < valueBytes; b++) {
                int from = order == ByteOrder.BIG_ENDIAN ? b : valueBytes - 1 - b;
                label = label << 8 | bytes.get(JAVA_BYTE, start + (long) i * valueBytes + from) & 0xff;
            }
            if (label < 0 || label > Integer.MAX_VALUE) {
                throw DataException.expected(path, "label " + i, "0 to 2147483647", label + "");
            }
            labels[i] = (int) label;
        }
        return labels;
    }
}
