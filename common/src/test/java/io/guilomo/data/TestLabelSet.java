package io.guilomo.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guilomo.model.UserException;
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
  void refusesWhatAnAdapterCannotHave() {
    String longest = "x".repeat(256);
    assertThat(LabelSet.of(List.of(longest, "y")).size()).isEqualTo(2);
    assertThatThrownBy(() -> LabelSet.of(List.of(longest + "x", "y")))
        .isInstanceOf(UserException.class)
        .hasMessage(
            "Cannot use label '%s…' of 257 characters: expected 1 to 256 that are not all white"
                + " space; rename it in the data",
            "x".repeat(60));
    assertThatThrownBy(() -> new LabelSet(List.of(" ", "y")))
        .hasMessageStartingWith("Cannot use label ' ' of 1 characters: expected 1 to 256");
    List<String> most = IntStream.range(0, 65_536).mapToObj(String::valueOf).toList();
    assertThat(new LabelSet(most).size()).isEqualTo(65_536);
    List<String> more = IntStream.range(0, 65_537).mapToObj(String::valueOf).toList();
    assertThatThrownBy(() -> LabelSet.of(more))
        .hasMessage(
            "Cannot classify into 65537 labels: maximum is 65536; map data.columns.label to a field"
                + " of classes");
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
