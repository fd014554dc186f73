package io.guilomo.spark.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.guilomo.spark.job.ScalingBench.Measured;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What {@code bench --scaling} prints: a line of JSON for each number of workers. */
final class ScalingReport {

  private ScalingReport() {}

  /**
   * @param measured the first is what the others are compared with
   */
  static String print(List<Measured> measured) throws JsonProcessingException {
    StringBuilder lines = new StringBuilder();
    for (Measured one : measured) {
      Map<String, Object> line = new LinkedHashMap<>();
      line.put("workers", one.workers());
      line.put("rounds", one.rounds());
      line.put("steps_per_round", one.stepsPerRound());
      line.put("tokens_per_second", Math.round(one.tokensPerSecond()));
      line.put("speedup", rounded(one.tokensPerSecond() / measured.get(0).tokensPerSecond()));
      line.put("seconds_per_round", rounded(one.seconds() / one.rounds()));
      line.put("averaging_share", rounded(one.averaging() / one.seconds()));
      line.put("waiting_share", rounded(one.waiting() / one.seconds()));
      line.put("averaged_bytes", one.bytes());
      lines.append(new ObjectMapper().writeValueAsString(line)).append('\n');
    }
    return lines.toString();
  }

  private static double rounded(double value) {
    return Math.round(value * 1e4) / 1e4;
  }
}
