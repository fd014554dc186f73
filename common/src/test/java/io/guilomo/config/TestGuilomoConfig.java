package io.guilomo.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigRenderOptions;
import io.guilomo.config.FinetuneConfig.Betas;
import io.guilomo.model.ExpertForm;
import io.guilomo.model.RecordSource;
import io.guilomo.model.RoutingMethod;
import io.guilomo.model.Scaling;
import io.guilomo.model.UserException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TestGuilomoConfig {

  @TempDir private Path directory;

  @Test
  void defaultsAreTheMethodsButForTheEstimator() {
    GuilomoConfig config = GuilomoConfig.load(null, List.of());

    assertThat(config.run()).isEqualTo(new RunConfig("", 42));
    assertThat(config.model())
        .isEqualTo(
            new ModelConfig(
                "",
                "auto",
                new ModelConfig.MaxLength(256, true),
                ModelConfig.Pooling.AUTO,
                ModelConfig.Precision.FLOAT32));
    assertThat(config.loraMoe())
        .isEqualTo(
            new LoraMoeConfig(
                List.of(),
                8,
                8,
                new ExpertForm(RoutingMethod.topK(2), Scaling.overRank(16)),
                0.05,
                0.001));
    assertThat(config.search())
        .isEqualTo(
            new SearchConfig(
                List.of(),
                1,
                OptionalDouble.of(0.5),
                64,
                3e-4,
                new Betas(0.9, 0.999),
                1e-8,
                0,
                100,
                1.0,
                3e-3,
                new Betas(0.5, 0.999),
                SearchConfig.Estimator.EXPECTED,
                SearchConfig.OuterGradient.FIRST_ORDER,
                true,
                Recompute.NONE,
                0,
                0.01,
                ""));
    assertThat(config.finetune())
        .isEqualTo(
            new FinetuneConfig(
                "",
                List.of(),
                20,
                0,
                64,
                1,
                3e-4,
                new Betas(0.9, 0.999),
                1e-8,
                0,
                100,
                1.0,
                0,
                FinetuneConfig.Criterion.LOSS,
                0,
                Recompute.NONE));
    assertThat(config.allocation()).isEqualTo(new AllocationConfig("guilomo", 0, "", 5, 8, 0));
    assertThat(config.cluster())
        .isEqualTo(new ClusterConfig(0, 5, ClusterConfig.Device.AUTO, 0, 3600));
    assertThat(config.data().columns()).isEmpty();
    assertThat(config.data().validationFraction()).isEqualTo(0.1);
  }

  @Test
  void overridesWinOverTheFileAndTheFileOverDefaults() throws IOException {
    Path file =
        write("guilomo { search { epochs = 2, batch-size = 8 }, data.columns { sentence = _c3 } }");

    GuilomoConfig config =
        GuilomoConfig.load(
            file.toString(),
            List.of("search.epochs=3", "guilomo.search.gsv-betas=[0.4, 0.9]", "search.epochs=5"));

    assertThat(config.search().epochs()).isEqualTo(5);
    assertThat(config.search().batchSize()).isEqualTo(8);
    assertThat(config.search().gsvBetas()).isEqualTo(new Betas(0.4, 0.9));
    assertThat(config.search().warmupSteps()).isEqualTo(100);
    assertThat(config.data().columns()).isEqualTo(Map.of("sentence", "_c3"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "search.seeds=[1, 1] | Cannot use guilomo.search.seeds = [1, 1]: must be different whole numbers",
        "compare.seeds=[] | Cannot use guilomo.compare.seeds = []: must be different whole numbers, at least 1",
        "compare.baseline=best | Cannot use guilomo.compare.baseline = best: must be one of guilomo, uniform,"
            + " single, mola-2-4-6-8, random",
        "compare.learning-rates=[1e-3, 0] | Cannot use guilomo.compare.learning-rates = [0.001, 0]: must be different"
            + " numbers above 0",
        "compare.budgets=[1.5] | Cannot use guilomo.compare.budgets = [1.5]: must be shares of the full allocation up to"
            + " 1, or whole numbers of parameters",
        "search.plan-tolerance=1 | Cannot use guilomo.search.plan-tolerance = 1: must be at least 0 and below 1",
        "generation.top-p=0 | Cannot use guilomo.generation.top-p = 0: must be above 0",
        "evaluate.methods=[guess] | Cannot use guilomo.evaluate.methods = [guess]: must be some of generation, choices, text",
        "finetune.seeds=[1, 1] | Cannot use guilomo.finetune.seeds = [1, 1]: must be different whole numbers",
        "allocation.budget.parameters=-1 | Cannot use guilomo.allocation.budget.parameters = -1: must be at least 0"
      })
  void whatTheFollowUpJobsCannotUseIsRefused(String override, String message) {
    assertThatThrownBy(() -> GuilomoConfig.load(null, List.of(override))).hasMessage(message);
  }

  @Test
  void someKeysOfAConfigurationAreGivenOtherValues() {
    GuilomoConfig first =
        GuilomoConfig.load(null, List.of("run.id=first", "data.columns.sentence=_c3"));
    GuilomoConfig second = first.with(List.of("run.id=second", "finetune.steps=3"));
    assertThat(second.run().id()).isEqualTo("second");
    assertThat(second.finetune().steps()).isEqualTo(3);
    assertThat(second.data()).isEqualTo(first.data());
    assertThat(first.run().id()).isEqualTo("first");
  }

  @Test
  void textsOfTheCommandLineAreTakenAsTheyAre() {
    GuilomoConfig config =
        GuilomoConfig.load(null, List.of("data.train=hdfs://nn:8020/a b/#1/*.json", "run.id=2026"));

    assertThat(config.data().train()).isEqualTo("hdfs://nn:8020/a b/#1/*.json");
    assertThat(config.run().id()).isEqualTo("2026");
  }

  @Test
  void aFileMayUseItsOwnVariablesIncludesAndDefaults() throws IOException {
    Files.writeString(directory.resolve("base.conf"), "guilomo.search.epochs = 7");
    Path file =
        write(
            "include \"base.conf\"\nroot = \"/data\"\nguilomo.data.train = ${root}\"/train.tsv\"\n"
                + "guilomo.search.batch-size = ${guilomo.lora-moe.max-rank}");

    GuilomoConfig config = GuilomoConfig.load(file.toUri().toString(), List.of());

    assertThat(config.data().train()).isEqualTo("/data/train.tsv");
    assertThat(config.search().epochs()).isEqualTo(7);
    assertThat(config.search().batchSize()).isEqualTo(8);
    assertThat(config.asJson()).doesNotContain("\"root\"");
  }

  @Test
  void survivesSerialisationAndJson() throws Exception {
    GuilomoConfig config =
        GuilomoConfig.load(
            null, List.of("search.outer-gradient=first-order", "data.labels=[\"0\", \"1\"]"));
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
      out.writeObject(config);
    }

    GuilomoConfig read;
    try (ObjectInputStream in =
        new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
      read = (GuilomoConfig) in.readObject();
    }

    assertThat(read).isEqualTo(config).isEqualTo(GuilomoConfig.fromJson(config.asJson()));
    assertThat(read.search().outerGradient()).isEqualTo(SearchConfig.OuterGradient.FIRST_ORDER);
    assertThat(read.data().labels()).containsExactly("0", "1");
    assertThat(config.asJson()).doesNotContain("\n");
    assertThat(GuilomoConfig.load(write(config.asHocon()).toString(), List.of())).isEqualTo(config);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "guilomo.search.epoch=1 | guilomo.search.epoch: unknown; did you mean guilomo.search.epochs?",
        "lora-moe.topk=1 | guilomo.lora-moe.topk: unknown; did you mean guilomo.lora-moe.top-k?",
        "serch.epochs=1 | guilomo.serch: unknown; did you mean guilomo.search?",
        "data.columns.lable=x | guilomo.data.columns.lable: unknown; did you mean guilomo.data.columns.label?",
      })
  void namesTheNearestKeyOfAnUnknownOne(String override, String message) {
    assertThatThrownBy(() -> GuilomoConfig.load(null, List.of(override)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("Cannot use configuration key " + message);
  }

  @Test
  void refusesASectionOutsideTheRoot() {
    assertThatThrownBy(() -> GuilomoConfig.of(ConfigFactory.parseString("search.epochs = 2")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("Cannot use configuration key search: unknown; did you mean guilomo.search?");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "search.batch-size=0 | guilomo.search.batch-size = 0: must be at least 1",
        "search.batch-size=many | guilomo.search.batch-size = many: must be a whole number",
        "search.batch-size=2.5 | guilomo.search.batch-size = 2.5: must be a whole number",
        "search.batch-size=3000000000 | guilomo.search.batch-size = 3000000000: must be at most 2147483647",
        "search.batch-size=null | guilomo.search.batch-size = null: must be a whole number",
        "search.batch-size={a=1} | guilomo.search.batch-size = {a=1}: must be a whole number",
        "search.batch-size= | guilomo.search.batch-size = : must be a whole number",
        "search.learning-rate=NaN | guilomo.search.learning-rate = NaN: must be a number",
        "search.learning-rate=0 | guilomo.search.learning-rate = 0: must be above 0",
        "search.clip-norm=-1 | guilomo.search.clip-norm = -1: must be at least 0",
        "search.betas=[0.9] | guilomo.search.betas = [0.9]: must be two numbers, each at least 0 and below 1",
        "search.betas=[0.9, 1] | guilomo.search.betas = [0.9, 1]: must be two numbers, each at least 0 and below 1",
        "search.freeze-routing=maybe | guilomo.search.freeze-routing = maybe: must be true or false",
        "search.outer-gradient=third | guilomo.search.outer-gradient = third:"
            + " must be one of second-order, first-order, reference",
        "search.recompute=all | guilomo.search.recompute = all: must be one of none, blocks",
        "finetune.recompute=true | guilomo.finetune.recompute = true: must be one of none, blocks",
        "search=5 | guilomo.search = 5: must be a section",
        "lora-moe.dropout=1 | guilomo.lora-moe.dropout = 1: must be at least 0 and below 1",
        "lora-moe.top-k=9 | guilomo.lora-moe.top-k = 9: must be at most max-experts, 8",
        "lora-moe.target-modules=q_proj | guilomo.lora-moe.target-modules = q_proj: must be a list of texts",
        "data.max-bad-fraction=1.5 | guilomo.data.max-bad-fraction = 1.5: must be 0 to 1",
        "data.labels=[a] | guilomo.data.labels = [a]: must be at least two different classes",
        "run.id=a/b | guilomo.run.id = a/b: must be at most 128 letters, digits, '.', '_' and '-', the first a letter or digit",
        "output.tables=hudi | guilomo.output.tables = hudi: must be one of parquet, iceberg, delta",
        "run.id=.. | guilomo.run.id = ..: must be at most 128 letters, digits, '.', '_' and '-', the first a letter or digit",
        "run.id=_x | guilomo.run.id = _x: must be at most 128 letters, digits, '.', '_' and '-', the first a letter or digit",
      })
  void refusesWhatCannotBeUsed(String override, String message) {
    assertThatThrownBy(() -> GuilomoConfig.load(null, List.of(override)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("Cannot use " + message);
  }

  @Test
  void refusesAnOverrideWithoutAValue() {
    assertThatThrownBy(() -> GuilomoConfig.load(null, List.of("search.epochs")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("Cannot use --set search.epochs: expected path=value");
  }

  @Test
  void refusesFilesThatCannotBeRead() throws IOException {
    String missing = directory.resolve("none.conf").toString();
    assertThatThrownBy(() -> GuilomoConfig.load(missing, List.of()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("Cannot read configuration " + missing + ": there is no such file");
    assertThatThrownBy(() -> GuilomoConfig.load(directory.toString(), List.of()))
        .hasMessage("Cannot read configuration " + directory + ": it is a directory");
    Path broken = write("guilomo {\n  search {\n");
    assertThatThrownBy(() -> GuilomoConfig.load(broken.toString(), List.of()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("Cannot read configuration " + broken + ": ")
        .hasMessageContaining("3")
        .message()
        .doesNotContain("\n");
    assertThatThrownBy(() -> GuilomoConfig.load("nowhere://host/a.conf", List.of()))
        .hasMessageStartingWith(
            "Cannot read configuration nowhere://host/a.conf: No FileSystem for scheme");
  }

  @Test
  void refusesAVariableThatIsNotSet() throws IOException {
    Path file = write("guilomo.data.train = ${nowhere}");
    assertThatThrownBy(() -> GuilomoConfig.load(file.toString(), List.of()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("Cannot use the configuration: ")
        .hasMessageContaining("nowhere");
  }

  @Test
  void saysWhatToSetWhereAJobNeedsIt() {
    GuilomoConfig config = GuilomoConfig.load(null, List.of());
    assertThatThrownBy(() -> config.model().requirePath())
        .isInstanceOf(UserException.class)
        .hasMessage(
            "Cannot run without guilomo.model.path: set it in the configuration file or with --set");
    assertThatThrownBy(() -> config.data().requireTrain())
        .isInstanceOf(UserException.class)
        .hasMessage(
            "Cannot run without training records: set guilomo.data.train, data.table or data.query");
    assertThatThrownBy(() -> config.evaluate().requireData())
        .isInstanceOf(UserException.class)
        .hasMessage(
            "Cannot run without records: set guilomo.evaluate.data, evaluate.table or"
                + " evaluate.query");
  }

  @Test
  void recordsAreInFilesATableOrAQuery() {
    GuilomoConfig config =
        GuilomoConfig.load(
            null,
            List.of(
                "data.table=lake.corpus.reviews",
                "data.validation=dev.tsv",
                "evaluate.query=SELECT text, label\n FROM reviews WHERE day > '2026-01-01', b = 1"));
    assertThat(config.data().requireTrain().name()).isEqualTo("table lake.corpus.reviews");
    assertThat(config.data().train()).isEmpty();
    assertThat(config.data().validationRecords()).isEqualTo(RecordSource.path("dev.tsv"));
    assertThat(config.evaluate().requireData().name())
        .isEqualTo("query SELECT text, label FROM reviews WHERE day > '2026-01-01', b …");
    assertThat(config.evaluate().data()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "data.train,data.query",
    "data.train,data.table",
    "data.table,data.query",
    "data.validation,data.validation-table",
    "data.validation-table,data.validation-query",
    "evaluate.data,evaluate.query"
  })
  void recordsAreInOnePlace(String one, String other) {
    assertThatThrownBy(() -> GuilomoConfig.load(null, List.of(one + "=a", other + "=b")))
        .isInstanceOf(UserException.class)
        .hasMessage(
            "Cannot read records from both guilomo.%s and guilomo.%s: keep one of them, and set the"
                + " other to \"\"",
            one, other);
  }

  @Test
  void everyDefaultIsAValueOfTheConfiguration() {
    assertThat(
            GuilomoConfig.fromJson(
                GuilomoConfig.reference().root().render(ConfigRenderOptions.concise())))
        .isEqualTo(GuilomoConfig.load(null, List.of()));
  }

  private Path write(String text) throws IOException {
    return Files.writeString(directory.resolve("test.conf"), text);
  }
}
