package io.guilomo.spark.ml;

import io.guilomo.model.UserPath;
import io.guilomo.plan.AllocationPlan;
import io.guilomo.plan.AllocationPlanParser;
import io.guilomo.spark.table.PlanExpertsTable;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.spark.ml.Model;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.ml.util.DefaultParamsReader;
import org.apache.spark.ml.util.DefaultParamsWriter;
import org.apache.spark.ml.util.MLReader;
import org.apache.spark.ml.util.MLWritable;
import org.apache.spark.ml.util.MLWriter;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.StructType;
import scala.Option;

/**
 * An allocation plan. It leaves data as they are; saved, it is the directory of a {@code
 * plan.json}, which {@link GuilomoClassifier#setPlan} and the command {@code finetune} read.
 */
public final class GuilomoAllocationModel extends Model<GuilomoAllocationModel>
    implements MLWritable {

  /** The plan's name in the directory of a saved model. */
  public static final String PLAN = "plan.json";

  private static final long serialVersionUID = 1;

  private final String uid;
  private String json = "";

  /** For reading. */
  public GuilomoAllocationModel(String uid) {
    this.uid = uid;
  }

  GuilomoAllocationModel(String uid, AllocationPlan plan) {
    this(uid);
    this.json = AllocationPlanParser.toJson(plan);
  }

  @Override
  public String uid() {
    return uid;
  }

  /** The plan as {@code plan.json} has it. */
  public String json() {
    return json;
  }

  /** The plan, one row per expert, with the columns of the table {@code plan_experts}. */
  public Dataset<Row> plan() {
    AllocationPlan plan = AllocationPlanParser.fromJson("the plan of " + uid, json);
    return PlanExpertsTable.frame(SparkSession.active(), plan);
  }

  @Override
  public Dataset<Row> transform(Dataset<?> data) {
    return data.toDF();
  }

  @Override
  public StructType transformSchema(StructType schema) {
    return schema;
  }

  @Override
  public GuilomoAllocationModel copy(ParamMap extra) {
    GuilomoAllocationModel copied = new GuilomoAllocationModel(uid);
    copied.json = json;
    return copyValues(copied, extra).setParent(parent());
  }

  @Override
  public MLWriter write() {
    return new Writer(this);
  }

  private static final class Writer extends MLWriter {
    private final GuilomoAllocationModel model;

    Writer(GuilomoAllocationModel model) {
      this.model = model;
    }

    @Override
    public void saveImpl(String path) {
      DefaultParamsWriter.saveMetadata(model, path, sc(), Option.empty(), Option.empty());
      UserPath plan =
          UserPath.open(path + "/" + PLAN, sparkSession().sparkContext().hadoopConfiguration());
      try (OutputStream out = plan.files().create(plan.path(), true)) {
        out.write(model.json.getBytes(StandardCharsets.UTF_8));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  private static final class Reader extends MLReader<GuilomoAllocationModel> {
    @Override
    public GuilomoAllocationModel load(String path) {
      DefaultParamsReader<GuilomoAllocationModel> params = new DefaultParamsReader<>();
      params.session(sparkSession());
      GuilomoAllocationModel model = params.load(path);
      UserPath plan =
          UserPath.open(path + "/" + PLAN, sparkSession().sparkContext().hadoopConfiguration());
      try (FSDataInputStream in = plan.files().open(plan.path())) {
        model.json = new String(in.readAllBytes(), StandardCharsets.UTF_8);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      return model;
    }
  }

  /** Reads what {@link #write} has written. */
  public static MLReader<GuilomoAllocationModel> read() {
    return new Reader();
  }

  /** Reads what {@link #save} has written. */
  public static GuilomoAllocationModel load(String path) {
    return read().load(path);
  }
}
