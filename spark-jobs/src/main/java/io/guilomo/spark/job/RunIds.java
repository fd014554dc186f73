package io.guilomo.spark.job;

import io.guilomo.config.RunConfig;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;

/** Names of runs. */
final class RunIds {

  private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss");

  private RunIds() {}

  /** The given name, or one of time and seed. */
  static String of(RunConfig run, Instant startedAt) {
    return run.id().isEmpty()
        ? TIME.format(startedAt.atZone(ZoneOffset.UTC)) + "-" + run.seed()
        : run.id();
  }
}
