package io.guilomo.spark.run;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** What each of its tests has: an output directory and jobs that write there. */
public abstract class OnResumedJobs {

  @TempDir Path output;
  public ResumedJobs jobs;

  @BeforeEach
  void chooseRecords() throws IOException {
    jobs = new ResumedJobs(output);
  }
}
