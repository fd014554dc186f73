package io.guilomo.spark.evaluate;

import io.guilomo.config.ModelConfig.Precision;
import io.guilomo.kernel.Kernels;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.function.Function;

/**
 * The adapted models of this process, which its tasks lend each other: a model is opened when a
 * task needs it and all others are in use, so there are at most as many of one adapter as tasks
 * that run at the same time. They share the frozen weights. Models that nobody uses are kept for
 * the next task, the last used as long as there is room.
 */
public final class ModelPool {

  /** The models of the process. */
  public static final ModelPool SHARED =
      new ModelPool(Math.max(2, Runtime.getRuntime().availableProcessors()));

  /**
   * What two tasks must have in common to use the same model.
   *
   * @param digest of the adapter
   * @param memory where the model is, which tells one GPU from another
   */
  private record Key(
      String adapter, String digest, String backbone, Precision precision, String memory) {}

  private record Idle(Key key, AdaptedModel model) {}

  private final int most;

  /** The last used first. */
  private final Deque<Idle> idle = new ArrayDeque<>();

  private long opened;

  /**
   * @param most models that are kept while nobody uses them
   */
  ModelPool(int most) {
    this.most = most;
  }

  /**
   * Uses a model that nobody else uses meanwhile.
   *
   * @throws io.guilomo.model.UserException if the adapter has been replaced
   */
  public <R> R with(AdaptedModel.Source source, Function<AdaptedModel, R> use) throws IOException {
    Kernels kernels = source.workers().begin();
    Key key =
        new Key(
            source.adapter(),
            source.digest(),
            source.backbone(),
            source.workers().precision(),
            kernels.memory());
    AdaptedModel model = take(key);
    if (model == null) {
      model = open(source, kernels);
    }
    R result;
    try {
      result = use.apply(model);
    } catch (RuntimeException | Error e) {
      // Its working arrays may be half written.
      model.close();
      throw e;
    }
    giveBack(new Idle(key, model));
    return result;
  }

  private AdaptedModel open(AdaptedModel.Source source, Kernels kernels) throws IOException {
    synchronized (this) {
      opened++;
    }
    return AdaptedModel.open(source, kernels);
  }

  private synchronized AdaptedModel take(Key key) {
    Iterator<Idle> candidates = idle.iterator();
    while (candidates.hasNext()) {
      Idle candidate = candidates.next();
      if (candidate.key().equals(key)) {
        candidates.remove();
        return candidate.model();
      }
    }
    return null;
  }

  private synchronized void giveBack(Idle used) {
    idle.addFirst(used);
    while (idle.size() > most) {
      idle.removeLast().model().close();
    }
  }

  /** How many models have been opened so far. */
  public synchronized long opened() {
    return opened;
  }
}
