package dev.rote.data;

import java.util.Optional;

/// Images that can be read one at a time, by position. Closing gives files and memory back; reading is safe from
/// several threads.
public sealed interface DataSource extends AutoCloseable permits ArraySource, PictureSource, MixtureSource {
    /// Size and storage of one image, known without decoding it.
    record Frame(Extent extent, boolean eightBit) {}

    /// Opens `source`, which is one of
    ///
    /// | source | read as |
    /// |---|---|
    /// | `builtin:fashion-mnist` | the 10,000 test images of Fashion-MNIST, labelled |
    /// | `builtin:gaussian-mixture`, `builtin:student-mixture` | points of a [Mixture], labelled |
    /// | `raw:PATH?shape=N,H,W,C&type=u8\|f32\|f64` | plain array; also `order=be`, `offset=BYTES`, `range=LOW,HIGH` |
    /// | IDX file, also gzipped | images; labels from the file named `labels` for `images`, `idx1` for `idx3` |
    /// | CIFAR-10 or CIFAR-100 batch `*.bin` | labelled images; fine labels of CIFAR-100 |
    /// | `.npy` | u1, f4 or f8, `[N,H,W]`, `[N,H,W,C]` or `[N,C,H,W]` |
    /// | `.npz` | the array named `key`, or the one image array, or the first of `images x_train train_images arr_0` |
    /// | folder | CIFAR batches, else IDX files (training files before test files), else pictures in all subfolders |
    /// | zip | pictures |
    /// | one picture | PNG, JPEG, BMP, TGA, PGM, PPM |
    ///
    /// The kind is decided by content, not by name. Of a 4-D array the last axis is channels if it is 1, 3 or 4 long,
    /// else the second if that is; `?layout=nhwc` or `?layout=nchw` after the path decides otherwise. Float arrays must
    /// lie in [0, 1], or in what `?range=LOW,HIGH` says. Pictures are ordered naturally by path (`img2` before
    /// `img10`); if every picture lies in a subfolder and there are two or more of these, the subfolder is the class.
    ///
    /// @throws DataException for anything that cannot be read as one of these: path, position, expected, found
    /// @throws EnvironmentException for a file that may not be read, or too little memory
    static DataSource open(String source, ReadOptions options) {
        return Opener.open(source, options);
    }

    /// Images in the source.
    int count();

    /// Size of image `i`, from its header.
    Frame frame(int i);

    /// Image `i` as stored: bytes, or floats mapped to [0, 1]. Pictures with an alpha channel come blended over white,
    /// 16-bit pictures as floats.
    Image read(int i);

    /// Where image `i` is, for messages.
    String name(int i);

    /// One class number per image, where the source has them.
    Optional<int[]> labels();

    @Override
    void close();
}
