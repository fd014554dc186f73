package io.guilomo.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import org.junit.jupiter.api.Test;

class TestSplit {

  @Property(tries = 200)
  void sidesNeverOverlap(
      @ForAll List<String> texts, @ForAll @DoubleRange(max = 0.99) double fraction) {
    Split split = new Split(fraction);
    Map<Boolean, Set<String>> sides =
        texts.stream()
            .collect(
                Collectors.partitioningBy(
                    text -> split.holdsOut(new TextRecord.Sentence(text, "1")),
                    Collectors.toSet()));
    assertThat(Collections.disjoint(sides.get(true), sides.get(false))).isTrue();
    assertThat(sides.get(true).size() + sides.get(false).size())
        .isEqualTo(Set.copyOf(texts).size());
  }

  @Property(tries = 200)
  void agreesWithTheSameRecordInAnotherFormat(@ForAll String text, @ForAll int label) {
    TextRecord record = new TextRecord.Sentence(text, String.valueOf(label));
    TextRecord other =
        new TextRecord.Sentence(new String(text.toCharArray()), Integer.toString(label));
    assertThat(record.digest()).isEqualTo(other.digest()).hasSize(32);
  }

  @Test
  void holdsOutTheFraction() {
    long held =
        IntStream.range(0, 20_000)
            .filter(i -> new Split(0.1).holdsOut(new TextRecord.Sentence("sentence " + i, "0")))
            .count();
    // Four standard deviations of a binomial.
    assertThat(held).isBetween(1830L, 2170L);
    assertThat(new Split(0).holdsOut(new TextRecord.Sentence("a", "0"))).isFalse();
  }

  @Test
  void neverMovesARecordBetweenReleases() {
    assertThat(new TextRecord.SentencePair("a", "b", null).digest())
        .isEqualTo("3f83974fffd1d712fcee48d27a0b910a");
    assertThat(new TextRecord.SentencePair("ab", "", null).digest())
        .isNotEqualTo(new TextRecord.SentencePair("a", "b", null).digest());
  }

  @Test
  void refusesAFractionOutOfRange() {
    for (double fraction : new double[] {-0.1, 1, Double.NaN}) {
      assertThatThrownBy(() -> new Split(fraction))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage(
              "Cannot hold out a validation fraction of " + fraction + ": expected 0 to below 1");
    }
  }
}
