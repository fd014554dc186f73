package io.guilomo.spark.table;

import io.guilomo.config.RunConfig;
import io.guilomo.model.UserException;
import java.time.LocalDate;
import java.util.regex.Pattern;

/**
 * The run and job whose rows a {@link TableWriter} writes.
 *
 * @param runId matches {@link RunConfig#ID}
 * @param runDate the day on which the run began, in UTC
 * @param job the job of the run: {@link #ALLOCATE}, {@link #FINETUNE}, …
 */
public record JobRun(String runId, LocalDate runDate, String job) {

  public static final String ALLOCATE = "allocate";
  public static final String FINETUNE = "finetune";
  public static final String EVALUATE = "evaluate";
  public static final String PREDICT = "predict";
  public static final String COMPARE = "compare";

  private static final Pattern JOB = Pattern.compile("[a-z][a-z0-9_]{0,31}");

  public JobRun {
    checkRunId(runId);
    if (!JOB.matcher(job).matches()) {
      throw new IllegalArgumentException("Cannot use job name '" + job + "': it must match " + JOB);
    }
  }

  static boolean isRunId(String name) {
    return RunConfig.ID.matcher(name).matches();
  }

  static void checkRunId(String runId) {
    if (!isRunId(runId)) {
      String shown = runId.length() > 160 ? runId.substring(0, 160) + "…" : runId;
      throw new UserException("Cannot use run id '" + shown + "': it must match " + RunConfig.ID);
    }
  }
}
