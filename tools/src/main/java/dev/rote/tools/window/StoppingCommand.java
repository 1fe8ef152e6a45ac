package dev.rote.tools.window;

import dev.rote.config.RunConfig;
import dev.rote.config.StopConfig;
import dev.rote.errors.DataException;
import dev.rote.errors.EnvironmentException;
import dev.rote.tools.cli.Console;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `rote stopping STUDY...`: judges rules for stopping, and forecasts, by the recorded runs of studies.
@Command(
        name = "stopping",
        description = "Judge rules for stopping early, and forecasts of tau_mem, by the recorded runs of studies.",
        mixinStandardHelpOptions = true)
public final class StoppingCommand implements Callable<Integer> {
    private static final List<Double> BUDGETS = List.of(0.05, 0.10, 0.25);

    /// Forecasts of runs with as many images are shown by themselves too.
    private static final int LARGE = 1024;

    /// A narrower window than this lies within the error of its own ends.
    private static final double OPEN = 1.5;

    @Parameters(paramLabel = "FOLDER", arity = "1..*", description = "folders of studies")
    private List<Path> folders = new ArrayList<>();

    @Option(names = "--samples", description = "samples that a check takes (64)")
    private int samples = 64;

    @Option(names = "--risk", description = "of keeping a model that copies already (0.1)")
    private double risk = 0.1;

    private final Console console;

    public StoppingCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() {
        List<RecordedRun> runs = new ArrayList<>();
        for (Path folder : folders) {
            runs.addAll(read(folder));
        }
        if (runs.isEmpty()) {
            throw new DataException(folders + ": expected runs with measured samples, test losses and Fréchet"
                    + " distances, found none");
        }
        StopConfig stop = runs.getFirst()
                .config()
                .with("stop.rule", "before-memorization")
                .with("stop.samples", Integer.toString(samples))
                .with("stop.risk", Double.toString(risk))
                .stop();
        List<RecordedRun> open =
                runs.stream().filter(run -> width(run, stop) >= OPEN).toList();
        console.out()
                .printf(
                        Locale.ROOT,
                        "%d runs, of which %d passed %s %% of copies between two measurements; of %d the window is wider"
                                + " than a factor of %.2g.%n",
                        runs.size(),
                        runs.stream().filter(run -> width(run, stop) > 0).count(),
                        Double.toString(100 * stop.fraction()).replaceFirst("\\.0$", ""),
                        open.size(),
                        OPEN);
        print("Runs whose window is wider than a factor of " + OPEN, open, stop);
        print("All runs", runs, stop);
        printForecasts("Forecasts of tau_mem", runs, stop, 0);
        printForecasts(String.format(Locale.ROOT, "Forecasts of tau_mem at n >= %,d", LARGE), runs, stop, LARGE);
        return 0;
    }

    private void print(String title, List<RecordedRun> runs, StopConfig stop) {
        console.out().println();
        console.out().println("**" + title + "**");
        console.out().println();
        StoppingTable.rules(Rule.all(stop).stream()
                        .map(rule -> Judgement.of(rule, runs, stop))
                        .toList())
                .forEach(console.out()::println);
    }

    private void printForecasts(String title, List<RecordedRun> runs, StopConfig stop, int least) {
        console.out().println();
        console.out().println("**" + title + "**");
        console.out().println();
        StoppingTable.predictions(
                        BUDGETS,
                        budget -> of(least, PredictionTrial.all(runs, stop, budget, false)),
                        budget -> of(least, PredictionTrial.all(runs, stop, budget, true)))
                .forEach(console.out()::println);
    }

    private static List<PredictionTrial> of(int least, List<PredictionTrial> trials) {
        return trials.stream().filter(trial -> trial.n() >= least).toList();
    }

    /// tau_mem / tau_gen; 0 if the window is not known.
    private static double width(RecordedRun run, StopConfig stop) {
        return run.truth(stop.fraction(), stop.samples())
                .map(truth -> truth.tauMem() / truth.tauGen())
                .orElse(0.0);
    }

    private List<RecordedRun> read(Path study) {
        Path runs = study.resolve("runs");
        if (!Files.isDirectory(runs)) {
            throw DataException.expected(study, "runs", "the folder of a study", "nothing of that name");
        }
        List<RecordedRun> found = new ArrayList<>();
        try (Stream<Path> each = Files.list(runs)) {
            for (Path run : each.sorted().toList()) {
                if (Files.exists(run.resolve("run.toml"))) {
                    RecordedRun recorded = RecordedRun.read(run);
                    if (isJudged(recorded)) {
                        found.add(recorded);
                    } else {
                        console.err().println("rote: left out " + run + ": too few samples, or no test loss");
                    }
                }
            }
        } catch (IOException e) {
            throw new EnvironmentException("cannot list " + runs + ": " + e.getMessage(), e);
        }
        return found;
    }

    private boolean isJudged(RecordedRun run) {
        RunConfig config = run.config();
        double time = config.stop().lossTime();
        return !run.measured().isEmpty()
                && run.measured().stream()
                        .allMatch(at ->
                                at.ratios().length >= 2 * samples && at.test().containsKey(time));
    }
}
