package dev.rote.device.cpu;

import static dev.rote.device.cpu.Memory.ALL;
import static dev.rote.device.cpu.Memory.LANES;
import static dev.rote.device.cpu.Memory.ORDER;
import static dev.rote.device.cpu.PanelProduct.PAIR;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/// Copies of one head's tokens between native memory and the layouts of [PanelProduct] on the heap.
///
/// Four channels of a token at a time, or four tokens of a channel: those of a head are too few for longer vectors.
final class PanelMoves {
    private static final VectorSpecies<Float> FOUR = FloatVector.SPECIES_128;
    private static final int COUNT = FOUR.length();

    private PanelMoves() {}

    /// [tokens, depth] row by row, times a factor.
    ///
    /// @param stride floats from one token to the next
    static void rows(long from, int stride, int tokens, int depth, float factor, float[] to) {
        int whole = depth / COUNT * COUNT;
        for (int t = 0; t < tokens; t++) {
            long at = from + 4L * t * stride;
            int row = t * depth;
            for (int d = 0; d < whole; d += COUNT) {
                FloatVector.fromMemorySegment(FOUR, ALL, at + 4L * d, ORDER)
                        .mul(factor)
                        .intoArray(to, row + d);
            }
            for (int d = whole; d < depth; d++) {
                to[row + d] = Memory.getFloat(at + 4L * d) * factor;
            }
        }
    }

    /// [depth / 4, count, 4]: four channels side by side, token by token.
    ///
    /// @param rows [tokens, depth], of which `count` tokens are taken from `first` on
    static void byDepth(float[] rows, int first, int count, int depth, float[] to, int toFrom) {
        int whole = depth / COUNT * COUNT;
        for (int t = 0; t < count; t++) {
            int row = (first + t) * depth;
            int at = toFrom + t * COUNT;
            for (int d = 0; d < whole; d += COUNT) {
                FloatVector.fromArray(FOUR, rows, row + d).intoArray(to, at + d * count);
            }
            for (int d = whole; d < depth; d++) {
                to[at + whole * count + d - whole] = rows[row + d];
            }
        }
    }

    /// [tokens / 4, depth, 4]: four tokens side by side, channel by channel.
    ///
    /// @param rows [tokens, depth], with room for a whole number of fours
    static void fours(float[] rows, int tokens, int depth, float[] to) {
        for (int t = 0; t < tokens; t += COUNT) {
            int first = t * depth;
            int second = first + depth;
            int third = second + depth;
            int fourth = third + depth;
            for (int d = 0; d < depth; d++) {
                to[first + d * COUNT] = rows[first + d];
                to[first + d * COUNT + 1] = rows[second + d];
                to[first + d * COUNT + 2] = rows[third + d];
                to[first + d * COUNT + 3] = rows[fourth + d];
            }
        }
    }

    /// [tokens / PAIR, depth, PAIR]: strips of tokens, channel by channel.
    ///
    /// @param rows [tokens, depth], with room for a whole number of fours
    static void strips(float[] rows, int tokens, int depth, float[] to) {
        for (int t = 0; t < tokens; t += COUNT) {
            fourTokens(rows, t * depth, depth, to, t / PAIR * PAIR * depth + t % PAIR);
        }
    }

    private static void fourTokens(float[] rows, int first, int depth, float[] to, int at) {
        int second = first + depth;
        int third = second + depth;
        int fourth = third + depth;
        for (int d = 0; d < depth; d++) {
            to[at + d * PAIR] = rows[first + d];
            to[at + d * PAIR + 1] = rows[second + d];
            to[at + d * PAIR + 2] = rows[third + d];
            to[at + d * PAIR + 3] = rows[fourth + d];
        }
    }

    /// [depth / LANES, padded, LANES]: a vector of channels, token by token.
    static void vectors(float[] rows, int tokens, int depth, float[] to, int padded) {
        for (int t = 0; t < tokens; t++) {
            for (int d = 0; d < depth; d++) {
                to[(d / LANES * padded + t) * LANES + d % LANES] = rows[t * depth + d];
            }
        }
    }

    /// The same back to native memory, row by row, times a factor.
    static void fromVectors(float[] from, int padded, int tokens, int depth, float factor, long to, int stride) {
        int whole = depth / COUNT * COUNT;
        for (int t = 0; t < tokens; t++) {
            long at = to + 4L * t * stride;
            for (int d = 0; d < whole; d += COUNT) {
                FloatVector.fromArray(FOUR, from, (d / LANES * padded + t) * LANES + d % LANES)
                        .mul(factor)
                        .intoMemorySegment(ALL, at + 4L * d, ORDER);
            }
            for (int d = whole; d < depth; d++) {
                Memory.setFloat(at + 4L * d, from[(d / LANES * padded + t) * LANES + d % LANES] * factor);
            }
        }
    }

    /// A strip's first `count` tokens to native memory, row by row, each times its factor.
    static void fromStrip(float[] strip, int count, int depth, float[] factors, long to, int stride) {
        int whole = count / COUNT * COUNT;
        long row = 4L * stride;
        for (int t = 0; t < whole; t += COUNT) {
            fourTokens(strip, t, depth, factors, to + t * row, row);
        }
        for (int t = whole; t < count; t++) {
            for (int d = 0; d < depth; d++) {
                Memory.setFloat(to + t * row + 4L * d, strip[d * PAIR + t] * factors[t]);
            }
        }
    }

    private static void fourTokens(float[] strip, int t, int depth, float[] factors, long to, long row) {
        float first = factors[t];
        float second = factors[t + 1];
        float third = factors[t + 2];
        float fourth = factors[t + 3];
        for (int d = 0; d < depth; d++) {
            int at = d * PAIR + t;
            long channel = to + 4L * d;
            Memory.setFloat(channel, strip[at] * first);
            Memory.setFloat(channel + row, strip[at + 1] * second);
            Memory.setFloat(channel + 2 * row, strip[at + 2] * third);
            Memory.setFloat(channel + 3 * row, strip[at + 3] * fourth);
        }
    }
}
