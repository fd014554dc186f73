package io.guilomo.spark.ml;

import io.guilomo.spark.search.AllocateJob;
import java.util.List;
import org.apache.spark.ml.util.DefaultParamsReader;
import org.apache.spark.ml.util.Identifiable$;
import org.apache.spark.ml.util.MLReader;
import org.apache.spark.sql.Dataset;

/**
 * Makes an allocation plan for texts and their classes, and trains nothing with it: for plans that
 * are looked at, or trained more than once. A {@link GuilomoClassifier} makes a plan of its own;
 * {@code setPlan} has it train this one, as {@link GuilomoAllocationModel} has saved it.
 */
public final class GuilomoAllocator
    extends TextEstimator<GuilomoAllocator, GuilomoAllocationModel> {

  private static final long serialVersionUID = 1;

  public GuilomoAllocator() {
    this(Identifiable$.MODULE$.randomUID("guilomo-plan"));
  }

  /**
   * @param uid another for every estimator; the names of its runs begin with it
   */
  public GuilomoAllocator(String uid) {
    super(uid);
    setDefaults();
  }

  /**
   * Makes the plan.
   *
   * @throws io.guilomo.model.UserException for parameters, a model or data that cannot be used
   */
  @Override
  public GuilomoAllocationModel fit(Dataset<?> data) {
    transformSchema(data.schema());
    AllocateJob.Result made =
        Training.run(this, data, List.of(), context -> new AllocateJob(context, true).run());
    GuilomoAllocationModel model = new GuilomoAllocationModel(uid(), made.plan());
    return model.setParent(this);
  }

  /** Reads what {@link #write} has written. */
  public static MLReader<GuilomoAllocator> read() {
    return new DefaultParamsReader<>();
  }

  /** Reads what {@link #save} has written. */
  public static GuilomoAllocator load(String path) {
    return read().load(path);
  }
}
