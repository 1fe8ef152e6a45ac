package dev.rote.graph;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class DotTest {
    private static final Pattern VERTEX = Pattern.compile("  ([nv]\\d+) \\[(shape=ellipse )?label=\"(.*)\"];");
    private static final Pattern EDGE = Pattern.compile("  ([nv]\\d+) -> (n\\d+) \\[label=\"(.*)\" fontsize=8];");

    @Test
    void everyNodeAndEveryUseIsDrawn() {
        for (long seed = 0; seed < 50; seed++) {
            Graph graph = RandomGraph.of(seed);
            String[] lines = Dot.of(graph).split("\n");
            assertThat(lines[0]).isEqualTo("digraph step {");
            assertThat(lines[lines.length - 1]).isEqualTo("}");
            Set<String> vertices = new HashSet<>();
            int edges = 0;
            int ellipses = 0;
            for (int line = 2; line < lines.length - 1; line++) {
                Matcher vertex = VERTEX.matcher(lines[line]);
                Matcher edge = EDGE.matcher(lines[line]);
                if (vertex.matches()) {
                    assertThat(vertices.add(vertex.group(1))).as(lines[line]).isTrue();
                    ellipses += vertex.group(2) == null ? 0 : 1;
                } else {
                    assertThat(edge.matches()).as(lines[line]).isTrue();
                    assertThat(vertices).contains(edge.group(1), edge.group(2));
                    edges++;
                }
            }
            for (int node = 0; node < graph.nodes().size(); node++) {
                assertThat(vertices).contains("n" + node);
            }
            assertThat(ellipses).as("values that no node computes").isEqualTo(readFromOutside(graph));
            assertThat(edges)
                    .isEqualTo(graph.nodes().stream()
                            .mapToInt(node -> node.inputs().size())
                            .sum());
        }
    }

    private static int readFromOutside(Graph graph) {
        Set<Value> outside = new HashSet<>();
        for (Node node : graph.nodes()) {
            node.inputs().stream()
                    .map(Value::root)
                    .filter(root -> root.lifetime() != Value.Lifetime.STEP)
                    .forEach(outside::add);
        }
        return outside.size();
    }

    @Test
    void quotesInNamesAreEscaped() {
        Graph graph = new Graph();
        graph.apply(new Scale(1, 0), graph.external("a \"b\" \\c", TensorType.f32(1)));
        assertThat(Dot.of(graph)).contains("label=\"a \\\"b\\\" \\\\c\"");
    }
}
