package io.guilomo.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

class TestDataReport {

  @Test
  void sumsInAnyOrder() {
    List<DataReport> parts = new ArrayList<>();
    parts.add(DataReport.of(outcome(4, false), false));
    parts.add(DataReport.of(outcome(8, true), true));
    parts.add(DataReport.of(new RecordEncoder.Outcome(Optional.empty(), true), false));
    parts.add(DataReport.ofRepeated());
    for (int i = 1; i <= 9; i++) {
      parts.add(bad(i));
    }
    DataReport sum = parts.stream().reduce(DataReport.EMPTY, DataReport::merge);
    assertThat(sum.read()).isEqualTo(13);
    assertThat(sum.train()).isEqualTo(1);
    assertThat(sum.validation()).isEqualTo(1);
    assertThat(sum.truncated()).isEqualTo(2);
    assertThat(sum.dropped()).isEqualTo(1);
    assertThat(sum.repeated()).isEqualTo(1);
    assertThat(sum.bad()).isEqualTo(9);
    assertThat(sum.meanLength()).isEqualTo(6.0);
    assertThat(sum.longest()).isEqualTo(8);
    assertThat(sum.samples())
        .extracting(DataReport.BadRecord::position)
        .containsExactly(1L, 2L, 3L, 4L, 5L);

    Collections.shuffle(parts, new Random(7));
    assertThat(parts.stream().reduce(DataReport.EMPTY, DataReport::merge)).isEqualTo(sum);
  }

  @Test
  void refusesTooManyBadRecords() {
    DataReport report = DataReport.EMPTY;
    for (int i = 0; i < 183; i++) {
      report = report.merge(DataReport.of(outcome(4, false), false));
    }
    for (int i = 1; i <= 17; i++) {
      report = report.merge(bad(i));
    }
    DataReport read = report;
    assertThatThrownBy(() -> read.check("data.jsonl", 0.01))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "Cannot read data.jsonl: 17 of 200 records are bad (limit 2): first: d:1: reason: text");
    read.check("data.jsonl", 0.085);
    DataReport exact = new DataReport(100, 71, 0, 0, 0, 0, 29, List.of(), 0, 0);
    exact.check("data.jsonl", 0.29);
    assertThatThrownBy(() -> DataReport.EMPTY.check("data.jsonl", 0.01))
        .hasMessage("Cannot read data.jsonl: it contains no records");
  }

  @Test
  void cutsSamples() {
    assertThat(new DataReport.BadRecord("d", 1, "reason", "x".repeat(300)).text()).hasSize(200);
  }

  private static DataReport bad(long position) {
    return DataReport.ofBad(new DataReport.BadRecord("d", position, "reason", "text"));
  }

  private static RecordEncoder.Outcome outcome(int length, boolean truncated) {
    return new RecordEncoder.Outcome(
        Optional.of(new Example(new int[length], new int[length], new int[length])), truncated);
  }
}
