package dev.rote.data;

import dev.rote.errors.DataException;
import dev.rote.errors.EnvironmentException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.IntBuffer;
import java.nio.ShortBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import org.lwjgl.stb.STBIWriteCallback;
import org.lwjgl.stb.STBImage;
import org.lwjgl.stb.STBImageWrite;
import org.lwjgl.system.MemoryStack;
import org.lwjgl.system.MemoryUtil;

/// Single pictures: PNG (8 and 16 bits), JPEG, BMP, TGA, PGM, PPM in; PNG out. Colour profiles and camera orientation
/// are not applied.
public final class ImageFile {
    private ImageFile() {}

    /// Reads a picture: 8-bit, or floats in [0, 1] for a 16-bit PNG; 1 or 3 channels, an alpha channel blended over
    /// white.
    ///
    /// @throws DataException if there is none, it is damaged, or it has too many pixels
    /// @throws EnvironmentException if it may not be read
    public static Image read(Path path, ReadOptions options) {
        return decode(path.toString(), bytes(path, options), options);
    }

    /// The bytes of a regular file that is not too large.
    static byte[] bytes(Path path, ReadOptions options) {
        if (!Files.isRegularFile(path)) {
            throw new DataException(path + (Files.exists(path) ? ": not a file" : ": no such file"));
        }
        try (InputStream in = Files.newInputStream(path)) {
            return limited(path.toString(), in, options);
        } catch (IOException e) {
            throw Opened.failure(path, e);
        }
    }

    /// Everything in `in`, if that is no more than a picture file may have.
    static byte[] limited(String name, InputStream in, ReadOptions options) throws IOException {
        byte[] bytes = in.readNBytes((int) options.maxImageFileBytes() + 1);
        if (bytes.length > options.maxImageFileBytes()) {
            throw DataException.expected(name, "size", "at most " + options.maxImageFileBytes() + " bytes", "more");
        }
        return bytes;
    }

    /// Size and storage from the header of a picture in memory.
    static DataSource.Frame frame(String name, byte[] file, ReadOptions options) {
        format(name, file);
        ByteBuffer copy = copy(file);
        try {
            return frame(name, copy, options);
        } finally {
            MemoryUtil.memFree(copy);
        }
    }

    private static PictureFormat format(String name, byte[] file) {
        return PictureFormat.of(name, file)
                .orElseThrow(() -> DataException.expected(
                        name,
                        "byte 0",
                        "a PNG, JPEG, BMP, TGA, PGM or PPM picture",
                        Opener.hex(MemorySegment.ofArray(file), 8)));
    }

    private static ByteBuffer copy(byte[] file) {
        return MemoryUtil.memAlloc(file.length).put(file).flip();
    }

    private static DataSource.Frame frame(String name, ByteBuffer file, ReadOptions options) {
        try (MemoryStack stack = MemoryStack.stackPush()) {
            IntBuffer size = stack.mallocInt(3);
            if (!STBImage.stbi_info_from_memory(file, size.slice(0, 1), size.slice(1, 1), size.slice(2, 1))) {
                throw new DataException(name + ": damaged picture: " + STBImage.stbi_failure_reason());
            }
            long pixels = (long) size.get(0) * size.get(1);
            if (pixels <= 0 || pixels > options.maxPixels()) {
                throw DataException.expected(
                        name,
                        "header",
                        "1 to " + options.maxPixels() + " pixels",
                        size.get(0) + " x " + size.get(1) + " pixels");
            }
            Extent extent = Opener.extent(name, "header", size.get(1), size.get(0), size.get(2) >= 3 ? 3 : 1);
            return new DataSource.Frame(extent, !STBImage.stbi_is_16_bit_from_memory(file));
        }
    }

