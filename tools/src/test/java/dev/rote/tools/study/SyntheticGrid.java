package dev.rote.tools.study;

import dev.rote.config.ConfigTree;
import dev.rote.tools.report.Clock;
import dev.rote.tools.report.Curve;
import dev.rote.tools.report.Point;
import dev.rote.tools.report.Quantity;
import dev.rote.tools.report.Quantity.Split;
import dev.rote.tools.report.Reading;
import dev.rote.tools.report.RunCurves;
import dev.rote.tools.report.RunStatus;
import dev.rote.tools.report.TimeScale;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/// Made-up runs of a grid that follow the paper's laws exactly, but for a scatter that the caller chooses: tau_mem(1 %)
/// = 9600 n / W, the Fréchet distance reaches its plateau at W tau = 1.41 10^6, the losses part at a third of
/// tau_mem.
/// With Adam all of it comes ten times sooner.
final class SyntheticGrid {
    /// W tau at which the distance 20 (1 + (10^6 / W tau)^2) is 1.5 times its plateau.
    static final double W_TAU_GEN = 1e6 * Math.sqrt(2);

    static final double K = 1.0 / 3;

    /// The name under which the distance is FID.
    static final String FID = "inception.onnx";

    private SyntheticGrid() {}

    static StudyFile study(String head, String grid) {
        return StudyFile.of(ConfigTree.parse("name = \"s\"\n" + head + "\n[grid]\n" + grid, "s.toml"));
    }

    /// All runs of a study.
    static List<RunCurves> runs(StudyFile study, double scatter) {
        Random random = new Random(1);
        return study.runs().stream()
                .map(run -> run(run, Math.exp(scatter * random.nextGaussian())))
                .toList();
    }

    /// As the records of the paper's network would say.
    static Map<String, Long> parameters(StudyFile study) {
        Map<Integer, Long> counts = Map.of(8, 255_089L, 16, 1_010_657L, 32, 4_023_233L, 64, 16_054_145L);
        Map<String, Long> parameters = new HashMap<>();
        study.runs()
                .forEach(run -> parameters.put(
                        run.name(), counts.get(run.config().model().width())));
        return parameters;
    }

    private static RunCurves run(Grid.Run run, double drift) {
        double n = run.config().data().n();
        double w = run.config().model().width();
        String network = run.config().measure().features();
        Quantity.Frechet features = new Quantity.Frechet(network, !network.equals(FID));
        double sooner = run.config().train().optimizer().word().equals("adam") ? 0.1 : 1;
        double mem = 9600 * n / w * drift * sooner;
        double last = run.config().train().steps();
        List<Point> fractions = new ArrayList<>();
        List<Point> frechet = new ArrayList<>();
        List<Point> train = new ArrayList<>();
        List<Point> test = new ArrayList<>();
        for (double tau = 1000; tau <= last * 1.0001; tau *= Math.pow(10, 0.125)) {
            double s = Math.pow(tau / mem, 3) / 99;
            fractions.add(Point.of(tau, Math.round(1000 * s / (1 + s)) / 1000.0));
            frechet.add(Point.of(tau, 20 * (1 + Math.pow(1e6 * sooner / (w * tau), 2))));
            train.add(Point.of(tau, 1 / (1 + tau / (3 * mem))));
            test.add(Point.of(tau, 1));
        }
        List<TimeScale> times = List.of(
                new TimeScale(new Clock.TauMem(0.01, K), reading(mem, last)),
                new TimeScale(new Clock.TauMem(0.01, 0.5), reading(0.8 * mem, last)),
                new TimeScale(new Clock.LossSplit(0.01), reading(mem / 3, last)));
        return new RunCurves(
                run.name(),
                run.point(),
                (long) n,
                new RunStatus(RunStatus.State.FINISHED, (long) last, (long) last, ""),
                List.of(
                        new Curve(new Quantity.MemorizedFraction(K), fractions),
                        new Curve(features, frechet),
                        new Curve(new Quantity.LossAt(0.01, Split.TRAIN), train),
                        new Curve(new Quantity.LossAt(0.01, Split.TEST), test)),
                times,
                List.of(),
                1000);
    }

    private static Reading reading(double at, double last) {
        return at > last
                ? new Reading.NotReached(last)
                : at < 1000 ? new Reading.BeforeFirst(1000) : new Reading.Reached(at, at * 0.9, at * 1.1);
    }
}
