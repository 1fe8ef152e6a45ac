package dev.rote.tools.theory;

import dev.rote.config.ConfigTree;
import dev.rote.config.Named;
import dev.rote.config.RunConfig;
import dev.rote.config.Section;
import dev.rote.config.TomlText;
import dev.rote.errors.DataException;
import dev.rote.theory.Activation;
import dev.rote.theory.Sizes;
import java.util.ArrayList;
import java.util.List;
import java.util.function.DoublePredicate;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/// What `rote theory` computes; docs/theory.md lists the keys.
///
/// @param name of the folder and the report
/// @param kind of computation
/// @param seed of the first draw
/// @param seeds draws of everything random
/// @param model sizes, times and the nonlinearity
/// @param features how the simulation averages
/// @param times training times of the closed form
/// @param descent step-by-step training
/// @param laws distributions of data, at least one
record TheoryFile(
        String name,
        String description,
        Kind kind,
        RunConfig.Device device,
        int seed,
        int seeds,
        Model model,
        Features features,
        Times times,
        Training descent,
        List<Law> laws) {
    private static final List<String> TOP = List.of(
            "name", "description", "kind", "device", "seed", "seeds", "model", "features", "time", "descent", "law");

    /// No computation has more cases than this.
    private static final int MOST_CASES = 10_000;

    /// Larger matrices do not fit Java's arrays on their way to a device.
    private static final int MOST_FEATURES = 46_000;

    /// Kinds of computation.
    enum Kind implements Named {
        SPECTRUM("spectrum"),
        DYNAMICS("dynamics"),
        DESCENT("descent"),
        MAP("map");

        private final String word;

        Kind(String word) {
            this.word = word;
        }

        @Override
        public String word() {
            return word;
        }
    }

    /// Rules of the step-by-step training.
    enum Rule implements Named {
        SGD("sgd"),
        ADAM("adam");

        private final String word;

        Rule(String word) {
            this.word = word;
        }

        @Override
        public String word() {
            return word;
        }
    }

    /// `[model]`.
    record Model(Activation activation, int d, List<Double> psiP, List<Double> psiN, List<Double> t) {}

    /// `[features]`: 0 draws is the Gaussian equivalent.
    record Features(int draws, int testPoints) {}

    /// `[time]`: from, to and per_decade of curves, or `at` of maps.
    record Times(double from, double to, int perDecade, List<Double> at) {
        /// Times of a curve, log-spaced, both ends included.
        double[] grid() {
            int steps = Math.max(1, (int) Math.ceil(Math.log10(to / from) * perDecade));
            double[] grid = new double[steps + 1];
            for (int i = 0; i <= steps; i++) {
                grid[i] = from * Math.pow(to / from, (double) i / steps);
            }
            return grid;
        }
    }

    /// `[descent]`: a rate of 0 is the authors'.
    record Training(Rule optimizer, double lr, int steps) {}

    /// One model.
    record Case(Law law, double t, double psiP, double psiN, int seed) {}

    /// @throws DataException with file, line and key: an unknown key, a value of the wrong type or out of range
    static TheoryFile of(ConfigTree tree) {
        Section top = Section.of(tree, "", TOP);
        String name = top.text("name");
        if (!name.matches("[A-Za-z0-9][A-Za-z0-9._-]{0,99}")) {
            throw tree.wrong(
                    "name", "letters, digits and . _ -, beginning with a letter or digit", TomlText.quoted(name));
        }
        if (top.find("kind").isEmpty()) {
            throw tree.wrong("kind", "one of " + String.join(", ", Named.words(Kind.values())), "nothing");
        }
        Kind kind = top.choice("kind", Kind.values(), Kind.DYNAMICS);
        TheoryFile file = new TheoryFile(
                name,
                top.text("description", ""),
                kind,
                top.choice("device", RunConfig.Device.values(), RunConfig.Device.AUTO),
                atLeast(top, "seed", 0, 0),
                atLeast(top, "seeds", 1, 1),
                model(tree, kind),
                features(tree, kind),
                times(tree, kind),
                descent(tree, kind),
                laws(tree));
        file.check(tree);
        return file;
    }

    private void check(ConfigTree tree) {
        if (cases().size() > MOST_CASES) {
            throw tree.wrong("model", "at most " + MOST_CASES + " cases", cases().size() + "");
        }
        for (double psi : model.psiP) {
            if (psi * model.d > MOST_FEATURES || Math.round(psi * model.d) < 1) {
                throw tree.wrong(
                        "model.psi_p", "1 to " + MOST_FEATURES + " features, psi_p times d", psi + " times " + model.d);
            }
        }
        for (Law law : laws) {
            if (law.heavyTailed() && features.draws == 0 && kind != Kind.SPECTRUM) {
                throw tree.wrong(
                        "features.draws",
                        "1 or more, because the Gaussian equivalent does not know the tails of law " + law.name(),
                        "0");
            }
        }
        if (kind == Kind.MAP && features.draws > 0) {
            throw tree.wrong(
                    "features.draws", "0, because maps are computed by the Gaussian equivalent", "" + features.draws);
        }
    }

    private static Model model(ConfigTree tree, Kind kind) {
        Section s = Section.of(tree, "model", List.of("activation", "d", "psi_p", "psi_n", "t"));
        String word = s.text("activation", "tanh");
        List<String> known = Activation.known().stream().map(Activation::name).toList();
        if (!known.contains(word)) {
            throw tree.wrong("model.activation", "one of " + String.join(", ", known), TomlText.quoted(word));
        }
        List<Double> psiP = positive(s, "psi_p", List.of(16.0));
        if (kind == Kind.DESCENT && psiP.size() > 1) {
            throw tree.wrong("model.psi_p", "one number, because models are trained side by side", psiP.toString());
        }
        return new Model(
                Activation.known().get(known.indexOf(word)),
                atLeast(s, "d", 100, 2),
                psiP,
                positive(s, "psi_n", List.of(4.0, 8.0)),
                positive(s, "t", List.of(0.1)));
    }

    private static Features features(ConfigTree tree, Kind kind) {
        Section s = Section.of(tree, "features", List.of("draws", "test_points"));
        Features features = new Features(atLeast(s, "draws", 0, 0), atLeast(s, "test_points", 2000, 1));
        if (kind == Kind.SPECTRUM && s.find("test_points").isPresent()) {
            throw unknown(tree, "features.test_points", kind, "a spectrum has no test loss");
        }
        return features;
    }

    private static Times times(ConfigTree tree, Kind kind) {
        Section s = Section.of(tree, "time", List.of("from", "to", "per_decade", "at"));
        for (String key : List.of("from", "to", "per_decade", "at")) {
            boolean used = kind == Kind.MAP ? key.equals("at") : kind == Kind.DYNAMICS && !key.equals("at");
            if (s.find(key).isPresent() && !used) {
                throw unknown(tree, "time." + key, kind, kind == Kind.MAP ? "a map has time.at" : "it is not used");
            }
        }
        double from = single(s, "from", 0.1);
        double to = single(s, "to", 1e6);
        if (!(to > from)) {
            throw tree.wrong("time.to", "more than time.from, which is " + from, to + "");
        }
        return new Times(from, to, atLeast(s, "per_decade", 12, 1), positive(s, "at", List.of(1e3, 1e4)));
    }

    private static Training descent(ConfigTree tree, Kind kind) {
        Section s = Section.of(tree, "descent", List.of("optimizer", "lr", "steps"));
        if (tree.find("descent").isPresent() && kind != Kind.DESCENT) {
            throw unknown(tree, "descent", kind, "only kind \"descent\" trains step by step");
        }
        Rule rule = s.choice("optimizer", Rule.values(), Rule.SGD);
        double lr = s.find("lr").isEmpty() && rule == Rule.SGD ? 0 : single(s, "lr", 0.01);
        return new Training(rule, lr, atLeast(s, "steps", 10_000, 1));
    }

    private static List<Law> laws(ConfigTree tree) {
        JsonNode node = tree.find("law").orElse(null);
        if (node == null) {
            return List.of(Law.STANDARD);
        }
        if (!(node instanceof ObjectNode tables) || tables.isEmpty()) {
            throw tree.wrong("law", "tables such as [law.gaussian]", TomlText.shown(node));
        }
        List<Law> laws = new ArrayList<>();
        for (String name : tables.propertyNames()) {
            if (!name.matches("[A-Za-z0-9_-]{1,40}")) {
                throw tree.wrong("law", "names of letters, digits, _ and -", TomlText.quoted(name));
            }
            laws.add(Law.of(tree, name));
        }
        return List.copyOf(laws);
    }

    private static DataException unknown(ConfigTree tree, String key, Kind kind, String reason) {
        return new DataException(
                tree.place(key) + ": " + key + ": kind \"" + kind.word() + "\" has no such key: " + reason);
    }

    private static int atLeast(Section s, String key, int fallback, int least) {
        int value = s.integer(key, fallback);
        if (value < least) {
            throw s.wrong(key, least + " or more", JsonNodeFactory.instance.numberNode(value));
        }
        return value;
    }

    private static double single(Section s, String key, double fallback) {
        double value = s.real(key, fallback);
        if (!(value > 0)) {
            throw s.wrong(key, "a number above 0", JsonNodeFactory.instance.numberNode(value));
        }
        return value;
    }

    private static List<Double> positive(Section s, String key, List<Double> fallback) {
        List<Double> values = s.reals(key, fallback);
        DoublePredicate bad = value -> !(value > 0);
        if (values.isEmpty()
                || values.stream().anyMatch(bad::test)
                || values.stream().distinct().count() < values.size()) {
            throw s.wrong(
                    key, "one or more different numbers above 0", s.find(key).orElseThrow());
        }
        return values;
    }

    /// Every model of the file, seeds fastest.
    List<Case> cases() {
        List<Case> cases = new ArrayList<>();
        for (Law law : laws) {
            for (double t : model.t) {
                for (double p : model.psiP) {
                    for (double n : model.psiN) {
                        for (int i = 0; i < seeds; i++) {
                            cases.add(new Case(law, t, p, n, seed + i));
                        }
                    }
                }
            }
        }
        return cases;
    }

    Sizes sizes(Case one) {
        return Sizes.of(model.d, one.psiP, one.psiN);
    }
}
