package dev.rote.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.rote.graph.Add;
import dev.rote.graph.Advance;
import dev.rote.graph.AllReduce;
import dev.rote.graph.Embedding;
import dev.rote.graph.Graph;
import dev.rote.graph.Plan;
import dev.rote.graph.Scale;
import dev.rote.graph.Shape;
import dev.rote.graph.Target;
import dev.rote.graph.TensorType;
import dev.rote.graph.Value;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ReferenceRunTest {
    @Test
    void viewsAndReshapesShareStorage() {
        Graph graph = new Graph();
        Value flat = graph.external("flat", TensorType.f32(6));
        Value tail = graph.view(flat, 2, TensorType.f32(4));
        Value square = graph.reshape(tail, Shape.of(2, 2));
        Value head = graph.unplaced("head", TensorType.f32(2));
        graph.place(head, flat, 0);
        Value sum = graph.apply(new Add(), square, square);
        ReferenceRun run = ReferenceRun.of(graph, Map.of("flat", new double[] {1, 2, 3, 4, 5, 6}));
        run.run();
        assertThat(run.read(sum)).containsExactly(6, 8, 10, 12);
        assertThat(run.read(head)).containsExactly(1, 2);
    }

    @Test
    void whatIsComputedIntoAPlaceStandsInTheOwner() {
        Graph graph = new Graph();
        Value x = graph.external("x", TensorType.f32(2));
        Value buffer = graph.local("buffer", TensorType.f32(5));
        graph.place(graph.apply(new Scale(10, 0), x), buffer, 3);
        ReferenceRun run = ReferenceRun.of(graph, Map.of("x", new double[] {1, 2}));
        run.run();
        assertThat(run.read(buffer)).containsExactly(0, 0, 0, 10, 20);
    }

    @Test
    void operationsInPlaceChangeTheCallersArrayAndLastFromRunToRun() {
        Graph graph = new Graph();
        Value step = graph.external("step", TensorType.i32(1));
        graph.perform(new Advance(), step);
        double[] counter = {41};
        ReferenceRun run = ReferenceRun.of(graph, Map.of("step", counter));
        run.run();
        run.run();
        assertThat(counter).containsExactly(43);
    }

    @Test
    void stepValuesAreUndefinedUntilWritten() {
        Graph graph = new Graph();
        Value hole = graph.unplaced("hole", TensorType.f32(1));
        Value y = graph.apply(new Scale(1, 0), hole);
        ReferenceRun run = ReferenceRun.of(graph, Map.of());
        run.run();
        assertThat(run.read(y)).containsExactly(Double.NaN);
    }

    @Test
    void nothingOfARunIsLeftInTheNextOnesStepValues() {
        Graph graph = new Graph();
        Value x = graph.external("x", TensorType.f32(1));
        Value owner = graph.unplaced("owner", TensorType.f32(1));
        Value early = graph.apply(new Scale(1, 0), owner);
        graph.place(graph.apply(new Scale(2, 0), x), owner, 0);
        ReferenceRun run = ReferenceRun.of(graph, Map.of("x", new double[] {1}));
        run.run();
        assertThat(run.read(owner)).containsExactly(2);
        run.run();
        assertThat(run.read(early)).containsExactly(Double.NaN);
    }

    @Test
    void theSumOverOneLaneIsTheValueItself() {
        Graph graph = new Graph();
        Value x = graph.external("x", TensorType.f32(2));
        graph.perform(new AllReduce(), x);
        double[] numbers = {1, 2};
        ReferenceRun.of(graph, Map.of("x", numbers)).run();
        assertThat(numbers).containsExactly(1, 2);
    }

    @Test
    void aMissingOrShortBindingIsRefused() {
        Graph graph = new Graph();
        graph.external("x", TensorType.f32(3));
        assertThatThrownBy(() -> ReferenceRun.of(graph, Map.of()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("binding x: expected at least 3 elements, found none");
        assertThatThrownBy(() -> ReferenceRun.inArena(Plan.of(graph, Target.PLAIN), Map.of("x", new double[2])))
                .hasMessage("binding x: expected at least 3 elements, found 2");
    }

    @Test
    void anIndexOutOfRangeIsRefused() {
        Graph graph = new Graph();
        Value table = graph.external("table", TensorType.f32(3, 2));
        graph.apply(new Embedding(), table, graph.external("index", TensorType.i32(2)));
        ReferenceRun run = ReferenceRun.of(graph, Map.of("table", new double[6], "index", new double[] {2, 3}));
        assertThatThrownBy(run::run)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Embedding: index 1: expected 0 to 2, found 3.0");
    }

    @Test
    void aValueOverwrittenInTheArenaIsSeen() {
        Graph graph = new Graph();
        Value x = graph.external("x", TensorType.f32(16));
        Value a = graph.apply(new Scale(2, 0), x);
        Value b = graph.keep(graph.apply(new Scale(2, 0), a));
        double[] ones = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
        ReferenceRun run = ReferenceRun.inArena(Plan.of(graph, Target.PLAIN), Map.of("x", ones));
        run.run();
        assertThat(run.read(b)).containsOnly(4);
        assertThat(run.read(a)).as("b stands where a stood").containsOnly(4);
    }

    @Test
    void theErrorFunctionAgreesWithItsTables() {
        // Abramowitz & Stegun, table 7.1, and erfc(3) from table 7.3.
        assertThat(ActivationReference.erf(0.5)).isCloseTo(0.5204998778, within(1e-10));
        assertThat(ActivationReference.erf(-1)).isCloseTo(-0.8427007929, within(1e-10));
        assertThat(ActivationReference.erf(2)).isCloseTo(0.9953222650, within(1e-10));
        assertThat(1 - ActivationReference.erf(3)).isCloseTo(2.209049699858544e-5, within(1e-15));
        assertThat(ActivationReference.erf(6)).isCloseTo(1, within(1e-15));
        assertThat(ActivationReference.erf(7)).isEqualTo(1);
        assertThat(ActivationReference.erf(0)).isZero();
    }
}
