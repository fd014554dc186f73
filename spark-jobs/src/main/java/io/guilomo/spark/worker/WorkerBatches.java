package io.guilomo.spark.worker;

import io.guilomo.data.BatchSchedule;
import io.guilomo.data.Example;
import io.guilomo.data.Seeds;
import io.guilomo.data.TokenBatch;
import io.guilomo.spark.data.Shard;
import java.util.Arrays;
import java.util.List;

/**
 * The batches of one worker. Its training and validation records go through epochs of their own. A
 * batch is a function of shard, seed and step alone.
 */
public final class WorkerBatches {

  private final Shard shard;
  private final BatchSchedule train;
  private final BatchSchedule validation;

  public WorkerBatches(Shard shard, int batchSize, long seed) {
    this.shard = shard;
    long own = Seeds.mix(seed, shard.index());
    this.train = BatchSchedule.of(shard.train(), batchSize, Seeds.mix(own, 0));
    this.validation = BatchSchedule.of(shard.validation(), batchSize, Seeds.mix(own, 1));
  }

  public TokenBatch train(long step) {
    return batch(shard.train(), train.batch(step));
  }

  public TokenBatch validation(long step) {
    return batch(shard.validation(), validation.batch(step));
  }

  private static TokenBatch batch(Example[] examples, int[] indices) {
    List<Example> chosen = Arrays.stream(indices).mapToObj(i -> examples[i]).toList();
    return TokenBatch.of(chosen);
  }
}
