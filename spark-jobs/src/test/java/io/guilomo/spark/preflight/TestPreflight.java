package io.guilomo.spark.preflight;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guilomo.config.ClusterConfig.Device;
import io.guilomo.config.GuilomoConfig;
import io.guilomo.config.KernelsConfig.Products;
import io.guilomo.config.ModelConfig.Precision;
import io.guilomo.data.DataReport;
import io.guilomo.family.bert.BertConfig;
import io.guilomo.family.llama.LlamaConfig;
import io.guilomo.model.RoutingMethod;
import io.guilomo.model.UserException;
import io.guilomo.network.Rope;
import io.guilomo.plan.UniformAllocation;
import io.guilomo.sizing.BatchShape;
import io.guilomo.spark.SharedSparkSession;
import io.guilomo.spark.compare.CompareJob;
import io.guilomo.spark.evaluate.EvaluateJob;
import io.guilomo.spark.evaluate.PredictJob;
import io.guilomo.spark.finetune.FinetuneJob;
import io.guilomo.spark.input.JobContext;
import io.guilomo.spark.progress.ProgressListener;
import io.guilomo.spark.round.RandomLlama;
import io.guilomo.spark.run.Messages;
import io.guilomo.spark.search.AllocateJob;
import io.guilomo.spark.worker.Workers;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkContext;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is refused before a training begins. */
class TestPreflight {

  private static final BertConfig BERT = new BertConfig(384, 1536, 6, 12, 30522, 512, 2, 1e-12f);

  private static final BatchShape BATCH = new BatchShape(8, 256);

