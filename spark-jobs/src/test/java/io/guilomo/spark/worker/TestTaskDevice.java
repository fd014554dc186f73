package io.guilomo.spark.worker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guilomo.config.ClusterConfig.Device;
import io.guilomo.spark.SharedSparkSession;
import java.util.Optional;
import org.apache.spark.SparkConf;
import org.apache.spark.resource.ResourceProfile;
import org.junit.jupiter.api.Test;

class TestTaskDevice {

  @Test
  void theAddressThatSparkGaveIsTheDevice() {
    assertThat(TaskDevice.choose(Device.GPU, false, 4, new String[] {"3"})).isEqualTo(3);
    assertThat(TaskDevice.choose(Device.AUTO, false, 4, new String[] {"1", "2"})).isEqualTo(1);
    // One that is alone in its container is 0 there.
    assertThat(TaskDevice.choose(Device.GPU, false, 1, new String[] {"5"})).isZero();
    assertThat(TaskDevice.choose(Device.GPU, false, 1, new String[] {"GPU-8f2a"})).isZero();
    assertThat(TaskDevice.choose(Device.AUTO, false, 2, new String[0])).isZero();
    // Spark schedules none for the driver.
    assertThat(TaskDevice.choose(Device.GPU, true, 2, new String[0])).isZero();
  }

  @Test
  void aGpuThatIsNotThereIsRefused() {
    assertThatThrownBy(() -> TaskDevice.choose(Device.GPU, false, 2, new String[] {"2"}))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("Cannot use GPU 2: the process sees 2");
    assertThatThrownBy(() -> TaskDevice.choose(Device.AUTO, false, 2, new String[] {"GPU-8f2a"}))
        .hasMessage("Cannot use GPU GPU-8f2a: the process sees 2");
    assertThatThrownBy(() -> TaskDevice.choose(Device.GPU, false, 2, new String[0]))
        .hasMessage(
            "Cannot compute with cluster.device=gpu: Spark gave the task no GPU; set"
                + " spark.executor.resource.gpu.amount and spark.task.resource.gpu.amount");
    assertThatThrownBy(() -> TaskDevice.check(Device.GPU, Optional.of("there is none")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("Cannot compute with cluster.device=gpu: there is none");
    assertThatCode(() -> TaskDevice.check(Device.AUTO, Optional.of("there is none")))
        .doesNotThrowAnyException();
    assertThatCode(() -> TaskDevice.check(Device.GPU, Optional.empty())).doesNotThrowAnyException();
  }

  @Test
  void aStageAsksForAGpuForEachTask() {
    ResourceProfile profile =
        TaskDevice.oneTaskAGpu(new SparkConf(false).set("spark.task.cpus", "2"));
    assertThat(profile.getTaskCpus().get()).isEqualTo(2);
    assertThat(profile.taskResourcesJMap().get("gpu").amount()).isEqualTo(1.0);
    assertThat(profile.executorResourcesJMap()).isEmpty();
    assertThat(TaskDevice.executorGpus(new SparkConf(false))).isZero();
    assertThat(TaskDevice.scheduled(SharedSparkSession.session().sparkContext())).isFalse();
  }
}
