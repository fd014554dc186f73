package io.guilomo.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
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
}
