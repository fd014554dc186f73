package io.guilomo.spark.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guilomo.config.ClusterConfig.Device;
import io.guilomo.spark.SharedSparkSession;
import org.apache.spark.SparkConf;
import org.apache.spark.resource.ResourceProfile;
import org.junit.jupiter.api.Test;

class TestTaskDevice {

  @Test
  void theAddressThatSparkGaveIsTheDevice() {
    assertThat(TaskDevice.choose(Device.GPU, true, 4, new String[] {"3"})).hasValue(3);
    assertThat(TaskDevice.choose(Device.AUTO, true, 4, new String[] {"1", "2"})).hasValue(1);
    // One that is alone in its container is 0 there.
    assertThat(TaskDevice.choose(Device.GPU, true, 1, new String[] {"5"})).hasValue(0);
    assertThat(TaskDevice.choose(Device.GPU, true, 1, new String[] {"GPU-8f2a"})).hasValue(0);
    assertThat(TaskDevice.choose(Device.AUTO, true, 2, new String[0])).hasValue(0);
    assertThat(TaskDevice.choose(Device.AUTO, false, 0, new String[] {"1"})).isEmpty();
    assertThat(TaskDevice.choose(Device.CPU, false, 0, new String[0])).isEmpty();
  }

  @Test
  void aGpuThatIsNotThereIsRefused() {
    assertThatThrownBy(() -> TaskDevice.choose(Device.GPU, true, 2, new String[] {"2"}))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("Cannot use GPU 2: ND4J sees 2");
    assertThatThrownBy(() -> TaskDevice.choose(Device.AUTO, true, 2, new String[] {"GPU-8f2a"}))
        .hasMessage("Cannot use GPU GPU-8f2a: ND4J sees 2");
    assertThatThrownBy(() -> TaskDevice.choose(Device.GPU, true, 2, new String[0]))
        .hasMessage(
            "Cannot compute with cluster.device=gpu: Spark gave the task no GPU; set"
                + " spark.executor.resource.gpu.amount and spark.task.resource.gpu.amount");
  }

  @Test
  void theJarDecidesWhatThereIs() {
    assertThatThrownBy(() -> TaskDevice.check(Device.GPU, false))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "Cannot compute with cluster.device=gpu: the jar has ND4J's CPU backend; build it with"
                + " mvn -Pcuda package");
    assertThatThrownBy(() -> TaskDevice.check(Device.CPU, true))
        .hasMessage(
            "Cannot compute with cluster.device=cpu: the jar has ND4J's CUDA backend; build it with"
                + " mvn package");
    assertThatCode(() -> TaskDevice.check(Device.AUTO, true)).doesNotThrowAnyException();
    assertThatCode(() -> TaskDevice.bind(Device.AUTO)).doesNotThrowAnyException();
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
