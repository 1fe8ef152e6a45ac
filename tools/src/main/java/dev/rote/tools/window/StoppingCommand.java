package dev.rote.tools.window;

import dev.rote.config.RunConfig;
import dev.rote.config.StopConfig;
import dev.rote.errors.DataException;
import dev.rote.errors.EnvironmentException;
import dev.rote.metrics.GenerationForecast;
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
        description = "Judge rules for stopping early, and forecasts of the window, by the recorded runs of studies.",
        mixinStandardHelpOptions = true)
public final class StoppingCommand implements Callable<Integer> {
    private static final List<Double> BUDGETS = List.of(0.05, 0.10, 0.25);

    /// Forecasts of runs with as many images are shown by themselves too.
    private static final int LARGE = 1024;

    @Parameters(paramLabel = "FOLDER", arity = "1..*", description = "folders of studies")
    private List<Path> folders = new ArrayList<>();

    @Option(names = "--samples", description = "samples that a check takes (128)")
    private int samples = 128;

    @Option(names = "--risk", description = "of keeping a model that copies already (0.1)")
    private double risk = 0.1;

    @Option(
            names = "--priors",
            description =
                    "only say which prior of tau_gen these runs would choose, by the logarithmic score of forecasts")
    private boolean priors;

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
        RecordedForecasts recorded = new RecordedForecasts(runs, stop);
        List<RecordedRun> open = RecordedRun.open(runs, stop);
        console.out()
                .printf(
                        Locale.ROOT,
                        "%d runs, of which %d passed %s %% of copies between two measurements; of %d the window is "
                                + "wider than a factor of %.2g.%n",
                        runs.size(),
                        runs.stream().filter(run -> run.width(stop) > 0).count(),
                        Double.toString(100 * stop.fraction()).replaceFirst("\\.0$", ""),
                        open.size(),
                        GenerationForecast.OPEN);
        if (priors) {
            return choosePrior(recorded);
        }
        print("Runs whose window is wider than a factor of " + GenerationForecast.OPEN, rules(open, stop));
        print("All runs", rules(runs, stop));
        print(
                "The rule before-memorization, part by part",
                StoppingTable.parts(Grouping.parts(new Rule.BeforeMemorization(stop), runs, stop)));
        List<ForecastTable.Row> forecasts = forecasts(recorded);
        print("Forecasts of tau_mem", ForecastTable.tauMem(forecasts));
        print(
                String.format(Locale.ROOT, "Forecasts of tau_mem at n >= %,d", LARGE),
                ForecastTable.tauMem(
                        forecasts.stream().map(row -> row.of(n -> n >= LARGE)).toList()));
        print("Forecasts of tau_gen", ForecastTable.tauGen(forecasts));
        return 0;
    }

    private int choosePrior(RecordedForecasts recorded) {
        List<PredictionTrial> trials = new ArrayList<>();
        for (RecordedForecasts.Source source :
                List.of(RecordedForecasts.Source.ALL, RecordedForecasts.Source.COMMAND)) {
            BUDGETS.forEach(budget -> trials.addAll(recorded.of(budget, source)));
        }
        PriorChoice choice = new PriorChoice(trials);
        if (choice.best().isEmpty()) {
            throw new DataException(folders + ": expected runs of one setting whose small ones forecast tau_gen of a"
                    + " larger one, found none");
        }
        print("Priors of tau_gen", choice.best());
        print("Priors of tau_gen, chosen without one kind of images and judged by it", choice.leavingOneOut());
        return 0;
    }

    private void print(String title, List<String> table) {
        if (!table.isEmpty()) {
            console.out().println();
            console.out().println("**" + title + "**");
            console.out().println();
            table.forEach(console.out()::println);
        }
    }

    private static List<String> rules(List<RecordedRun> runs, StopConfig stop) {
        return StoppingTable.rules(Judgement.merged(Rule.all(stop).stream()
                .map(rule -> Judgement.of(rule, runs, stop))
                .toList()));
    }

    private static List<ForecastTable.Row> forecasts(RecordedForecasts recorded) {
        List<ForecastTable.Row> rows = new ArrayList<>();
        for (RecordedForecasts.Source source : RecordedForecasts.Source.values()) {
            for (double budget : BUDGETS) {
                rows.add(new ForecastTable.Row(budget, source, recorded.of(budget, source)));
            }
        }
        return rows;
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
