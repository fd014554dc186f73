package io.guilomo.spark.tracking;

import static org.assertj.core.api.Assertions.assertThat;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.spark.table.EvaluationsTable;
import io.guilomo.spark.table.MetricsTable;
import io.guilomo.spark.table.MetricsTable.Metric;
import io.guilomo.spark.tracking.JobTracker.Ending;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a server gets of jobs that are told to a tracker. */
class TestMlflowTracking extends TrackedOnStandIn {

  @Test
  void aJobIsARunWithSettingsValuesAndFiles() throws IOException {
    write("plan.json", plan());
    write("report.html", "<p>report</p>");
    write("rank.json", "{}");
    write("adapter/manifest.json", "{}");
    write("adapter/adapter.safetensors", "weights");
    write("adapter-last/manifest.json", "{}");
    JobTracker job = begin("finetune", false);
    job.wrote(
        MetricsTable.INSTANCE,
        List.of(
            metric(3, -1, "train", "loss", 0.5),
            metric(3, -1, "train", "loss", 0.7),
            metric(3, 0, "train", "loss", 9),
            metric(3, 0, "train", "learning_rate", 1e-3),
            metric(3, 1, "train", "learning_rate", 1e-3),
            metric(3, -1, "train", "tokens_per_second", 15),
            metric(3, 0, "train", "tokens_per_second", 10),
            metric(3, 1, "train", "tokens_per_second", 20),
            metric(3, -1, "validation", "loss", Double.NaN),
            new Metric(
                moment(3), -1, "train", "expert_load", 1, new MetricsTable.Part(0, "q_proj", 0))));
    job.end(SUCCESS);

    MlflowStore.Run run = server.run("r1", "finetune");
    assertThat(server.experiments()).containsOnlyKeys("guilomo").containsValue(run.experiment);
    assertThat(run.name).isEqualTo("r1 finetune");
    assertThat(run.status).isEqualTo("FINISHED");
    assertThat(run.end).isGreaterThanOrEqualTo(run.start);
    assertThat(run.params)
        .hasSizeGreaterThan(60)
        .containsEntry("finetune.batch-size", "64")
        .containsEntry("search.betas", "[0.9, 0.999]")
        .doesNotContainKeys("tracking.mlflow.uri", "data.validation");
    assertThat(run.params.get("data.query")).hasSize(6000).endsWith("xx…");
    assertThat(run.tags)
        .containsEntry("guilomo.seed", "42")
        .containsEntry("guilomo.version", "1.0")
        .containsEntry("guilomo.strategy", "uniform")
        .containsEntry("guilomo.application", "local-1")
        .containsEntry("guilomo.directory", directory.toString())
        .containsEntry("mlflow.source.name", "guilomo finetune")
        .doesNotContainKey("mlflow.parentRunId");
    assertThat(run.metrics.keySet())
        .containsExactlyInAnyOrder(
            "train/loss",
            "train/learning_rate",
            "train/tokens_per_second",
            "validation/loss",
            "plan/parameters",
            "plan/experts",
            "plan/total_rank");
    assertThat(run.last("train/loss")).isEqualTo(0.6);
    assertThat(run.last("train/tokens_per_second")).isEqualTo(30);
    assertThat(run.last("validation/loss")).isNaN();
    assertThat(run.steps("train/loss")).containsExactly(3L);
    assertThat(run.last("plan/experts")).isEqualTo(2);
    assertThat(run.last("plan/total_rank")).isEqualTo(4);
    assertThat(run.files.keySet())
        .containsExactlyInAnyOrder(
            "config.conf",
            "plan.json",
            "report.html",
            "adapter/manifest.json",
            "adapter/adapter.safetensors");
    assertThat(run.file("adapter/adapter.safetensors")).isEqualTo("weights");
    assertThat(GuilomoConfig.fromJson(config().asJson()).asHocon())
        .isEqualTo(run.file("config.conf"));
    assertThat(messages)
        .containsExactly(
            "MLflow has this job as %s/#/experiments/%s/runs/%s"
                .formatted(server.uri(), run.experiment, run.id));
  }

