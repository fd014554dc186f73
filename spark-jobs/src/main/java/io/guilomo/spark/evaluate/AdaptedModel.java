package io.guilomo.spark.evaluate;

import io.guilomo.adapter.Adapter;
import io.guilomo.adapter.AdapterDescription;
import io.guilomo.adapter.AdapterDirectory;
import io.guilomo.adapter.UncertaintyFile;
import io.guilomo.data.TextRecord;
import io.guilomo.inference.Answer;
import io.guilomo.inference.Predictor;
import io.guilomo.io.Tokenizer;
import io.guilomo.kernel.Kernels;
import io.guilomo.model.UserException;
import io.guilomo.model.UserPath;
import io.guilomo.network.Backbone;
import io.guilomo.network.LoraMoeNetwork;
import io.guilomo.spark.worker.WorkerSettings;
import io.guilomo.uncertainty.Predictive;
import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.TaskContext;

/**
 * A backbone with an adapter, opened where it is used.
 *
 * @param others with which it answers, and which it closes
 */
public record AdaptedModel(
    List<String> labels,
    LoraMoeNetwork network,
    Tokenizer tokenizer,
    Predictor predictor,
    List<AdaptedModel> others)
    implements AutoCloseable {

  /**
   * Where a model is and how it answers; travels to executors, which read both directories.
   *
   * @param adapter an adapter's directory
   * @param digest of the adapter when the driver first looked at it; another is refused
   * @param backbone directory of the backbone; empty: the one it was trained with
   */
  public record Source(
      String adapter,
      String digest,
      String backbone,
      Predictor.Options options,
      WorkerSettings workers)
      implements Serializable {

    /**
     * The adapter that is in a directory now.
     *
     * @throws UserException if there is none
     */
    public static Source of(
        String adapter, String backbone, Predictor.Options options, WorkerSettings workers)
        throws IOException {
      Source there = new Source(adapter, "", backbone, options, workers);
      return new Source(adapter, there.summary().digest(), backbone, options, workers);
    }

    /** The same adapter, asked otherwise. */
    Source with(Predictor.Options others) {
      return new Source(adapter, digest, backbone, others, workers);
    }

    /** What the adapter is for, without opening the backbone. */
    public AdapterDescription description() throws IOException {
      return read().description();
    }

    /** Directory of the backbone that an adapter so described is opened with. */
    String backbone(AdapterDescription description) {
      return backbone.isBlank() ? description.backbone() : backbone;
    }

    /** What is beside the adapter, or will be. */
    UncertaintyFile uncertainty() {
      return new UncertaintyFile(UserPath.of(adapter), workers.hadoop().value());
    }

    /**
     * What has been fitted to the adapter.
     *
     * @throws UserException if it is that of another, which has replaced it
     */
    UncertaintyFile fitted() throws IOException {
      UncertaintyFile file = uncertainty();
      if (!file.isOf(digest)) {
        throw replaced();
      }
      return file;
    }

    /** What the adapter's manifest says, without reading its tensors. */
    public AdapterDirectory.Summary summary() throws IOException {
      return directory().summary();
    }

    /**
     * @throws UserException if it is not whole, or has been replaced
     */
    Adapter read() throws IOException {
      Adapter adapter;
      try {
        adapter = directory().read();
      } catch (UserException e) {
        requireSame();
        throw e;
      }
      // Its manifest is the first file to go: if it is there still, so were the tensors.
      requireSame();
      return adapter;
    }

    private void requireSame() throws IOException {
      String now = "";
      try {
        now = summary().digest();
      } catch (UserException e) {
        // None is there while one replaces the other.
      }
      if (!now.equals(digest)) {
        throw replaced();
      }
    }

    private UserException replaced() {
      return new UserException(
          "Cannot go on with the adapter %s: it has been replaced since it was first read; repeat"
              + " the command or query",
          adapter);
    }

    private AdapterDirectory directory() throws IOException {
      return new AdapterDirectory(UserPath.of(adapter), workers.hadoop().value());
    }
  }

  /**
   * Opens both.
   *
   * @throws UserException for an adapter that is not whole or of another backbone
   */
  public static AdaptedModel open(Source source) throws IOException {
    return open(source, source.workers().begin());
  }

  /** Opens both for a task that computes with the kernels. */
  static AdaptedModel open(Source source, Kernels kernels) throws IOException {
    return open(source, kernels, adapter -> Predictive.TRAINED);
  }

  /** What a classifier makes of its head. */
  @FunctionalInterface
  interface Reading {
    Predictive of(Adapter adapter) throws IOException;
  }

  /** Opens both with another predictive of its head. */
  static AdaptedModel open(Source source, Kernels kernels, Reading reading) throws IOException {
    Configuration hadoop = source.workers().hadoop().value();
    Adapter adapter = source.read();
    String path = source.backbone(adapter.description());
    Backbone backbone = source.workers().backbone(path, kernels);
    LoraMoeNetwork network = adapter.network(backbone, path, kernels);
    Tokenizer tokenizer = null;
    try {
      tokenizer = Tokenizer.load(path, hadoop);
      return new AdaptedModel(
          adapter.description().labels(),
          network,
          tokenizer,
          Predictor.of(
              adapter.description(), network, tokenizer, source.options(), reading.of(adapter)),
          List.of());
    } catch (IOException | RuntimeException | Error e) {
      network.close();
      if (tokenizer != null) {
        tokenizer.close();
      }
      throw e;
    }
  }

  /** Why a record cannot be asked; empty if it can. */
  Optional<String> refusal(TextRecord record) {
    return predictor.refusal(record);
  }

  /** One answer per record, in their order. */
  public List<Answer> answer(List<TextRecord> records) {
    return predictor.answer(records);
  }

  /** The same of records that are scored, as {@link Predictor#score} says. */
  List<Answer> score(List<TextRecord> records) {
    return predictor.score(records);
  }

  /**
   * One answer per record, in their order, of those that can be asked.
   *
   * @param records null where there is none
   * @return null where there is no record, or one that cannot be asked
   */
  public List<Answer> answerAny(List<TextRecord> records) {
    List<TextRecord> asked = new ArrayList<>();
    boolean[] answered = new boolean[records.size()];
    for (int i = 0; i < answered.length; i++) {
      TextRecord record = records.get(i);
      answered[i] = record != null && refusal(record).isEmpty();
      if (answered[i]) {
        asked.add(record);
      }
    }
    Iterator<Answer> answers =
        asked.isEmpty() ? List.<Answer>of().iterator() : answer(asked).iterator();
    List<Answer> all = new ArrayList<>();
    for (boolean found : answered) {
      all.add(found ? answers.next() : null);
    }
    return all;
  }

  @Override
  public void close() {
    others.forEach(AdaptedModel::close);
    network.close();
    tokenizer.close();
  }

  /** Closes it at the end of the records, or of the task where that comes first. */
  Runnable closing() {
    boolean[] closed = new boolean[1];
    Runnable close =
        () -> {
          if (!closed[0]) {
            closed[0] = true;
            close();
          }
        };
    TaskContext.get()
        .addTaskCompletionListener(
            context -> {
              close.run();
            });
    return close;
  }
}
