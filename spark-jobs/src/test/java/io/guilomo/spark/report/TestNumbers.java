package io.guilomo.spark.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TestNumbers {

  @ParameterizedTest
  @CsvSource({
    "0.72418, 0.7242",
    "-0.0299, -0.0299",
    "0.00002937, 2.94e-05",
    "44, 44",
    "0, 0",
    "37.62, 37.6",
    "'1447.4', '1,447'",
    "NaN, NaN"
  })
  void measurementsHaveTheDecimalsThatMatter(double value, String shown) {
    assertThat(Numbers.measured(value)).isEqualTo(shown);
  }

  @Test
  void countsTimesAndDifferences() {
    assertThat(Numbers.count(1_139_328)).isEqualTo("1,139,328");
    assertThat(Numbers.oneDecimal(4)).isEqualTo("4");
    assertThat(Numbers.oneDecimal(4.25)).isEqualTo("4.3");
    assertThat(Numbers.difference(0.0082)).isEqualTo("+0.0082");
    assertThat(Numbers.percent(0.354)).isEqualTo("35.4 %");
    assertThat(Numbers.time(Instant.parse("2026-01-02T10:00:00Z")))
        .isEqualTo("2026-01-02 10:00:00 UTC");
    assertThat(Numbers.duration(Duration.ofSeconds(3725))).isEqualTo("1 h 2 min");
    assertThat(Numbers.duration(Duration.ofMinutes(125))).isEqualTo("2 h 5 min");
    assertThat(Numbers.duration(Duration.ofSeconds(184))).isEqualTo("3 min 4 s");
    assertThat(Numbers.duration(Duration.ofSeconds(59))).isEqualTo("59 s");
    assertThat(Numbers.duration(Duration.ofSeconds(205))).isEqualTo("3 min 25 s");
    assertThat(Numbers.duration(Duration.ofMillis(3900))).isEqualTo("3 s");
  }
}
