package io.guilomo.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guilomo.model.UserException;
import java.util.List;
import org.junit.jupiter.api.Test;

class TestSearchConfig {

  @Test
  void whatAutoIsDependsOnTheEstimator() {
    SearchConfig expected = GuilomoConfig.load(null, List.of("search.estimator=expected")).search();
    assertThat(expected.epochs()).isEqualTo(1);
    assertThat(expected.validationFraction()).hasValue(0.5);
    assertThat(expected.outerGradient()).isEqualTo(SearchConfig.OuterGradient.FIRST_ORDER);
    assertThat(GuilomoConfig.load(null, List.of("search.validation-fraction=0.2")).search())
        .satisfies(search -> assertThat(search.validationFraction()).hasValue(0.2));
  }

  @Test
  void theReleasedCodesGradientIsForItsEstimator() {
    assertThatThrownBy(
            () ->
                GuilomoConfig.load(
                    null, List.of("search.estimator=expected", "search.outer-gradient=reference")))
        .isInstanceOf(UserException.class)
        .hasMessage(
            "Cannot use guilomo.search.outer-gradient = reference: the released code knows no"
                + " search.estimator expected; must be second-order or first-order");
  }
}
