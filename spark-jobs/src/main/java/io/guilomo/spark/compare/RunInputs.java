package io.guilomo.spark.compare;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.guilomo.config.GuilomoConfig;
import io.guilomo.io.ContentDigest;
import io.guilomo.model.UserException;
import io.guilomo.spark.evaluate.EvaluateJob;
import io.guilomo.spark.input.FileStates;
import io.guilomo.spark.run.RunDirectory;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/**
 * Which files of the model and of records the jobs of a comparison read, as they were before the
 * first of them: a digest for each key of the configuration that names some, which every run keeps
 * beside its other files.
 */
final class RunInputs {

  private static final ObjectMapper JSON = new ObjectMapper();

  private final Configuration hadoop;
  private final Map<String, Optional<String>> digests = new HashMap<>();

  RunInputs(Configuration hadoop) {
    this.hadoop = hadoop;
  }

  private interface Listing {
    List<String> states() throws IOException;
  }

  /** Looks at the files that a job is about to read. */
  void look(String job, GuilomoConfig config) {
    now(job, config);
  }

  /** Keeps what a job that has succeeded read. */
  void write(String job, GuilomoConfig config) throws IOException {
    directory(config).write(file(job), JSON.writeValueAsString(now(job, config)));
  }

  /** The keys whose files are not those that the job read, as far as that is known. */
  List<String> changed(String job, GuilomoConfig config) throws IOException {
    Map<String, String> before = read(directory(config).path(file(job)));
    Map<String, String> now = now(job, config);
    return now.keySet().stream()
        .filter(key -> !Objects.equals(before.getOrDefault(key, now.get(key)), now.get(key)))
        .toList();
  }

  private RunDirectory directory(GuilomoConfig config) throws IOException {
    return new RunDirectory(config.output().dir(), config.run().id(), hadoop);
  }

  private static String file(String job) {
    return "inputs-" + job + ".json";
  }

  /** Nothing where an earlier release ran the job. */
  private Map<String, String> read(Path path) throws IOException {
    try (InputStream in = path.getFileSystem(hadoop).open(path)) {
      return JSON.readValue(in, new TypeReference<Map<String, String>>() {});
    } catch (FileNotFoundException | JsonProcessingException e) {
      return Map.of();
    }
  }

  private Map<String, String> now(String job, GuilomoConfig config) {
    Map<String, String> now = new TreeMap<>();
    if (job.equals(EvaluateJob.NAME)) {
      records(now, "evaluate.data", config.evaluate().data());
    } else {
      add(now, "model.path", () -> FileStates.ofModel(config.model().path(), hadoop));
      records(now, "data.train", config.data().train());
      records(now, "data.validation", config.data().validation());
    }
    return now;
  }

  private void records(Map<String, String> now, String key, String path) {
    if (!path.isBlank()) {
      add(now, key, () -> FileStates.ofRecords(path, hadoop));
    }
  }

  private void add(Map<String, String> now, String key, Listing files) {
    digests.computeIfAbsent(key, unread -> digest(files)).ifPresent(text -> now.put(key, text));
  }

  /** Empty where they are gone: what has finished does not need them. */
  private static Optional<String> digest(Listing files) {
    try {
      return Optional.of(
          ContentDigest.sha256(String.join("\n", files.states()).getBytes(StandardCharsets.UTF_8)));
    } catch (IOException | UserException e) {
      return Optional.empty();
    }
  }
}
