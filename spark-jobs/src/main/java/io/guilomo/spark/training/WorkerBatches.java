package io.guilomo.spark.training;

import io.guilomo.data.BatchSchedule;
import io.guilomo.data.Example;
import io.guilomo.data.Seeds;
import io.guilomo.data.TokenBatch;
import io.guilomo.spark.data.Shard;
import java.util.Arrays;
import java.util.List;
import java.util.stream.LongStream;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The batches of one worker: step {@code t} learns from a batch of its training shard and one of
 * its validation shard, which go through epochs of their own. A function of shard, seed and step
 * alone.
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

  /** Both batches of a step as dl4j-spark carries them: two features of {@code batchSize} rows. */
  public MultiDataSet dataSet(long step) {
    return dataSet(new INDArray[] {train(step).toArray(), validation(step).toArray()});
  }

  /** The training batches whose gradients make one step, as dl4j-spark carries them. */
  public MultiDataSet trainSet(long step, int batches) {
    INDArray[] features =
        LongStream.range(step * batches, (step + 1) * batches)
            .mapToObj(batch -> train(batch).toArray())
            .toArray(INDArray[]::new);
    return dataSet(features);
  }

  private static MultiDataSet dataSet(INDArray[] features) {
    INDArray unused = Nd4j.zeros(features[0].size(0), 1);
    return new MultiDataSet(features, new INDArray[] {unused});
  }

  private static TokenBatch batch(Example[] examples, int[] indices) {
    List<Example> chosen = Arrays.stream(indices).mapToObj(i -> examples[i]).toList();
    return TokenBatch.of(chosen);
  }
}
