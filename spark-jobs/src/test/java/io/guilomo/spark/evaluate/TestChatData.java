package io.guilomo.spark.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guilomo.adapter.AdapterDescription;
import io.guilomo.adapter.AdapterDirectory;
import io.guilomo.config.GuilomoConfig;
import io.guilomo.golden.GoldenFiles;
import io.guilomo.spark.SharedSparkSession;
import io.guilomo.spark.finetune.FinetuneJob;
import io.guilomo.spark.input.JobContext;
import io.guilomo.spark.input.JobData;
import io.guilomo.spark.run.Messages;
import io.guilomo.spark.search.AllocateJob;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.commons.io.FileUtils;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Conversations from their files to an adapter, its scores and its predictions. */
class TestChatData {

  private static final String TEMPLATE =
      "{{ bos_token }}{% for m in messages %}"
          + "{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}"
          + "{{ raise_exception('roles must alternate') }}{% endif %}"
          + "{{ m.role }}: {{ m.content }}{{ eos_token if m.role == 'assistant' else '\\n' }}{% endfor %}"
          + "{% if add_generation_prompt %}assistant: {% endif %}";

  @TempDir private Path directory;

  @BeforeEach
  void files() throws IOException {
    FileUtils.copyDirectory(
        GoldenFiles.models().resolve("stories260K-hf").toFile(),
        directory.resolve("model").toFile());
    StringBuilder messages = new StringBuilder();
    StringBuilder shared = new StringBuilder();
    StringBuilder pairs = new StringBuilder();
    for (int i = 0; i < 24; i++) {
      messages.append(
          ("{\"messages\":[{\"role\":\"user\",\"content\":\"Tell %d\"},"
                  + "{\"role\":\"assistant\",\"content\":\"once %d\"}]}\n")
              .formatted(i, i));
      shared.append(
          ("{\"conversations\":[{\"from\":\"human\",\"value\":\"Tell %d\"},"
                  + "{\"from\":\"gpt\",\"value\":\"once %d\"}]}\n")
              .formatted(i, i));
      pairs.append("{\"prompt\":\"Tell %d\",\"completion\":\"once %d\"}\n".formatted(i, i));
    }
    Files.writeString(directory.resolve("messages.jsonl"), messages);
    Files.writeString(directory.resolve("sharegpt.jsonl"), shared);
    Files.writeString(directory.resolve("pairs.jsonl"), pairs);
    Files.writeString(
        directory.resolve("refused.jsonl"),
        "{\"messages\":[{\"role\":\"assistant\",\"content\":\"Tell\"}]}\n" + messages);
  }

  @Test
  void readsEveryFormAlike() throws IOException {
    String parquet = directory.resolve("table.parquet").toString();
    SparkSession spark = SharedSparkSession.session();
    spark.read().json(directory.resolve("messages.jsonl").toString()).write().parquet(parquet);
    List<String> described = new ArrayList<>();
    for (String data :
        List.of("messages.jsonl", "sharegpt.jsonl", "pairs.jsonl", "table.parquet")) {
      described.add(describe(data));
    }
    assertThat(described).hasSize(4).allMatch(described.get(0)::equals);
    Files.writeString(directory.resolve("model/chat_template.jinja"), TEMPLATE);
    assertThat(describe("messages.jsonl")).isNotEqualTo(described.get(0));
    assertThat(describe("messages.jsonl", "data.prompt-template=alpaca"))
        .isEqualTo(described.get(0));
    assertThat(describe("refused.jsonl", "data.max-bad-fraction=0.1"))
        .contains("1 bad")
        .contains("line 1: it says: roles must alternate");
  }

  @Test
  void saysWhichTemplateCannotBeUsed() throws IOException {
    assertThatThrownBy(() -> describe("pairs.jsonl", "data.prompt-template=chat"))
        .hasMessage(
            "Cannot use guilomo.data.prompt-template = chat: "
                + directory.resolve("model")
                + " has no chat template, neither in chat_template.jinja nor in"
                + " tokenizer_config.json");
    assertThatThrownBy(() -> describe("pairs.jsonl", "data.prompt-template=caht"))
        .hasMessage(
            "Cannot use guilomo.data.prompt-template = caht: it is neither auto, alpaca nor chat,"
                + " nor is there such a file");
    Files.writeString(directory.resolve("model/chat_template.jinja"), "\n{{ messages.x.y }}");
    assertThatThrownBy(() -> describe("pairs.jsonl"))
        .hasMessage("Cannot render the chat template, line 2: a list has no element x");
  }

  @Test
  void trainsScoresAndPredicts() throws IOException {
    Files.writeString(directory.resolve("model/chat_template.jinja"), TEMPLATE);
    JobContext context = context("messages.jsonl");
    new AllocateJob(context, true).run();
    FinetuneJob.Result tuned = new FinetuneJob(context, true).run();
    assertThat(tuned).isNotNull();
    Path adapter = directory.resolve("output/runs/chat/adapter");
    AdapterDescription description =
        new AdapterDirectory(new org.apache.hadoop.fs.Path(adapter.toString()), new Configuration())
            .read()
            .description();
    assertThat(description.template().chat().template().source()).isEqualTo(TEMPLATE);
    assertThat(new EvaluateJob(context).run().evaluations()).isNotEmpty();
    assertThatThrownBy(() -> new PredictJob(context.with(List.of("evaluate.methods=[text]"))).run())
        .hasMessage(
            "Cannot predict with guilomo.evaluate.methods = [text]: it measures texts and answers none;"
                + " add generation or choices");
    PredictJob.Result predicted =
        new PredictJob(context.with(List.of("evaluate.data=" + directory.resolve("refused.jsonl"))))
            .run();
    assertThat(predicted.rows()).isEqualTo(25);
    assertThat(predicted.without() - predicted.unanswered())
        .as("the one that the template refuses")
        .isOne();
    assertThatThrownBy(
            () -> new PredictJob(context.with(List.of("generation.max-new-tokens=512"))).run())
        .hasMessage(
            "Cannot use guilomo.generation.max-new-tokens = 512: %s has 512 positions, which leaves"
                + " no room for a prompt; set it to 512 less the length of the longest prompt",
            directory.resolve("model"));
    // A prompt of one token is as much as there is room for.
    PredictJob.Result cramped =
        new PredictJob(context.with(List.of("generation.max-new-tokens=511"))).run();
    assertThat(cramped.rows()).isEqualTo(24);
    assertThat(cramped.without()).isEqualTo(24);
    assertThat(cramped.unanswered()).isZero();
  }

  private String describe(String data, String... settings) throws IOException {
    return JobData.describe(new JobData(context(data, settings)).load(2, 0.1).report());
  }

  private JobContext context(String data, String... settings) {
    List<String> all =
        new ArrayList<>(
            List.of(
                "run.id=chat",
                "model.path=" + directory.resolve("model"),
                "data.train=" + directory.resolve(data),
                "evaluate.data=" + directory.resolve(data),
                "output.dir=" + directory.resolve("output"),
                "data.validation-fraction=0.3",
                "allocation.strategy=single",
                "allocation.rank=2",
                "finetune.steps=1",
                "finetune.batch-size=2",
                "generation.max-new-tokens=2",
                "cluster.workers=2"));
    all.addAll(List.of(settings));
    return new JobContext(
        SharedSparkSession.session(), GuilomoConfig.load(null, all), new Messages());
  }
}
