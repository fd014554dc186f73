package io.guilomo.spark.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.guilomo.spark.cluster.PackagedJobs.Ended;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a driver's options, which compile kernels early, make of them. */
@Tag("slow")
class TestDriverKernels {

  @TempDir private Path directory;

  /** Where the compiler does not know a vector's type, it makes an object of it. */
  @Test
  void kernelsOfSmallBatchesMakeNoObjectsOfVectors() throws Exception {
    PackagedJobs jobs = new PackagedJobs(directory, "local[2]", List.of());
    Ended ended =
        jobs.command("bench", List.of("bench", "finetune-bert:sequences=16:length=8")).end();
    assertThat(ended.status()).as(ended.err()).isZero();
    // 20 MB where the compiler does not.
    assertThat(new ObjectMapper().readTree(ended.out()).get("heap_mb_per_step").asDouble())
        .isPositive()
        .isLessThan(5);
  }
}
