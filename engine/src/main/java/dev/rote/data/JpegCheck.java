package dev.rote.data;

import dev.rote.errors.DataException;

/// Walks the segments of a JPEG (ITU-T T.81, annex B) until the end-of-image mark.
final class JpegCheck {
    private static final int START_OF_SCAN = 0xda;
    private static final int END_OF_IMAGE = 0xd9;

    private JpegCheck() {}

    static void requireComplete(String name, byte[] file) {
        int at = 2;
        while (true) {
            at = nextMark(file, at);
            if (at + 1 >= file.length) {
                throw DataException.expected(name, "byte " + at, "the JPEG's end mark", "the end of the file");
            }
            int mark = file[at + 1] & 0xff;
            if (mark == END_OF_IMAGE) {
                return;
            }
            at += 2;
            if (mark == 0x01 || mark >= 0xd0 && mark <= 0xd8) {
                continue;
            }
            int length = at + 1 < file.length ? (file[at] & 0xff) << 8 | file[at + 1] & 0xff : 0;
            if (length < 2 || length > file.length - at) {
                throw DataException.expected(
                        name, "byte " + at, "a JPEG segment of 2 to " + (file.length - at) + " bytes", length + "");
            }
            at += length;
            if (mark == START_OF_SCAN) {
                at = afterScan(file, at);
            }
        }
    }

    /// Position of the next `ff` that is followed by something else than `ff`.
    private static int nextMark(byte[] file, int from) {
        int at = from;
        while (at + 1 < file.length && !(file[at] == (byte) 0xff && file[at + 1] != (byte) 0xff)) {
            at++;
        }
        return at;
    }

    /// Position of the mark that ends compressed data: not `ff 00`, not a restart.
    private static int afterScan(byte[] file, int from) {
        int at = nextMark(file, from);
        while (at + 1 < file.length) {
            int mark = file[at + 1] & 0xff;
            if (mark != 0 && !(mark >= 0xd0 && mark <= 0xd7)) {
                return at;
            }
            at = nextMark(file, at + 2);
        }
        return at;
    }
}
