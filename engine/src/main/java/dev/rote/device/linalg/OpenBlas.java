package dev.rote.device.linalg;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.rote.device.NativeFiles;
import dev.rote.errors.EnvironmentException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.util.List;

/// OpenBLAS (BSD-3-Clause, with LAPACKE inside), unpacked from the class path and loaded once per process.
final class OpenBlas {
    private static final String VERSION = "0.3.31";

    /// CblasRowMajor, CblasNoTrans, CblasTrans, CblasUpper and LAPACK_COL_MAJOR of the C interfaces.
    static final int ROW_MAJOR = 101;

    static final int NO_TRANSPOSE = 111;
    static final int TRANSPOSE = 112;
    static final int UPPER = 121;
    static final int COLUMN_MAJOR = 102;

    /// Its initialisation loads the libraries; it happens once, and fails once for all.
    private static final class Loaded {
        private static final MethodHandle SET_THREADS;
        private static final MethodHandle DGEMM;
        private static final MethodHandle DSYRK;
        private static final MethodHandle DSYEVD;

        static {
            NativeFiles files = NativeFiles.ofPreset("OpenBLAS", "openblas", VERSION);
            for (String library : libraries(NativeFiles.platform())) {
                if (files.has(library)) { // a platform need not have every runtime library
                    System.load(files.unpacked(library).toString());
                }
            }
            SymbolLookup symbols = SymbolLookup.loaderLookup();
            Linker linker = Linker.nativeLinker();
            SET_THREADS = linker.downcallHandle(
                    symbols.findOrThrow("openblas_set_num_threads"), FunctionDescriptor.ofVoid(JAVA_INT));
            DGEMM = linker.downcallHandle(
                    symbols.findOrThrow("cblas_dgemm"),
                    FunctionDescriptor.ofVoid(
                            JAVA_INT,
                            JAVA_INT,
                            JAVA_INT,
                            JAVA_INT,
                            JAVA_INT,
                            JAVA_INT,
                            JAVA_DOUBLE,
                            ADDRESS,
                            JAVA_INT,
                            ADDRESS,
                            JAVA_INT,
                            JAVA_DOUBLE,
                            ADDRESS,
                            JAVA_INT));
            DSYRK = linker.downcallHandle(
                    symbols.findOrThrow("cblas_dsyrk"),
                    FunctionDescriptor.ofVoid(
                            JAVA_INT,
                            JAVA_INT,
                            JAVA_INT,
                            JAVA_INT,
                            JAVA_INT,
                            JAVA_DOUBLE,
                            ADDRESS,
                            JAVA_INT,
                            JAVA_DOUBLE,
                            ADDRESS,
                            JAVA_INT));
            DSYEVD = linker.downcallHandle(
                    symbols.findOrThrow("LAPACKE_dsyevd"),
                    FunctionDescriptor.of(
                            JAVA_INT, JAVA_INT, JAVA_BYTE, JAVA_BYTE, JAVA_INT, ADDRESS, JAVA_INT, ADDRESS));
        }
    }

    private OpenBlas() {}

    /// The number of threads of every later call of this process.
    ///
    /// @throws EnvironmentException if the library is not on the class path, or cannot be unpacked or loaded
    static void setThreads(int threads) {
        try {
            Loaded.SET_THREADS.invokeExact(threads);
        } catch (ExceptionInInitializerError | NoClassDefFoundError e) {
            Throwable cause = e.getCause() == null ? e : e.getCause();
            throw cause instanceof EnvironmentException known
                    ? known
                    : new EnvironmentException(
                            "OpenBLAS " + VERSION + " could not be loaded: " + cause.getMessage(), cause);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    static void dgemm(
            boolean transposeA,
            boolean transposeB,
            int inner,
            double alpha,
            Matrix a,
            Matrix b,
            double beta,
            Matrix c) {
        try {
            Loaded.DGEMM.invokeExact(
                    ROW_MAJOR,
                    transposeA ? TRANSPOSE : NO_TRANSPOSE,
                    transposeB ? TRANSPOSE : NO_TRANSPOSE,
                    c.rows(),
                    c.columns(),
                    inner,
                    alpha,
                    a.values(),
                    a.columns(),
                    b.values(),
                    b.columns(),
                    beta,
                    c.values(),
                    c.columns());
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /// Upper half of `c = alpha op(a) op(a)^T + beta c`.
    static void dsyrk(boolean transpose, int inner, double alpha, Matrix a, double beta, Matrix c) {
        try {
            Loaded.DSYRK.invokeExact(
                    ROW_MAJOR,
                    UPPER,
                    transpose ? TRANSPOSE : NO_TRANSPOSE,
                    c.rows(),
                    inner,
                    alpha,
                    a.values(),
                    a.columns(),
                    beta,
                    c.values(),
                    c.columns());
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /// Divide and conquer. In column order, eigenvectors are columns, so they are rows of our matrix.
    ///
    /// @param values of `a.rows()` doubles
    /// @return LAPACK's info
    static int dsyevd(boolean vectors, Matrix a, MemorySegment values) {
        try {
            return (int) Loaded.DSYEVD.invokeExact(
                    COLUMN_MAJOR, (byte) (vectors ? 'V' : 'N'), (byte) 'L', a.rows(), a.values(), a.rows(), values);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /// The files to load, dependencies first.
    private static List<String> libraries(String platform) {
        if (platform.startsWith("linux")) {
            return List.of("libgcc_s.so.1", "libquadmath.so.0", "libgfortran.so.5", "libopenblas.so.0");
        }
        return platform.startsWith("mac")
                ? List.of("libgcc_s.1.1.dylib", "libquadmath.0.dylib", "libgfortran.5.dylib", "libopenblas.0.dylib")
                : List.of(
                        "libwinpthread-1.dll",
                        "libgcc_s_seh-1.dll",
                        "libquadmath-0.dll",
                        "libgfortran-5.dll",
                        "libopenblas.dll");
    }
}