  @Test
  void manyValuesAreSentInTheNumbersThatTheServerTakes() throws Exception {
    MlflowClient client = new MlflowClient(config().tracking(), Map.of());
    String run = client.create(client.experiment(), "r", 1, Map.of()).id();
    client.logMetrics(
        run, LongStream.range(0, 2500).mapToObj(i -> new MetricPoint("a/b", i, i, i)).toList());
    Map<String, String> parameters = new TreeMap<>();
    for (int i = 0; i < 250; i++) {
      parameters.put("p" + i, "v");
    }
    client.logParameters(run, parameters);
    assertThat(server.runs().get(0).metrics.get("a/b")).hasSize(2500);
    assertThat(server.runs().get(0).params).hasSize(250);
  }

  @Test
  void anEvaluationHasItsScores() {
    JobTracker job = begin("evaluate", false);
    job.wrote(
        EvaluationsTable.INSTANCE,
        List.of(
            new EvaluationsTable.Evaluation(42, "uniform", "test", "accuracy", 0.8, 0.7, 0.9, 10)));
    job.end(SUCCESS);
    MlflowStore.Run run = server.run("r1", "evaluate");
    assertThat(run.last("test/accuracy")).isEqualTo(0.8);
    assertThat(run.last("test/accuracy_ci_low")).isEqualTo(0.7);
    assertThat(run.last("test/accuracy_ci_high")).isEqualTo(0.9);
  }

  @Test
  void credentialsAreThoseOfTheEnvironmentAndNeverShown() {
    Map<String, String> user =
        Map.of("MLFLOW_TRACKING_USERNAME", "ann", "MLFLOW_TRACKING_PASSWORD", "secret");
    server.require("Basic YW5uOnNlY3JldA==");
    begin(user, "allocate", false).end(SUCCESS);
    assertThat(server.run("r1", "allocate").status).isEqualTo("FINISHED");
    server.require("Bearer secret");
    begin(Map.of("MLFLOW_TRACKING_TOKEN", "secret"), "finetune", false).end(SUCCESS);
    assertThat(server.run("r1", "finetune").status).isEqualTo("FINISHED");
    messages.clear();
    JobTracker job = begin(user, "evaluate", false);
    round(job, 1);
    job.end(SUCCESS);
    assertThat(messages)
        .containsExactly(
            "warning: MLflow at "
                + server.uri()
                + " refuses what it is sent (UNAUTHENTICATED: You are not authenticated.; set"
                + " MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and"
                + " MLFLOW_TRACKING_PASSWORD, in the driver's environment)");
  }

  @Test
  void credentialsGoToNoOtherAddress() {
    MlflowClient client =
        new MlflowClient(
            config().with(List.of("tracking.mlflow.uri=https://mlflow:5000")).tracking(), Map.of());
    assertThat(client.isHere(URI.create("https://MLflow:5000/a"))).isTrue();
    assertThat(client.isHere(URI.create("http://mlflow:5000/a"))).isFalse();
    assertThat(client.isHere(URI.create("https://mlflow:5001/a"))).isFalse();
    assertThat(client.isHere(URI.create("https://files:5000/a"))).isFalse();
  }

  @Test
  void anAttemptGoesOnWithTheRunOfOneThatFailed() {
    JobTracker failed = begin("allocate", false);
    round(failed, 1);
    round(failed, 2);
    failed.end(new Ending(new IllegalStateException("no more disk\nat all"), false));
    MlflowStore.Run run = server.run("r1", "allocate");
    assertThat(run.status).isEqualTo("FAILED");
    assertThat(run.tags).containsEntry("guilomo.error", "no more disk\nat all");

    JobTracker resumed = begin("allocate", true);
    LongStream.rangeClosed(2, 4).forEach(round -> round(resumed, round));
    resumed.end(SUCCESS);
    assertThat(server.run("r1", "allocate")).isSameAs(run);
    assertThat(run.status).isEqualTo("FINISHED");
    assertThat(run.steps("train/loss")).containsExactly(1L, 2L, 3L, 4L);
    assertThat(run.tags).doesNotContainKey("guilomo.changed");

    begin("allocate", true).end(SUCCESS);
    assertThat(server.runs()).hasSize(2);
  }

