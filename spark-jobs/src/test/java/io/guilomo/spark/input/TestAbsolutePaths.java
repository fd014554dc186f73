package io.guilomo.spark.input;

import static org.assertj.core.api.Assertions.assertThat;

import io.guilomo.config.GuilomoConfig;
import java.nio.file.Path;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;

class TestAbsolutePaths {

  private final Configuration hadoop = new Configuration();

  @Test
  void relativePathsBeginWhereTheDriverRuns() {
    GuilomoConfig config =
        GuilomoConfig.load(
            null,
            List.of(
                "model.path=models/m",
                "data.train=data/{a,b}*.tsv",
                "data.validation=2024-01-01T10:00/v.tsv",
                "evaluate.data=./test #1.tsv",
                "evaluate.uncertainty=ensemble",
                "evaluate.adapters=[\"runs/a, b/adapter\", /runs/c/adapter]",
                "evaluate.out-of-domain=other.tsv",
                "finetune.plan=plan.json",
                "search.start-plan=runs/a",
                "output.dir=output"));
    GuilomoConfig absolute = AbsolutePaths.of(config, hadoop);
    String here = Path.of("").toAbsolutePath().toString();
    assertThat(absolute.model().path()).isEqualTo(here + "/models/m");
    assertThat(absolute.data().train()).isEqualTo(here + "/data/{a,b}*.tsv");
    assertThat(absolute.data().validation()).isEqualTo(here + "/2024-01-01T10:00/v.tsv");
    assertThat(absolute.evaluate().data()).isEqualTo(here + "/test #1.tsv");
    assertThat(absolute.evaluate().uncertainty().adapters())
        .containsExactly(here + "/runs/a, b/adapter", "/runs/c/adapter");
    assertThat(absolute.evaluate().uncertainty().outOfDomain()).isEqualTo(here + "/other.tsv");
    assertThat(absolute.finetune().plan()).isEqualTo(here + "/plan.json");
    assertThat(absolute.search().startPlan()).isEqualTo(here + "/runs/a");
    assertThat(absolute.output().dir()).isEqualTo(here + "/output");
    assertThat(absolute.allocation()).isEqualTo(config.allocation());
  }

  @Test
  void otherPathsAreLeftAsTheyAre() {
    GuilomoConfig config =
        GuilomoConfig.load(
            null,
            List.of(
                "model.path=hdfs://namenode:8020/models/m",
                "data.train=/data/train.tsv",
                "evaluate.data=file:/a:b",
                "output.dir=s3a://bucket/output"));
    assertThat(AbsolutePaths.of(config, hadoop)).isEqualTo(config);
  }
}
