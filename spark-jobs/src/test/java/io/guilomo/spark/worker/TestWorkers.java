package io.guilomo.spark.worker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.model.UserException;
import io.guilomo.spark.SharedSparkSession;
import io.guilomo.spark.input.JobContext;
import io.guilomo.spark.run.Messages;
import java.util.List;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkContext;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TestWorkers {

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "yarn | spark.executor.instances=3 | 3",
        "yarn | spark.executor.instances=3 spark.executor.cores=8 spark.task.cpus=4 | 6",
        "yarn | spark.executor.instances=3 spark.executor.cores=8 spark.task.cpus=8 | 3",
        "k8s://https://k:443 | spark.executor.instances=2 spark.executor.cores=4 | 8",
        "yarn | spark.executor.instances=2 spark.executor.cores=8 spark.executor.resource.gpu.amount=2 | 4",
        "spark://m:7077 | spark.cores.max=6 | 6",
        "spark://m:7077 | spark.cores.max=6 spark.task.cpus=4 | 1",
        "spark://m:7077 | spark.cores.max=32 spark.executor.cores=8 spark.task.cpus=4 | 8",
        // Which a standalone cluster does not read.
        "spark://m:7077 | spark.cores.max=2 spark.executor.instances=9 | 2"
      })
  void aClusterHasAsManyAsWereAskedFor(String master, String settings, int count) {
    assertThat(Workers.asked(conf(master, settings))).isEqualTo(count);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "yarn | spark.cores.max=4 | Cannot tell how many workers train on yarn: cluster.workers is 0 and"
            + " spark.executor.instances is not set; set one of the two",
        "spark://m:7077 | spark.executor.instances=4 | Cannot tell how many workers train on spark://m:7077:"
            + " cluster.workers is 0 and spark.cores.max is not set; set one of the two",
        "spark://m:7077 | spark.cores.max=3 spark.executor.cores=4 | Cannot tell how many workers train on"
            + " spark://m:7077: cluster.workers is 0 and spark.cores.max is 3; set one of the two"
      })
  void whereAnyNumberMayComeOneMustBeGiven(String master, String settings, String message) {
    assertThatThrownBy(() -> Workers.asked(conf(master, settings)))
        .isInstanceOf(UserException.class)
        .hasMessage(message);
  }

  private static SparkConf conf(String master, String settings) {
    SparkConf conf = new SparkConf(false).setMaster(master);
    for (String setting : settings.split(" ")) {
      conf.set(setting.split("=")[0], setting.split("=")[1]);
    }
    return conf;
  }

  @Test
  void theNumberIsRecorded() {
    SparkContext spark = SharedSparkSession.session().sparkContext();
    GuilomoConfig config = GuilomoConfig.load(null, List.of());
    JobContext context = new JobContext(SharedSparkSession.session(), config, new Messages());
    Workers workers = Workers.of(config, spark);
    assertThat(workers.count()).isEqualTo(spark.defaultParallelism());
    assertThat(workers).isEqualTo(Workers.ofAnyNumber(config, spark));
    assertThat(workers.fixedIn(context).config().cluster().workers()).isEqualTo(workers.count());
    assertThat(Workers.of(config.with(List.of("cluster.workers=7")), spark).count()).isEqualTo(7);
  }
}
