package dev.rote.storage;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.random.RandomGenerator;

/// Damages a file in one to four seeded ways: changed bits and bytes, cuts, copies, foreign tokens, extreme numbers.
public final class Mutation {
    private static final String[] TOKENS = {
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "\"",
        "\\u0000",
        "null",
        "true",
        "-1",
        "0",
        "1e999",
        "9223372036854775807",
        "9223372036854775808",
        "18446744073709551616",
        "4611686018427387904",
        "0.5",
        "\"F32\"",
        "\"F8\"",
        "[0,0]",
        "{}",
        "\n",
        "\r\n",
        "NaN",
        "data_offsets",
        "__metadata__",
        "\"step\":",
        "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
        "/*",
        "\ufeff"
    };
    private static final byte[] EXTREMES = {0, 1, 7, (byte) 0x7f, (byte) 0x80, (byte) 0xff, (byte) 0xc3, '9', ' ', '\n'
    };

    private Mutation() {}

    /// A damaged copy.
    public static byte[] of(byte[] original, RandomGenerator random) {
        byte[] file = original;
        for (int i = random.nextInt(1, 5); i > 0; i--) {
            file = once(file, random);
        }
        return file;
    }

    private static byte[] once(byte[] file, RandomGenerator random) {
        if (file.length == 0) {
            return new byte[] {(byte) random.nextInt()};
        }
        int at = random.nextInt(file.length);
        int length = Math.min(random.nextInt(1, 20), file.length - at);
        byte[] copy = file.clone();
        switch (random.nextInt(9)) {
            case 0 -> copy[at] ^= (byte) (1 << random.nextInt(8));
            case 1 -> copy[at] = EXTREMES[random.nextInt(EXTREMES.length)];
            case 2 -> copy = Arrays.copyOf(file, at);
            case 3 -> copy = replace(file, at, at + length, new byte[0]);
            case 4 -> copy = replace(file, at, at, Arrays.copyOfRange(file, at, at + length));
            case 5 -> copy = replace(file, at, at + random.nextInt(length + 1), token(random));
            case 6 -> Arrays.fill(copy, 0, Math.min(8, copy.length), EXTREMES[random.nextInt(EXTREMES.length)]);
            case 7 -> copy[random.nextInt(Math.min(8, copy.length))] = (byte) random.nextInt();
            default -> {
                for (int i = at; i < at + length; i++) {
                    copy[i] = copy[i] >= '0' && copy[i] <= '9' ? (byte) ('0' + random.nextInt(10)) : copy[i];
                }
            }
        }
        return copy;
    }

    private static byte[] token(RandomGenerator random) {
        return TOKENS[random.nextInt(TOKENS.length)].getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] replace(byte[] file, int from, int to, byte[] with) {
        byte[] result = Arrays.copyOf(file, file.length - (to - from) + with.length);
        System.arraycopy(with, 0, result, from, with.length);
        System.arraycopy(file, to, result, from + with.length, file.length - to);
        return result;
    }
}