    /// Decodes a picture in memory; `name` is for messages and tells a TGA.
    static Image decode(String name, byte[] file, ReadOptions options) {
        PictureFormat format = format(name, file);
        ByteBuffer copy = copy(file);
        try (MemoryStack stack = MemoryStack.stackPush()) {
            DataSource.Frame frame = frame(name, copy, options);
            Extent extent = frame.extent();
            long rowBytes = 8L * extent.width() + 8;
            format.requireComplete(name, file, 2 * rowBytes * extent.height() + 1024);
            IntBuffer width = stack.mallocInt(1);
            IntBuffer height = stack.mallocInt(1);
            IntBuffer channels = stack.mallocInt(1);
            int wanted = extent.channels() + 1;
            ByteBuffer bytes = null;
            ShortBuffer shorts = null;
            if (frame.eightBit()) {
                bytes = STBImage.stbi_load_from_memory(copy, width, height, channels, wanted);
            } else {
                shorts = STBImage.stbi_load_16_from_memory(copy, width, height, channels, wanted);
            }
            if (bytes == null && shorts == null) {
                throw new DataException(name + ": damaged picture: " + STBImage.stbi_failure_reason());
            }
            try {
                if (width.get(0) != extent.width() || height.get(0) != extent.height()) {
                    throw DataException.expected(
                            name, "size", extent + " as the header says", height.get(0) + " x " + width.get(0));
                }
                return bytes != null ? eightBit(bytes, extent) : sixteenBit(shorts, extent);
            } finally {
                if (bytes != null) {
                    STBImage.stbi_image_free(bytes);
                } else {
                    STBImage.stbi_image_free(shorts);
                }
            }
        } finally {
            MemoryUtil.memFree(copy);
        }
    }

    /// Colours with alpha `[H,W,C+1]` to colours over white `[H,W,C]`: `(c a + 255 (255 - a)) / 255`, rounded.
    private static Image eightBit(ByteBuffer pixels, Extent extent) {
        int channels = extent.channels();
        byte[] out = new byte[extent.size()];
        for (int p = 0, k = 0; k < out.length; p += channels + 1) {
            int alpha = pixels.get(p + channels) & 0xff;
            for (int c = 0; c < channels; c++) {
                int blended = (pixels.get(p + c) & 0xff) * alpha + 255 * (255 - alpha);
                out[k++] = (byte) ((blended + 127) / 255);
            }
        }
        return Image.of(extent, out);
    }

    private static Image sixteenBit(ShortBuffer pixels, Extent extent) {
        int channels = extent.channels();
        float[] out = new float[extent.size()];
        for (int p = 0, k = 0; k < out.length; p += channels + 1) {
            double alpha = (pixels.get(p + channels) & 0xffff) / 65535.0;
            for (int c = 0; c < channels; c++) {
                out[k++] = (float) ((pixels.get(p + c) & 0xffff) / 65535.0 * alpha + (1 - alpha));
            }
        }
        return Image.of(extent, out);
    }

    /// Writes 8-bit pixels `[height, width, channels]` as a PNG, replacing what is there; the folder must exist.
    ///
    /// @param channels 1 gray, 2 gray and alpha, 3 colour, 4 colour and alpha
    /// @throws EnvironmentException if it cannot be written
    public static void writePng(Path path, byte[] pixels, int width, int height, int channels) {
        if (width <= 0 || height <= 0 || channels < 1 || channels > 4) {
            throw new IllegalArgumentException("picture: expected positive sizes and 1 to 4 channels, found " + width
                    + " x " + height + " x " + channels);
        }
        if (pixels.length != (long) width * height * channels) {
            throw new IllegalArgumentException(
                    "pixels: expected " + (long) width * height * channels + " bytes, found " + pixels.length);
        }
        try {
            Files.write(path, png(pixels, width, height, channels));
        } catch (IOException e) {
            throw new EnvironmentException(path + ": cannot be written: " + e.getMessage(), e);
        }
    }

    static byte[] png(byte[] pixels, int width, int height, int channels) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteBuffer copy = copy(pixels);
        try (STBIWriteCallback writer = STBIWriteCallback.create((context, data, size) -> {
            byte[] part = new byte[size];
            STBIWriteCallback.getData(data, size).get(part);
            out.writeBytes(part);
        })) {
            if (!STBImageWrite.stbi_write_png_to_func(writer, 0, width, height, channels, copy, 0)) {
                throw new EnvironmentException("not enough memory to write a picture of " + width + " x " + height);
            }
            return out.toByteArray();
        } finally {
            MemoryUtil.memFree(copy);
        }
    }
}
