package io.guilomo.spark.job;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** What each of its tests has: an output directory and jobs that write there. */
abstract class OnResumedJobs {

  @TempDir Path output;
  ResumedJobs jobs;

  @BeforeEach
  void chooseRecords() throws IOException {
    jobs = new ResumedJobs(output);
  }
}
