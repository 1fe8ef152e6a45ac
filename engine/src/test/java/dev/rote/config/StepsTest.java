package dev.rote.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class StepsTest {
    @Test
    void logSpacedStepsMeetEachDecadeAndEndAtTheLast() {
        assertThat(new Steps.LogSpaced(100, 2500, 4).upTo(9999)).containsExactly(100, 178, 316, 562, 1000, 1778, 2500);
    }

    @Test
    void roundedStepsAppearOnce() {
        assertThat(new Steps.LogSpaced(1, 10, 20).upTo(10)).containsExactly(1, 2, 3, 4, 5, 6, 7, 8, 9, 10);
    }

    @Test
    void anAbsentEndIsTheLastStepOfTheRun() {
        assertThat(new Steps.LogSpaced(10, 0, 1).upTo(150)).containsExactly(10, 100, 150);
        assertThat(new Steps.LogSpaced(10, 0, 1).upTo(10)).containsExactly(10);
    }

    @Test
    void theLargestStepsDoNotOverflow() {
        List<Integer> steps = new Steps.LogSpaced(1, Integer.MAX_VALUE, 3).upTo(Integer.MAX_VALUE);
        assertThat(steps).isSorted().doesNotHaveDuplicates().hasSize(29).endsWith(1_000_000_000, Integer.MAX_VALUE);
    }

    @Test
    void listedStepsAreSorted() {
        assertThat(new Steps.Listed(List.of(30, 0, 7)).upTo(30)).containsExactly(0, 7, 30);
    }

    @Test
    void sheetsAreSpreadOverTheMeasuredStepsAndHoldTheLast() {
        List<Integer> measured = List.of(1, 2, 3, 4, 5, 6, 7);
        assertThat(new Sheets.Count(3).of(measured)).containsExactly(2, 4, 7);
        assertThat(new Sheets.Count(100).of(measured)).isEqualTo(measured);
        assertThat(new Sheets.Count(0).of(measured)).isEmpty();
        assertThat(new Sheets.Last().of(measured)).containsExactly(7);
        assertThat(new Sheets.Last().of(List.of())).isEmpty();
        assertThat(new Sheets.All().of(measured)).isEqualTo(measured);
        assertThat(new Sheets.Listed(List.of(5, 2)).of(measured)).containsExactly(2, 5);
    }
}