  @Test
  void anAttemptThatStartsOverIsAnotherRun() {
    begin("allocate", false).end(new Ending(new IllegalStateException("stopped"), false));
    begin("allocate", false).end(SUCCESS);
    assertThat(server.runs()).hasSize(2);
  }

  @Test
  void anAttemptWithOtherSettingsSaysSo() {
    JobTracker failed = begin("allocate", false);
    round(failed, 1);
    failed.end(new Ending(new IllegalStateException("stopped"), false));
    GuilomoConfig changed = config().with(List.of("search.learning-rate=0.5", "data.validation=v"));
    JobTracker resumed = tracking(Map.of()).begin(job(changed, "allocate", true));
    round(resumed, 1);
    resumed.end(SUCCESS);
    MlflowStore.Run run = server.run("r1", "allocate");
    assertThat(run.tags)
        .containsEntry("guilomo.changed", "search.learning-rate from 3.0E-4 to 0.5");
    assertThat(run.params)
        .containsEntry("search.learning-rate", "3.0E-4")
        .containsEntry("data.validation", "v");
    assertThat(run.steps("train/loss")).containsExactly(1L, 1L);
  }

  @Test
  void runsOfOtherDirectoriesAreLeftAlone() {
    begin("allocate", false).end(new Ending(new IllegalStateException("stopped"), false));
    Path other = directory;
    directory = directory.resolve("other");
    begin("allocate", true).end(SUCCESS);
    directory = other;
    assertThat(server.runs()).extracting(run -> run.status).containsExactly("FAILED", "FINISHED");
  }

  @Test
  void partsOfAJobAreNested() {
    JobTracker compare = begin("compare", false);
    for (String part : List.of("finetune", "evaluate")) {
      JobTracker child = compare.begin(job(config(), part, false));
      round(child, 1);
      child.end(SUCCESS);
    }
    compare.begin(job(config(), "predict", false)).end(SUCCESS);
    compare.end(SUCCESS);
    String parent = server.run("r1", "compare").id;
    assertThat(server.runs())
        .hasSize(3)
        .allMatch(run -> run.status.equals("FINISHED"))
        .extracting(run -> run.tags.get("mlflow.parentRunId"))
        .containsExactly(null, parent, parent);
    assertThat(messages).hasSize(1);
  }

  @ParameterizedTest
  @CsvSource({"http, 1", "s3://bucket/mlflow, 0"})
  void filesGoThroughTheServerOrStayWhereTheyAre(String root, int files) {
    server.artifactRoot(
        root.equals("http") ? server.uri() + "/api/2.0/mlflow-artifacts/artifacts" : root);
    begin("evaluate", false).end(SUCCESS);
    assertThat(server.run("r1", "evaluate").files).hasSize(files);
    assertThat(messages).hasSize(1);
  }

  @Test
  void jobsThatAreKilledAreKilledThereToo() throws Exception {
    MlflowTracking tracking = tracking(Map.of());
    JobTracker compare = tracking.begin(job(config(), "compare", false));
    JobTracker child = compare.begin(job(config(), "finetune", false));
    round(child, 1);
    tracking.kill();
    child.end(new Ending(new IllegalStateException("SparkContext was shut down"), false));
    compare.end(new Ending(new IllegalStateException("SparkContext was shut down"), false));
    assertThat(server.runs())
        .hasSize(2)
        .allMatch(run -> run.status.equals("KILLED") && run.end != null);
    assertThat(messages).hasSize(1);
  }
}