  @TempDir private Path directory;

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "spark.speculation | Cannot train with spark.speculation=true: a second copy of a slow worker would train the round again; set it to false",
        "spark.dynamicAllocation.enabled | Cannot train with spark.dynamicAllocation.enabled=true: averaging needs the same workers in every round; set it to false, and spark.executor.instances to their number"
      })
  void everyTrainingRefusesWorkersThatAreNotFixed(String setting, String message) {
    SparkConf conf = SharedSparkSession.session().sparkContext().conf();
    conf.set(setting, "true");
    try {
      assertRefused(() -> job(AllocateJob.NAME), message);
      assertRefused(() -> job(FinetuneJob.NAME), message);
      assertRefused(() -> job(CompareJob.NAME), message);
    } finally {
      conf.remove(setting);
    }
    assertThat(directory.resolve("out")).doesNotExist();
  }

  @Test
  void everyJobOnExecutorsRefusesAnotherSerializer() {
    SparkConf conf = SharedSparkSession.session().sparkContext().conf();
    conf.set("spark.serializer", "org.apache.spark.serializer.KryoSerializer");
    String message =
        "Cannot run on executors with spark.serializer=org.apache.spark.serializer.KryoSerializer:"
            + " remove the setting, or set it to org.apache.spark.serializer.JavaSerializer";
    try {
      for (String name :
          List.of(
              AllocateJob.NAME,
              FinetuneJob.NAME,
              CompareJob.NAME,
              EvaluateJob.NAME,
              PredictJob.NAME)) {
        assertRefused(() -> job(name), message);
      }
      assertRefused(() -> job(AllocateJob.NAME, "allocation.strategy=alphalora"), message);
    } finally {
      conf.remove("spark.serializer");
    }
    assertThat(directory.resolve("out")).doesNotExist();
  }

  @Test
  void aTrainingThatFitsNoBatchIsRefusedBeforeItReadsData() throws IOException {
    RandomLlama.write(directory);
    assertRefusedToFit("search", "1 × 1", () -> job(AllocateJob.NAME, "lora-moe.max-rank=1000000"));
  }

  @Test
  void aFineTuningOfAPlanThatCannotFitIsRefusedBeforeItReadsData() throws IOException {
    RandomLlama.write(directory);
    job(
        AllocateJob.NAME,
        "allocation.strategy=uniform",
        "allocation.experts=64",
        "allocation.rank=16384");
    assertRefusedToFit("finetune", "1 × 1", () -> job(FinetuneJob.NAME));
  }

  @Test
  void theDataTellWhatABatchTakes() {
    SparkContext spark = SharedSparkSession.session().sparkContext();
    GuilomoConfig config = config("data.task=classification");
    Function<BatchShape, Preflight> training =
        batch ->
            Preflight.search(
                config,
                BERT,
                new Workers(Device.AUTO, 2, 1, Products.AUTO, Precision.FLOAT32),
                batch);
    List<String> messages = new ArrayList<>();
    ProgressListener progress = new Messages(messages);
    Preflight.require(spark, training);
    Preflight.require(spark, training, 8, report(1000, 20, 30), progress);
    assertThat(messages).isEmpty();
    Preflight.require(spark, training, 2000, report(1000, 10, 512), progress);
    assertThat(messages)
        .singleElement()
        .asString()
        .startsWith("if a batch has the longest sequences alone: Cannot fit guilomo.search: needs ")
        .contains(" for 2000 × 512 tokens, averaging ");
    // No worker has more than half of the records.
    assertRefusedToFit(
        "search",
        "500000 × 60",
        () -> Preflight.require(spark, training, 600_000, report(1_000_000, 60, 512), progress));
  }

  @Test
  void aGpuTakesTheBackboneOffTheHost() {
    SparkContext spark = SharedSparkSession.session().sparkContext();
    Workers workers = new Workers(Device.GPU, 2, 1, Products.AUTO, Precision.FLOAT32);
    Preflight card =
        Preflight.search(
            config("data.task=classification"), BERT, workers, new BatchShape(500_000, 60));
    assertThat(card.refusal(spark)).isEmpty();
    assertThat(card.processes(spark, 2).get(0).need().parts())
        .startsWith("trainable ")
        .contains(", averaging ")
        .endsWith("; the rest is on the GPU");
  }

  @Test
  void measuringKeepsTheBackboneAsSmallAsTheSearchDoes() {
    GuilomoConfig config = config("data.task=classification");
    Workers workers = new Workers(Device.AUTO, 2, 1, Products.AUTO, Precision.BFLOAT16);
    assertThat(Preflight.measuring(config, BERT, workers, BATCH).estimate().backbone())
        .isEqualTo(BERT.parameters() * Short.BYTES)
        .isEqualTo(Preflight.search(config, BERT, workers, BATCH).estimate().backbone());
  }

  @Test
  void cardsKeepNoInt8() {
    GuilomoConfig config = config("model.precision=int8", "cluster.device=gpu");
    assertThatThrownBy(() -> Workers.of(config, SharedSparkSession.session().sparkContext()))
        .isInstanceOf(UserException.class)
        .hasMessage(
            "Cannot keep weights as int8 on GPUs, which multiply none here: set"
                + " model.precision=bfloat16, or cluster.device=cpu");
  }

  private static DataReport report(long train, long meanLength, int longest) {
    return new DataReport(train, train, 0, 0, 0, 0, 0, List.of(), train * meanLength, longest);
  }

  private static void assertRefusedToFit(String training, String batch, ThrowingCallable job) {
    assertThatThrownBy(job)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageMatching(
            "Cannot fit guilomo\\."
                + training
                + ": needs \\d+\\.\\d GB in one process of 2 tasks \\(backbone .*"
                + " activations \\d.* for "
                + batch
                + " tokens, averaging \\d.*\\) and has \\d.*: .*, or fewer tasks per process");
  }

  @Test
  void whatWorkersSendBackMustBeAllowed() {
    Preflight preflight =
        Preflight.search(
            config("data.task=classification"),
            BERT,
            new Workers(Device.AUTO, 4, 1, Products.AUTO, Precision.FLOAT32),
            BatchShape.LEAST);
    SparkConf conf = new SparkConf(false).set("spark.driver.maxResultSize", "100m");
    assertThat(preflight.estimate().averagedBytes()).isBetween(30_000_000L, 40_000_000L);
    assertThat(preflight.resultsRefusal(conf))
        .contains(
            "Cannot average guilomo.search: the driver gets 136 MB a round, and"
                + " spark.driver.maxResultSize is 105 MB: set it to 1g, or to 0 for any size");
    assertThat(preflight.resultsRefusal(conf.set("spark.driver.maxResultSize", "2g"))).isEmpty();
    assertThat(preflight.resultsRefusal(conf.set("spark.driver.maxResultSize", "0"))).isEmpty();
  }

  @Test
  void theExampleOfALargeModelFitsWhatItsCommentAsksFor() {
    GuilomoConfig config = GuilomoConfig.load("../conf/llama2-7b.conf", List.of());
    LlamaConfig llama =
        new LlamaConfig(
            4096, 11008, 32, 32, 32, 128, 32000, 4096, 1e-5f, new Rope(10000, null), 0, false);
    Workers workers = new Workers(Device.AUTO, 8, 8, Products.AUTO, Precision.FLOAT32);
    assertThat(config.finetune().batchSize()).isEqualTo(BATCH.sequences());
    assertThat(config.search().batchSize()).isEqualTo(BATCH.sequences());
    List<MemoryLimit> memory = List.of(new MemoryLimit("GUILOMO_OFF_HEAP", 60L << 30));
    SparkConf conf = new SparkConf(false);
    for (Preflight preflight :
        List.of(
            Preflight.search(config, llama, workers, BATCH),
            Preflight.fineTuning(
                config,
                llama,
                new UniformAllocation(8, 8, RoutingMethod.topK(2), 16).plan(llama.linearModules()),
                workers,
                BATCH))) {
      MemoryNeed executor =
          MemoryNeed.executor(preflight.training(), preflight.estimate(), false, 1, 1);
      MemoryNeed driver = MemoryNeed.driver(preflight.training(), preflight.estimate(), 8, 1);
      assertThat(executor.refusal(memory)).isEmpty();
      assertThat(driver.refusal(memory)).isEmpty();
      // Six tenths of 14g.
      assertThat(executor.heap()).isLessThan(14L * (6L << 30) / 10);
      assertThat(driver.heap()).isLessThan(14L * (6L << 30) / 10);
      assertThat(preflight.resultsRefusal(conf)).isEmpty();
    }
  }

  private void assertRefused(ThrowingCallable job, String message) {
    assertThatThrownBy(job).isInstanceOf(IllegalArgumentException.class).hasMessage(message);
  }

  private void job(String name, String... overrides) throws IOException {
    GuilomoConfig config = config(overrides);
    switch (name) {
      case AllocateJob.NAME ->
          new AllocateJob(
                  new JobContext(SharedSparkSession.session(), config, new Messages()), true)
              .run();
      case FinetuneJob.NAME ->
          new FinetuneJob(
                  new JobContext(SharedSparkSession.session(), config, new Messages()), true)
              .run();
      case EvaluateJob.NAME ->
          new EvaluateJob(new JobContext(SharedSparkSession.session(), config, new Messages()))
              .run();
      case PredictJob.NAME ->
          new PredictJob(new JobContext(SharedSparkSession.session(), config, new Messages()))
              .run();
      default ->
          new CompareJob(new JobContext(SharedSparkSession.session(), config, new Messages()))
              .run();
    }
  }

  private GuilomoConfig config(String... overrides) {
    List<String> settings =
        new ArrayList<>(
            List.of(
                "run.id=r",
                "output.dir=" + directory.resolve("out"),
                "model.path=" + directory,
                "data.train=nowhere",
                "evaluate.data=nowhere"));
    settings.addAll(List.of(overrides));
    return GuilomoConfig.load(null, settings);
  }
}
