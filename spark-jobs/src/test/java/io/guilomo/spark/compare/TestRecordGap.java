package io.guilomo.spark.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.guilomo.metric.Bootstrap;
import io.guilomo.metric.PairedDifference;
import io.guilomo.metric.Scored;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class TestRecordGap {

  @Test
  void lossesOfTheSameRecordsAreCompared() {
    RecordScores scores =
        new RecordScores(
            Map.of(
                "a.1", losses(1.2, 2.0, 3.0, Double.NaN),
                "a.2", losses(1.4, 2.4, 3.4, 9),
                "full.1", losses(1, 2, 3, 4),
                // This run has not scored the third.
                "full.2", losses(1, 2, Double.NaN, 4)),
            new Bootstrap(10, 0.9, 1));
    // Of records 1 and 2: 0.3 and 0.2 above 1 and 2, whose mean is 1.5.
    PairedDifference gap =
        scores.gap(List.of("a.1", "a.2"), List.of("full.1", "full.2")).orElseThrow();
    assertThat(gap.pairs()).isEqualTo(2);
    assertThat(gap.mean()).isCloseTo(0.25 / 1.5, within(1e-9));
    assertThat(scores.gap(List.of("a.1"), List.of("unknown"))).isEmpty();
  }

  private static Map<String, TreeMap<Long, Scored>> losses(double... losses) {
    TreeMap<Long, Scored> records = new TreeMap<>();
    for (double loss : losses) {
      records.put(records.size() + 1L, new Scored(1, 1, loss));
    }
    return Map.of("response", records);
  }
}
