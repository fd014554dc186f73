package io.guilomo.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class TestLabelSet {

  @Test
  void ordersByValueOrByText() {
    assertThat(LabelSet.of(List.of("10", "9", "10", "-1")).labels())
        .containsExactly("-1", "9", "10");
    assertThat(LabelSet.of(List.of("10", "9", "x")).labels()).containsExactly("10", "9", "x");
    assertThat(new LabelSet(List.of("no", "maybe")).index("maybe")).isEqualTo(1);
  }

  @Test
  void refusesFewerThanTwoAndRepeats() {
    assertThatThrownBy(() -> LabelSet.of(List.of("a", "a")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("Cannot classify into labels [a]: at least 2 are needed");
    assertThatThrownBy(() -> new LabelSet(List.of("a", "a")))
        .hasMessage("Cannot classify into labels [a, a]: they contain duplicates");
  }

  @Test
  void namesOnlyTheFirstOfMany() {
    LabelSet many = LabelSet.of(IntStream.range(0, 1200).mapToObj("item-%05d"::formatted).toList());
    assertThatThrownBy(() -> many.index("item-99999"))
        .hasMessageStartingWith(
            "Cannot use label item-99999: expected one of [item-00000, item-00001, ")
        .hasMessageEndingWith("item-00009, … (1,190 more)]");
    assertThatThrownBy(() -> many.index("x".repeat(1000)))
        .hasMessageStartingWith("Cannot use label " + "x".repeat(60) + "…: ");
  }
}
