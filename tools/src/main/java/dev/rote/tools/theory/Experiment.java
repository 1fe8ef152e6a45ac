package dev.rote.tools.theory;

import dev.rote.device.Device;
import dev.rote.device.linalg.Lapack;
import dev.rote.tools.report.AuditReport;
import dev.rote.tools.report.HeatMap;
import dev.rote.tools.report.Plot;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.databind.node.ObjectNode;

/// One kind of computation.
sealed interface Experiment permits SpectrumExperiment, DynamicsExperiment, DescentExperiment, MapExperiment {
    /// What it works with.
    ///
    /// @param lapack linear algebra on the CPU
    record Tools(Lapack lapack, OnDemand device, TheoryProgress progress) {}

    /// The device of the file, opened when it is first asked for, at most once.
    interface OnDemand {
        /// For training step by step.
        Device get();

        /// For large products: a GPU. Empty where the device is the CPU, on which LAPACK computes them, in f64.
        Optional<Device> accelerator();
    }

    /// What came out.
    ///
    /// @param verdict one sentence
    /// @param facts further sentences
    /// @param maps file name without ending to picture
    /// @param csv file name to text
    /// @param json every number of the tables, without rounding
    record Result(
            String verdict,
            List<String> facts,
            List<AuditReport.Table> tables,
            List<Plot> plots,
            Map<String, HeatMap> maps,
            Map<String, String> csv,
            ObjectNode json) {
        public Result {
            facts = List.copyOf(facts);
            tables = List.copyOf(tables);
            plots = List.copyOf(plots);
            maps = new LinkedHashMap<>(maps);
            csv = new LinkedHashMap<>(csv);
        }
    }

    /// How many parts [TheoryProgress] is told of.
    int parts();

    Result run(Tools tools) throws InterruptedException;

    static Experiment of(TheoryFile file) {
        return switch (file.kind()) {
            case SPECTRUM -> new SpectrumExperiment(file);
            case DYNAMICS -> new DynamicsExperiment(file);
            case DESCENT -> new DescentExperiment(file);
            case MAP -> new MapExperiment(file);
        };
    }
}
