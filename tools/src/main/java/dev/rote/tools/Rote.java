package dev.rote.tools;

import dev.rote.tools.study.StudyCommand;
import java.util.Map;
import picocli.CommandLine;

/// Temporary entry until the command line is merged.
public final class Rote {
    private Rote() {}

    public static void main(String[] args) {
        System.exit(new CommandLine(new StudyCommand(System.err, Map.of("version", "0.1.0"))).execute(args));
    }
}
