package dev.rote.tools.theory;

import dev.rote.errors.DataException;
import dev.rote.tools.report.AuditPage;
import dev.rote.tools.report.Lettering;
import dev.rote.tools.report.Provenance;
import dev.rote.tools.report.Sheet;
import dev.rote.tools.report.TheoryPage;
import dev.rote.tools.report.TheoryReport;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/// The folder of a computation: `report.html`, `theory.json`, `theory.toml`, CSV tables and PNG figures.
final class TheoryFiles {
    private TheoryFiles() {}

    /// @throws DataException if there is a file in the folder's place
    static void requireFree(Path folder) {
        if (Files.exists(folder) && !Files.isDirectory(folder)) {
            throw new DataException("--out: " + folder + ": expected a folder, found a file");
        }
    }

    /// Who made the numbers, and when, apart from them: so the numbers of two computations can be compared as files.
    private static ObjectNode made(Provenance provenance) {
        ObjectNode node = JsonNodeFactory.instance.objectNode();
        node.put("version", provenance.version()).put("commit", provenance.commit());
        node.put("device", provenance.device()).put("date", provenance.date().toString());
        provenance.environment().forEach(node::put);
        return node;
    }

    /// Writes all of them; each is whole or absent.
    ///
    /// @param toml the file that repeats the computation
    /// @return the report
    static Path write(Path folder, TheoryFile file, String toml, Experiment.Result result, Provenance provenance) {
        AuditPage.writeText(folder.resolve("theory.toml"), toml);
        AuditPage.writeText(
                folder.resolve("theory.json"),
                JsonMapper.shared().writerWithDefaultPrettyPrinter().writeValueAsString(result.json()) + "\n");
        AuditPage.writeText(
                folder.resolve("made.json"),
                JsonMapper.shared().writerWithDefaultPrettyPrinter().writeValueAsString(made(provenance)) + "\n");
        result.csv().forEach((name, text) -> AuditPage.writeText(folder.resolve(name), text));
        List<String> warnings = new ArrayList<>();
        List<Sheet> pictures = new ArrayList<>();
        Lettering.missing().ifPresentOrElse(warnings::add, () -> {
            TheoryPage.writePng(result.plots(), folder);
            result.maps()
                    .forEach((name, map) -> pictures.add(
                            new Sheet(map.title(), map.scale() + ".", map.writePng(folder.resolve(name + ".png")))));
        });
        if (file.laws().stream().anyMatch(law -> !law.gaussian()) && file.kind() != TheoryFile.Kind.SPECTRUM) {
            warnings.add("τ_mem of Theorem 3.2 is that of Gaussian data of the same variance; the distance to the true"
                    + " score is not known for other data.");
        }
        return TheoryPage.write(
                new TheoryReport(
                        file.name(),
                        file.description(),
                        provenance,
                        result.verdict(),
                        result.facts(),
                        warnings,
                        result.tables(),
                        result.plots(),
                        pictures,
                        toml),
                folder);
    }
}
