package io.guilomo.spark.progress;

import java.util.Map;
import org.apache.spark.SparkContext;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerTaskEnd;

/** Reports every task that ends while it is open. */
public final class TaskProgress extends SparkListener implements AutoCloseable {

  private final SparkContext spark;
  private final ProgressListener progress;
  private long left;

  public TaskProgress(SparkContext spark, ProgressListener progress, String task, int tasks) {
    this.spark = spark;
    this.progress = progress;
    this.left = tasks;
    progress.begin(task, tasks);
    spark.addSparkListener(this);
  }

  @Override
  public void onTaskEnd(SparkListenerTaskEnd end) {
    synchronized (this) {
      // Other stages of the job, such as the reading of the records, have tasks too.
      if (end.reason() == org.apache.spark.Success$.MODULE$
          && end.taskType().equals("ResultTask")
          && left > 0) {
        left--;
        progress.round(Map.of());
      }
    }
  }

  @Override
  public void close() {
    synchronized (this) {
      left = 0;
    }
    spark.removeSparkListener(this);
  }
}
