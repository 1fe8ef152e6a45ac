package dev.rote.bench;

import java.util.Random;

/// Seeded 8-bit training images, and queries of which every fourth is a training image with one pixel changed by one
/// step, so that the right answer is known and the distances are those of near copies.
///
/// @param training `[references, dimension]`
/// @param generated `[queries, dimension]`
/// @param dimension values of an image
record PlantedCopies(byte[] training, byte[] generated, int dimension) {
    static final int EVERY = 4;
    private static final int LEVELS = 256;

    /// @param shape queries x references x dimension
    static PlantedCopies draw(String shape) {
        int[] sizes = sizes(shape);
        int dimension = sizes[2];
        Random random = new Random(1);
        byte[] training = new byte[sizes[1] * dimension];
        random.nextBytes(training);
        byte[] generated = new byte[sizes[0] * dimension];
        random.nextBytes(generated);
        for (int query = 0; query < sizes[0]; query += EVERY) {
            System.arraycopy(training, query % sizes[1] * dimension, generated, query * dimension, dimension);
            int pixel = query * dimension + query % dimension;
            generated[pixel] = (byte) (generated[pixel] == (byte) (LEVELS - 1) ? LEVELS - 2 : generated[pixel] + 1);
        }
        return new PlantedCopies(training, generated, dimension);
    }

    /// Queries, references, dimension.
    static int[] sizes(String shape) {
        String[] parts = shape.split("x", -1);
        return new int[] {Integer.parseInt(parts[0]), Integer.parseInt(parts[1]), Integer.parseInt(parts[2])};
    }

    int queries() {
        return generated.length / dimension;
    }

    /// The training image that query `4 i` is a copy of.
    int original(int query) {
        return query % (training.length / dimension);
    }

    /// Values in [0, 1].
    static float[] floats(byte[] pixels) {
        float[] values = new float[pixels.length];
        for (int i = 0; i < values.length; i++) {
            values[i] = Byte.toUnsignedInt(pixels[i]) / (LEVELS - 1f);
        }
        return values;
    }

    /// The distance of a copy to its original.
    ///
    /// @param type `f32` or `u8`
    static double step(String type) {
        return type.equals("u8") ? 1 : 1 / (LEVELS - 1.0);
    }
}
