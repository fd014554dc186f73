package io.guilomo.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TestEvaluateConfig {

  @Test
  void anAdapterIsNamedInOnePlace() {
    assertThatThrownBy(
            () ->
                GuilomoConfig.load(
                    null,
                    List.of(
                        "evaluate.uncertainty=ensemble",
                        "evaluate.adapters=[a, b]",
                        "evaluate.adapter=c")))
        .hasMessage(
            "Cannot use guilomo.evaluate.adapters = [a, b]: evaluate.adapter names one as well;"
                + " keep one of the two");
  }

  @Test
  void laplaceIsOfOneAdapter() {
    assertThatThrownBy(
            () ->
                GuilomoConfig.load(
                    null, List.of("evaluate.uncertainty=laplace", "evaluate.adapters=[a, b]")))
        .hasMessage(
            "Cannot use guilomo.evaluate.adapters = [a, b]: with evaluate.uncertainty = laplace one"
                + " adapter answers; name one, or set evaluate.uncertainty = laplace-mixture");
    assertThat(
            GuilomoConfig.load(
                    null, List.of("evaluate.uncertainty=laplace", "evaluate.adapters=[a]"))
                .evaluate()
                .uncertainty()
                .adapters())
        .containsExactly("a");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "evaluate.adapters=[a] | Cannot use guilomo.evaluate.adapters = [a]: with evaluate.uncertainty = none one"
            + " adapter answers; name it in evaluate.adapter, or set evaluate.uncertainty",
        "evaluate.uncertainty=doubt | Cannot use guilomo.evaluate.uncertainty = doubt: must be one of none, ensemble,"
            + " laplace, laplace-mixture",
        "evaluate.member-weights=evidence | Cannot use guilomo.evaluate.member-weights = evidence: only"
            + " evaluate.uncertainty = laplace-mixture knows the evidence"
      })
  void uncertaintyThatCannotBeIsRefused(String override, String message) {
    assertThatThrownBy(() -> GuilomoConfig.load(null, List.of(override))).hasMessage(message);
  }
}
