package dev.rote.tools.theory;

import dev.rote.config.TomlText;
import java.util.List;
import java.util.stream.Collectors;

/// The file that repeats a computation, with every key that its kind has.
final class TheoryText {
    private final StringBuilder text = new StringBuilder();

    private TheoryText() {}

    static String of(TheoryFile file) {
        TheoryText toml = new TheoryText();
        toml.put("name", TomlText.quoted(file.name()));
        toml.put("description", TomlText.quoted(file.description()));
        toml.put("kind", TomlText.quoted(file.kind().word()));
        toml.put("device", TomlText.quoted(file.device().word()));
        toml.put("seed", file.seed() + "");
        toml.put("seeds", file.seeds() + "");
        toml.table("model");
        toml.put("activation", TomlText.quoted(file.model().activation().name()));
        toml.put("d", file.model().d() + "");
        toml.put("psi_p", list(file.model().psiP()));
        toml.put("psi_n", list(file.model().psiN()));
        toml.put("t", list(file.model().t()));
        toml.table("features");
        toml.put("draws", file.features().draws() + "");
        if (file.kind() != TheoryFile.Kind.SPECTRUM) {
            toml.put("test_points", file.features().testPoints() + "");
        }
        toml.times(file);
        if (file.kind() == TheoryFile.Kind.DESCENT) {
            toml.table("descent");
            toml.put("optimizer", TomlText.quoted(file.descent().optimizer().word()));
            if (file.descent().lr() > 0) {
                toml.put("lr", TomlText.number(file.descent().lr()));
            }
            toml.put("steps", file.descent().steps() + "");
        }
        file.laws().forEach(toml::law);
        return toml.text.toString();
    }

    private void times(TheoryFile file) {
        switch (file.kind()) {
            case DYNAMICS -> {
                table("time");
                put("from", TomlText.number(file.times().from()));
                put("to", TomlText.number(file.times().to()));
                put("per_decade", file.times().perDecade() + "");
            }
            case MAP -> {
                table("time");
                put("at", list(file.times().at()));
            }
            default -> {}
        }
    }

    private void law(Law law) {
        table("law." + law.name());
        put("covariance", TomlText.quoted(law.covariance().word()));
        switch (law.covariance()) {
            case IDENTITY -> put("variance", TomlText.number(law.variance()));
            case TWO_DELTA -> {
                put("low", TomlText.number(law.low()));
                put("high", TomlText.number(law.high()));
                put("share", TomlText.number(law.share()));
            }
            case POWER_LAW -> {
                put("variance", TomlText.number(law.variance()));
                put("exponent", TomlText.number(law.exponent()));
            }
            case IMAGES -> {
                put("source", TomlText.quoted(law.source()));
                put("size", law.size() + "");
            }
        }
        if (law.heavyTailed()) {
            put("degrees_of_freedom", law.degreesOfFreedom() + "");
        }
    }

    private void table(String name) {
        text.append("\n[").append(name).append("]\n");
    }

    private void put(String key, String value) {
        text.append(key).append(" = ").append(value).append('\n');
    }

    private static String list(List<Double> values) {
        return values.stream().map(TomlText::number).collect(Collectors.joining(", ", "[", "]"));
    }
}
