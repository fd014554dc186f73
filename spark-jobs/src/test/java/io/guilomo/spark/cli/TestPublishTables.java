package io.guilomo.spark.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.guilomo.config.OutputConfig;
import io.guilomo.spark.catalog.Lake;
import io.guilomo.spark.round.RandomLlama;
import io.guilomo.spark.search.AllocateJob;
import io.guilomo.spark.table.PlanModulesTable;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a command says and ends with whose tables cannot be published, and the one that does. */
class TestPublishTables {

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  @TempDir private Path directory;

  @AfterEach
  void revive() {
    Lake.dieAt("");
  }

  @Test
  void resultsArePrintedThoughTheCatalogIsAway() throws IOException {
    RandomLlama.write(Files.createDirectory(directory.resolve("model")));
    Lake.dieAt("plan_modules");
    assertThat(run("allocate")).isEqualTo(1);
    assertThat(text(out)).contains("uniform");
    assertThat(text(err).lines())
        .endsWith(
            "error: Cannot publish table plan_modules of run r to lake.cli: Connection refused; the"
                + " Parquet tables are complete, and deploy/guilomo publish-tables with the same"
                + " configuration and --set run.id=r publishes them");
    Lake.dieAt("");
    out.reset();
    assertThat(run("publish-tables")).isZero();
    assertThat(text(out)).isEqualTo("tables of run r published to lake.cli\n");
    OutputConfig output = Lake.output(directory.resolve("out"), "iceberg", "lake.cli");
    assertThat(Lake.published(output, PlanModulesTable.INSTANCE))
        .isNotEmpty()
        .isEqualTo(Lake.expected(output, PlanModulesTable.INSTANCE));
  }

  @Test
  void withoutACatalogThereIsNothingToPublishTo() {
    assertThat(run("publish-tables", "output.tables=parquet")).isEqualTo(2);
    assertThat(run("publish-tables", "output.catalog=")).isEqualTo(2);
    assertThat(text(err))
        .isEqualTo(
            "error: Cannot publish tables with guilomo.output.tables = parquet: set it to iceberg or"
                + " delta, and guilomo.output.catalog\n"
                + "error: Cannot write iceberg tables without guilomo.output.catalog: set it to their"
                + " catalog and namespace, such as lake.guilomo\n");
  }

  private int run(String command, String... overrides) {
    List<String> args = new ArrayList<>();
    List<String> settings =
        new ArrayList<>(
            List.of(
                "run.id=r",
                "model.path=" + directory.resolve("model"),
                "allocation.strategy=uniform",
                "output.dir=" + directory.resolve("out"),
                "output.tables=iceberg",
                "output.catalog=lake.cli"));
    settings.addAll(List.of(overrides));
    for (String setting : settings) {
      args.addAll(List.of("--set", setting));
    }
    PrintStream results = new PrintStream(out, true, StandardCharsets.UTF_8);
    PrintStream errors = new PrintStream(err, true, StandardCharsets.UTF_8);
    boolean publish = command.equals("publish-tables");
    Actions.Job job =
        publish
            ? Main.PUBLISH
            : Main.job(context -> JobResults.text(new AllocateJob(context, false).run()));
    return Main.execute(
        JobCommand.line(
            new JobRunner(builder -> null, results, errors, false),
            command,
            "",
            (none, config, progress, lines) -> job.run(Lake.session(), config, progress, lines),
            publish ? JobCommand::checkPublishing : JobCommand::checkAllocation),
        args.toArray(String[]::new),
        results,
        errors);
  }

  private static String text(ByteArrayOutputStream bytes) {
    return bytes.toString(StandardCharsets.UTF_8);
  }
}
