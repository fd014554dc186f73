package io.guilomo.spark.input;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.family.Families;
import io.guilomo.family.ModelReader;
import io.guilomo.model.RoutingMethod;
import io.guilomo.plan.AllocationPlan;
import io.guilomo.plan.AllocationPlanParser;
import io.guilomo.plan.UniformAllocation;
import io.guilomo.spark.SharedSparkSession;
import io.guilomo.spark.finetune.FinetuneJob;
import io.guilomo.spark.progress.ProgressListener;
import io.guilomo.spark.round.RandomLlama;
import io.guilomo.spark.run.Messages;
import io.guilomo.spark.search.AllocateJob;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.commons.io.FileUtils;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Plans in files, and the models that they are for. */
class TestPlanFiles {

  private static final Configuration CONF = new Configuration();

  @TempDir private Path directory;
  private Path model;
  private Path sibling;
  private Path file;
  private AllocationPlan plan;

  /** Two models of the same shapes, and a plan that was learned with the first. */
  @BeforeEach
  void writeModels() throws IOException {
    model = Files.createDirectories(directory.resolve("model"));
    RandomLlama.write(model);
    sibling = directory.resolve("sibling");
    FileUtils.copyDirectory(model.toFile(), sibling.toFile());
    byte[] weights = Files.readAllBytes(model.resolve("model.safetensors"));
    weights[weights.length - 1] ^= (byte) 0x80;
    Files.write(sibling.resolve("model.safetensors"), weights);
    Files.deleteIfExists(sibling.resolve(".model.safetensors.crc"));
    plan =
        new UniformAllocation(3, 2, RoutingMethod.topK(2), 16)
            .plan(Families.config(model.toString(), CONF).linearModules())
            .learnedWith(digest(model));
    file = write("plan.json", AllocationPlanParser.toJson(plan));
  }

  @Test
  void aPlanIsForItsModelWhereverThatLies() throws IOException {
    Path moved = directory.resolve("moved");
    FileUtils.copyDirectory(model.toFile(), moved.toFile());
    assertThat(readFor(model)).isEqualTo(plan);
    assertThat(readFor(moved)).isEqualTo(plan);
  }

  @Test
  void aPlanForAnotherModelOfTheSameShapesIsRefusedByAllThatReadOne() throws IOException {
    String refusal =
        "Cannot use the plan %s: it was learned with a model whose digest is %s, that of %s is %s; to"
            + " use it all the same, remove backbone-digest from it";
    assertThatThrownBy(() -> readFor(sibling))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            refusal,
            file,
            digest(model).substring(0, 12),
            sibling,
            digest(sibling).substring(0, 12));
    assertThatThrownBy(() -> allocate("allocation.strategy=file", "allocation.plan=" + file).plan())
        .hasMessageStartingWith("Cannot use the plan " + file + ": it was learned with ");
    assertThatThrownBy(() -> finetune("finetune.plan=" + file))
        .hasMessageStartingWith("Cannot use the plan " + file + ": it was learned with ");
    Path own = directory.resolve("output/runs/run/plan.json");
    assertThat(own).doesNotExist();
    Files.createDirectories(own.getParent());
    Files.copy(file, own);
    assertThatThrownBy(() -> finetune())
        .hasMessageStartingWith("Cannot use the plan " + own + ": it was learned with ");
  }

  @Test
  void withoutTheKeyItIsUsedAllTheSame() throws IOException {
    String text = Files.readString(file);
    String without = text.replaceAll(" *\"backbone-digest\".*\n", "");
    assertThat(without).hasSizeLessThan(text.length());
    file = write("without.json", without);
    assertThat(readFor(sibling).modules()).isEqualTo(plan.modules());
    AllocationPlan allocated =
        allocate("allocation.strategy=file", "allocation.plan=" + file).plan();
    assertThat(allocated.modules()).isEqualTo(plan.modules());
    assertThat(allocated.backboneDigest()).isEmpty();
  }

  @Test
  void otherShapesAreNamedBeforeTheDigest() throws IOException {
    file = write("deep.json", Files.readString(file).replace("\"layer\": 1", "\"layer\": 2"));
    assertThatThrownBy(() -> readFor(sibling))
        .hasMessage(
            "Cannot fine-tune %s with a plan made for layer 2 q_proj of 8×8 features: the model has no"
                + " such module",
            sibling);
  }

  private AllocationPlan readFor(Path path) throws IOException {
    return PlanFiles.readFor(
        file.toString(),
        GuilomoConfig.load(null, List.of("model.path=" + path)),
        Families.config(path.toString(), CONF),
        CONF);
  }

  private AllocateJob.Result allocate(String... settings) throws IOException {
    return new AllocateJob(
            new JobContext(SharedSparkSession.session(), config(settings), listener()), true)
        .run();
  }

  private void finetune(String... settings) throws IOException {
    new FinetuneJob(
            new JobContext(SharedSparkSession.session(), config(settings), listener()), true)
        .run();
  }

  private GuilomoConfig config(String... settings) {
    return GuilomoConfig.load(
            null,
            List.of(
                "run.id=run",
                "output.dir=" + directory.resolve("output"),
                "model.path=" + sibling,
                "data.task=causal-lm"))
        .with(List.of(settings));
  }

  private static ProgressListener listener() {
    return new Messages();
  }

  private static String digest(Path path) throws IOException {
    return ModelReader.digest(path.toString(), CONF);
  }

  private Path write(String name, String text) throws IOException {
    return Files.writeString(directory.resolve(name), text);
  }
}
