package dev.rote.tools.cli;

import java.io.PrintStream;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;

/// Where a command writes.
///
/// @param out results
/// @param err everything else
/// @param terminal whether a person sees `err`, so that a line may be drawn over
public record Console(PrintStream out, PrintStream err, boolean terminal) {
    private static final int STANDARD_ERROR = 2;

    /// These two streams; they are a terminal if `err` is the process's own and that is one.
    public static Console of(PrintStream out, PrintStream err) {
        return new Console(out, err, err == System.err && isTerminal());
    }

    /// POSIX isatty(2). Java's console tells of standard input and output only.
    private static boolean isTerminal() {
        Optional<MemorySegment> isatty = Linker.nativeLinker().defaultLookup().find("isatty");
        if (isatty.isEmpty()) {
            return false;
        }
        try {
            var call = Linker.nativeLinker()
                    .downcallHandle(isatty.get(), FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
            return (int) call.invokeExact(STANDARD_ERROR) == 1;
        } catch (Throwable e) {
            throw new AssertionError("isatty takes and returns an int and throws nothing", e);
        }
    }
}
