package dev.rote.tools;

import dev.rote.config.Nearest;
import dev.rote.tools.audit.AuditCommand;
import dev.rote.tools.cli.Build;
import dev.rote.tools.cli.Console;
import dev.rote.tools.cli.DoctorCommand;
import dev.rote.tools.cli.PredictCommand;
import dev.rote.tools.cli.TrainCommand;
import dev.rote.tools.study.StudyCommand;
import dev.rote.tools.theory.TheoryCommand;
import dev.rote.tools.window.PredictWindowCommand;
import dev.rote.tools.window.StoppingCommand;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;
import picocli.CommandLine.UnmatchedArgumentException;

/// The `rote` command.
@Command(
        name = "rote",
        description = "Trains diffusion models and measures when they start to copy their training data.",
        synopsisSubcommandLabel = "COMMAND",
        mixinStandardHelpOptions = true,
        versionProvider = Rote.Version.class)
public final class Rote implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Option(names = "--debug", scope = ScopeType.INHERIT, description = "Show the stack trace of an error.")
    private boolean debug;

    /// Says what `--version` prints.
    static final class Version implements CommandLine.IVersionProvider {
        @Override
        public String[] getVersion() {
            return new String[] {
                "rote " + Build.version() + " (commit " + Build.commit() + "), Java " + Runtime.version()
            };
        }
    }

    public static void main(String[] args) {
        System.exit(run(args, System.out, System.err));
    }

    /// Runs one command line.
    ///
    /// @param out results
    /// @param err progress and errors
    /// @return the exit status, see [ExitStatus]
    static int run(String[] args, PrintStream out, PrintStream err) {
        Rote rote = new Rote();
        try {
            return rote.commandLine(Console.of(out, err)).execute(args);
        } catch (Error e) { // picocli hands on exceptions only
            return ExitStatus.report(e, rote.debug, err);
        }
    }

    private CommandLine commandLine(Console console) {
        return new CommandLine(this)
                .addSubcommand(new TrainCommand(console))
                .addSubcommand(new PredictCommand(console))
                .addSubcommand(new StudyCommand(console))
                .addSubcommand(new PredictWindowCommand(console))
                .addSubcommand(new StoppingCommand(console))
                .addSubcommand(new AuditCommand(console))
                .addSubcommand(new TheoryCommand(console))
                .addSubcommand(new DoctorCommand(console))
                .setOut(new PrintWriter(console.out(), true, StandardCharsets.UTF_8))
                .setErr(new PrintWriter(console.err(), true, StandardCharsets.UTF_8))
                .setParameterExceptionHandler((e, arguments) -> {
                    boolean wanted = Arrays.asList(arguments).contains("--debug");
                    console.err().println("rote: " + sentence(e));
                    if (wanted) {
                        e.printStackTrace(console.err());
                    }
                    return ExitStatus.INPUT;
                })
                .setExecutionExceptionHandler((e, line, parsed) -> ExitStatus.report(e, debug, console.err()));
    }

    /// Without a command there is nothing to do.
    @Override
    public Integer call() {
        throw new ParameterException(
                spec.commandLine(),
                "expected a command (" + String.join(", ", spec.subcommands().keySet()) + "), found none");
    }

    /// What is wrong with the command line, and what may have been meant.
    private static String sentence(ParameterException e) {
        CommandSpec command = e.getCommandLine().getCommandSpec();
        String help = "; see " + command.qualifiedName() + " --help";
        if (!(e instanceof UnmatchedArgumentException unmatched)
                || unmatched.getUnmatched().isEmpty()) {
            return e.getMessage().replaceAll("\\s+", " ") + help;
        }
        String word = unmatched.getUnmatched().getFirst();
        boolean option = word.startsWith("-");
        List<String> known = new ArrayList<>(
                option ? command.optionsMap().keySet() : command.subcommands().keySet());
        String name = option && word.indexOf('=') > 0 ? word.substring(0, word.indexOf('=')) : word;
        String kind = option ? "option " : command.subcommands().isEmpty() ? "argument " : "command ";
        return "unknown " + kind + name
                + Nearest.to(name, known)
                        .map(near -> "; did you mean " + near + "?")
                        .orElse(help);
    }
}
