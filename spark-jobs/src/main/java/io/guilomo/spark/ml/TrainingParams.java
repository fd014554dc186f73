package io.guilomo.spark.ml;

import org.apache.spark.ml.param.DoubleParam;
import org.apache.spark.ml.param.IntParam;
import org.apache.spark.ml.param.LongParam;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.ParamValidators;
import org.apache.spark.ml.param.Params;

/**
 * Parameters of what learns from texts and their classes. Those that are not set have the values of
 * the configuration's defaults.
 *
 * @param <S> what the setters return
 */
public interface TrainingParams<S> extends ScoringParams<S> {

  /** The parameters of an object. */
  final class Declared {
    private final Param<String> labelCol;
    private final Param<String> strategy;
    private final LongParam budget;
    private final DoubleParam searchEpochs;
    private final IntParam batchSize;
    private final IntParam maxExperts;
    private final IntParam maxRank;
    private final LongParam seed;
    private final Param<String> outputDir;

    Declared(Params owner) {
      labelCol =
          new Param<>(
              owner,
              "labelCol",
              "column of the class, from 0; text is indexed by StringIndexer, whose labels name the"
                  + " classes");
      strategy = new Param<>(owner, "strategy", "how the plan is made (key allocation.strategy)");
      budget =
          new LongParam(
              owner,
              "budget",
              "maximum number of trainable parameters of the plan, 0 for no limit (key"
                  + " allocation.budget.parameters)",
              ParamValidators.gtEq(0));
      searchEpochs =
          new DoubleParam(
              owner,
              "searchEpochs",
              "passes of the search over the training records; need not be a whole number (key"
                  + " search.epochs)",
              ParamValidators.gt(0));
      batchSize =
          new IntParam(
              owner,
              "batchSize",
              "records per step and worker (keys search.batch-size and finetune.batch-size)",
              ParamValidators.gt(0));
      maxExperts =
          new IntParam(
              owner,
              "maxExperts",
              "maximum number of experts per module (key lora-moe.max-experts)",
              ParamValidators.gt(0));
      maxRank =
          new IntParam(
              owner,
              "maxRank",
              "maximum rank of an expert (key lora-moe.max-rank)",
              ParamValidators.gt(0));
      seed = new LongParam(owner, "seed", "seed of everything that is random (key run.seed)");
      outputDir =
          new Param<>(
              owner,
              "outputDir",
              "directory of the runs and tables, which all executors can reach (key output.dir)");
    }
  }

  /** The parameters that this object has been given when it was made. */
  Declared training();

  default Param<String> labelCol() {
    return training().labelCol;
  }

  default Param<String> strategy() {
    return training().strategy;
  }

  default LongParam budget() {
    return training().budget;
  }

  default DoubleParam searchEpochs() {
    return training().searchEpochs;
  }

  default IntParam batchSize() {
    return training().batchSize;
  }

  default IntParam maxExperts() {
    return training().maxExperts;
  }

  default IntParam maxRank() {
    return training().maxRank;
  }

  default LongParam seed() {
    return training().seed;
  }

  default Param<String> outputDir() {
    return training().outputDir;
  }

  default S setLabelCol(String value) {
    return with(labelCol(), value);
  }

  default S setStrategy(String value) {
    return with(strategy(), value);
  }

  default S setBudget(long value) {
    return with(budget(), value);
  }

  default S setSearchEpochs(double value) {
    return with(searchEpochs(), value);
  }

  default S setBatchSize(int value) {
    return with(batchSize(), value);
  }

  default S setMaxExperts(int value) {
    return with(maxExperts(), value);
  }

  default S setMaxRank(int value) {
    return with(maxRank(), value);
  }

  default S setSeed(long value) {
    return with(seed(), value);
  }

  default S setOutputDir(String value) {
    return with(outputDir(), value);
  }
}
