package io.guilomo.spark.tracking;

import io.guilomo.config.TrackingConfig;
import io.guilomo.spark.table.WrittenRows;
import java.util.function.Consumer;

/**
 * Records a job, beside its tables, where people follow experiments. Whatever happens there, no
 * call throws or waits, but for {@link #end}, which waits for what is left to be sent, about a
 * minute at most.
 */
public interface JobTracker extends WrittenRows {

  /**
   * Begins with a job that runs as part of this one.
   *
   * @return the tracker of that job
   */
  JobTracker begin(TrackedJob job);

  /** Ends with the job, which has done all that it should or has failed. */
  void end(Ending ending);

  /**
   * How a job ended.
   *
   * @param failure why it failed; null if it succeeded
   * @param reported whether there is a new report of its run
   */
  record Ending(Throwable failure, boolean reported) {

    boolean succeeded() {
      return failure == null;
    }
  }

  /**
   * Where a configuration has jobs recorded.
   *
   * @param messages is told, from any thread, what the user should know
   */
  static JobTracker of(TrackingConfig config, Consumer<String> messages) {
    return config.mlflowUri().isEmpty()
        ? NoTracking.INSTANCE
        : new MlflowTracking(config, System.getenv(), messages, MlflowSender.Patience.OF_JOBS);
  }

  /** A tracker that records nothing. */
  static JobTracker none() {
    return NoTracking.INSTANCE;
  }
}
