package dev.rote.tools.report;

import java.awt.Font;
import java.awt.FontFormatException;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/// The font of all pictures. It comes with the program, so that pictures look alike everywhere and need no font of the
/// machine: servers and containers often have none, and no fontconfig either.
///
/// Java starts its fonts with a list of the system's, which it asks fontconfig for, and fails without an answer even if
/// only a font from a file is wanted. A font configuration of our own takes the place of that question.
public final class Lettering {
    /// A file that Java reads before it asks fontconfig.
    private static final String CONFIGURATION = "sun.awt.fontconfig";

    private static final String HEADLESS = "java.awt.headless";

    private Lettering() {}

    /// What came of the only try.
    ///
    /// @param font empty if `missing` says why
    private record Found(Optional<Font> font, Optional<String> missing) {}

    private static final class Holder {
        private static final Found FOUND = find();
    }

    /// Why pictures with text cannot be drawn in this process, and what helps, in one sentence; empty if they can.
    public static Optional<String> missing() {
        return Holder.FOUND.missing();
    }

    /// @throws IllegalStateException if [#missing()] says that there is none
    static Font font(boolean bold, float size) {
        Font font = Holder.FOUND
                .font()
                .orElseThrow(() -> new IllegalStateException(missing().orElseThrow()));
        return font.deriveFont(bold ? Font.BOLD : Font.PLAIN, size);
    }

    private static Found find() {
        byte[] file = resource();
        try {
            return new Found(Optional.of(load(file)), Optional.empty());
        } catch (IOException | FontFormatException | RuntimeException | Error e) {
            // Java has no one exception for this: without a library, a folder or a list of fonts it throws any of
            // these.
            return new Found(Optional.empty(), Optional.of(sentence(e)));
        }
    }

    private static byte[] resource() {
        try (InputStream in = Lettering.class.getResourceAsStream("dejavu/DejaVuSans.ttf")) {
            if (in == null) {
                throw new AssertionError("resource dejavu/DejaVuSans.ttf is missing from the jar");
            }
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String sentence(Throwable e) {
        Throwable cause = e instanceof ExceptionInInitializerError && e.getCause() != null ? e.getCause() : e;
        String reason = cause.getClass().getSimpleName() + ": " + cause.getMessage();
        return "Pictures with text are left out: Java cannot use fonts on this machine ("
                + reason.replaceAll("\\s+", " ")
                + "); install fontconfig, FreeType and a font (on Debian fontconfig, libfreetype6 and"
                + " fonts-dejavu-core) and see that the folder for temporary files can be written";
    }

    private static Font load(byte[] font) throws IOException, FontFormatException {
        if (System.getProperty(HEADLESS) == null) {
            System.setProperty(HEADLESS, "true");
        }
        boolean own = System.getProperty(CONFIGURATION) == null
                && System.getProperty("os.name").equals("Linux");
        if (!own) {
            return used(font);
        }
        Path file = Files.createTempFile("rote-fonts", ".properties");
        try {
            Files.writeString(file, "version=1\nsequence.allfonts=default\n");
            System.setProperty(CONFIGURATION, file.toString());
            return used(font);
        } finally {
            System.clearProperty(CONFIGURATION);
            Files.delete(file);
        }
    }

    /// The font, after it has been used once: Java looks for FreeType no sooner.
    private static Font used(byte[] file) throws IOException, FontFormatException {
        Font font = Font.createFont(Font.TRUETYPE_FONT, new ByteArrayInputStream(file));
        var pen = new BufferedImage(1, 1, BufferedImage.TYPE_INT_RGB).createGraphics();
        pen.getFontMetrics(font).stringWidth("0");
        pen.dispose();
        return font;
    }
}
