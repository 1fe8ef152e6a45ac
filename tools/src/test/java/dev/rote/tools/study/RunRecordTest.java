package dev.rote.tools.study;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.rote.errors.DataException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RunRecordTest {
    private static final String START = "{\"kind\":\"start\",\"step\":0,\"device\":\"cpu\",\"threads\":1}\n";

    @TempDir
    Path folder;

    private RunRecord read(String text) throws IOException {
        Files.writeString(folder.resolve("metrics.jsonl"), text);
        return RunRecord.read(folder);
    }

    @Test
    void aMeasurementReadsBack() throws IOException {
        RunRecord record = read(START + """
                {"kind":"train","step":10,"loss":"NaN"}
                {"kind":"measure","step":10,"samples":4,"memorized_fraction":[{"k":0.5,"value":0,"low":0,"high":0,\
                "wilson_low":0,"wilson_high":0.4}],"ratios":[0.9,1],"frechet":{"value":2,"low":1.5,"high":2.5,\
                "features":"pixels"},"losses":[{"t":0.1,"train":{"value":1,"low":"-Infinity","high":"Infinity"}}]}
                {"kind":"of a later version"}
                {"kind":"end","step":10}
                """);
        assertThat(record.complete(10)).isTrue();
        assertThat(record.complete(11)).as("to be extended").isFalse();
        assertThat(record.losses().getFirst()).containsExactly(10, Double.NaN);
        RunRecord.Measured at = record.measurements().getFirst();
        assertThat(at.fractions()).containsExactly(new RunRecord.Fraction(0.5, 0, 0, 0.4));
        assertThat(at.frechet()).contains(new RunRecord.Estimate(2, 1.5, 2.5));
        assertThat(at.train().get(0.1).high()).isInfinite();
    }

    @Test
    void adistanceOfAnOlderVersionHasNoInterval() throws IOException {
        RunRecord record = read("{\"kind\":\"measure\",\"step\":1,\"frechet\":{\"value\":2,\"features\":\"f\"}}\n");
        assertThat(record.measurements().getFirst().frechet().orElseThrow().low())
                .isNaN();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '^',
            value = {
                "{'kind':'train','step':1,'loss':'low'}     | expected a number as loss, found \"low\"",
                "{'kind':'train','step':1}                  | expected a number as loss, found nothing",
                "{'kind':'train','step':-1,'loss':1}        | expected a number of 0 or more as step, found -1",
                "{'kind':'train','step':1e30,'loss':1}      | expected a number of 0 or more as step, found 1.0E30",
                "{'kind':3,'step':1}                        | expected a string as kind, found 3",
                "{'step':1}                                 | expected a string as kind, found nothing",
                "{'kind':'measure','step':1,'ratios':3}     | expected a list as ratios, found 3",
                "{'kind':'measure','step':1,'ratios':['x']} | expected a number as ratios[0], found \"x\"",
                "{'kind':'measure','step':1,'frechet':{'value':-1,'features':'f'}} | expected a number from 0.0 to 1.7976931348623157E308 as frechet.value, found -1",
                "{'kind':'base_rate','step':0,'memorized_fraction':[{'k':0.5,'value':2}]} | expected a number from 0.0 to 1.0 as memorized_fraction[0].value, found 2",
                "[1]                                        | expected a JSON object, found ARRAY",
            })
    void aDamagedLineIsNamed(String line, String sentence) {
        assertThatThrownBy(() -> read(START + line.replace('\'', '"') + "\n"))
                .isInstanceOf(DataException.class)
                .hasMessage(folder.resolve("metrics.jsonl") + ": line 2: " + sentence);
    }

    @Test
    void stepsThatGoBackAreDamage() {
        String two = "{\"kind\":\"train\",\"step\":9,\"loss\":1}\n{\"kind\":\"train\",\"step\":3,\"loss\":1}\n";
        assertThatThrownBy(() -> read(START + two))
                .hasMessageContaining("line 3: expected a step after 9 as step, found 3");
    }
}
