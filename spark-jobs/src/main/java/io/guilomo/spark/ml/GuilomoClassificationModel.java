package io.guilomo.spark.ml;

import io.guilomo.adapter.Adapter;
import io.guilomo.adapter.AdapterDirectory;
import io.guilomo.data.TextRecord;
import io.guilomo.inference.Answer;
import io.guilomo.model.UserPath;
import io.guilomo.spark.session.AsNamed;
import java.io.IOException;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import org.apache.hadoop.fs.Path;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.ml.Model;
import org.apache.spark.ml.linalg.Vectors;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.ml.util.DefaultParamsReader;
import org.apache.spark.ml.util.DefaultParamsWriter;
import org.apache.spark.ml.util.MLReader;
import org.apache.spark.ml.util.MLWritable;
import org.apache.spark.ml.util.MLWriter;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.StructType;
import scala.Option;

/**
 * A trained classifier, which adds the class and the probabilities of all classes to rows of texts,
 * in tables and in streams. Rows without a text get nulls.
 */
public final class GuilomoClassificationModel extends Model<GuilomoClassificationModel>
    implements PredictionParams<GuilomoClassificationModel>, MLWritable {

  private static final long serialVersionUID = 1;
  private static final String ADAPTER = "adapter";

  private final String uid;
  private final ScoringParams.Declared scoring;
  private final PredictionParams.Declared predicted;
  private String adapter = "";

  /** What a loaded model is saved from, as overwriting deletes the directory first. */
  private transient Adapter loaded;

  /** For reading. */
  public GuilomoClassificationModel(String uid) {
    this.uid = uid;
    this.scoring = new ScoringParams.Declared(this);
    this.predicted = new PredictionParams.Declared(this);
    setDefault(textCol(), "text");
    setDefault(predictionCol(), "prediction");
    setDefault(probabilityCol(), "probability");
  }

  /**
   * A model of an adapter, whoever has trained it.
   *
   * @param adapter directory of a classifier's adapter
   */
  public GuilomoClassificationModel(String uid, String adapter) {
    this(uid);
    this.adapter = adapter;
  }

  @Override
  public String uid() {
    return uid;
  }

  @Override
  public ScoringParams.Declared scoring() {
    return scoring;
  }

  @Override
  public PredictionParams.Declared predicted() {
    return predicted;
  }

  /** The directory of the adapter: that of the run, or of the saved model. */
  public String adapter() {
    return adapter;
  }

  /** The names of the classes, by number. */
  public List<String> labels() {
    return model(SparkSession.active()).labels();
  }

  private GuilomoModel model(SparkSession spark) {
    List<String> keys = new ArrayList<>();
    if (isDefined(settings())) {
      keys.addAll(List.of(getOrDefault(settings())));
    }
    Columns.given(this, modelPath()).ifPresent(path -> keys.add("model.path=" + path));
    return GuilomoModel.of(spark, adapter, keys);
  }

  /**
   * Adds the columns of the predictions.
   *
   * @throws io.guilomo.model.UserException if there is no adapter, or the data cannot have them
   */
  @Override
  public Dataset<Row> transform(Dataset<?> data) {
    transformSchema(data.schema());
    GuilomoModel model = model(data.sparkSession());
    StructType all = Columns.predicted(this, data.schema(), model.labels());
    Dataset<Row> scored =
        data.toDF()
            .mapPartitions(
                new Scoring(
                    model,
                    data.schema().fieldIndex(getOrDefault(textCol())),
                    Columns.given(this, secondTextCol()).map(data.schema()::fieldIndex).orElse(-1),
                    Columns.given(this, predictionCol()).isPresent(),
                    Columns.given(this, probabilityCol()).isPresent()),
                Encoders.row(all));
    // An encoder drops what is known of the columns.
    return scored.select(
        Arrays.stream(all.fields())
            .map(field -> AsNamed.column(field.name()).as(field.name(), field.metadata()))
            .toArray(Column[]::new));
  }

  /**
   * What each task does.
   *
   * @param first column of the text
   * @param second column of the second text; −1: none
   */
  private record Scoring(
      GuilomoModel model, int first, int second, boolean prediction, boolean probability)
      implements MapPartitionsFunction<Row, Row>, Serializable {

    @Override
    public Iterator<Row> call(Iterator<Row> rows) {
      return model.score(rows, this::text, this::row);
    }

    private TextRecord text(Row row) {
      return GuilomoModel.text(row.getString(first), second < 0 ? null : row.getString(second));
    }

    private Row row(Row row, Answer answer) {
      List<Object> values = new ArrayList<>();
      for (int i = 0; i < row.size(); i++) {
        values.add(row.get(i));
      }
      if (prediction) {
        values.add(answer == null ? null : (double) model.labels().indexOf(answer.prediction()));
      }
      if (probability) {
        values.add(
            answer == null
                ? null
                : Vectors.dense(
                    model.labels().stream().mapToDouble(answer.probabilities()::get).toArray()));
      }
      return RowFactory.create(values.toArray());
    }
  }

  @Override
  public StructType transformSchema(StructType schema) {
    Columns.requireTexts(this, schema);
    return Columns.predicted(this, schema, List.of());
  }

  @Override
  public GuilomoClassificationModel copy(ParamMap extra) {
    GuilomoClassificationModel copied =
        copyValues(new GuilomoClassificationModel(uid, adapter), extra);
    copied.loaded = loaded;
    return copied.setParent(parent());
  }

  /** Writes the parameters and the adapter itself; the pretrained model stays where it is. */
  @Override
  public MLWriter write() {
    return new Writer(this, loaded == null ? read(SparkSession.active(), adapter) : loaded);
  }

  private static Adapter read(SparkSession spark, String path) {
    try {
      return directory(spark, path).read();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static AdapterDirectory directory(SparkSession spark, String path) throws IOException {
    return new AdapterDirectory(UserPath.of(path), spark.sparkContext().hadoopConfiguration());
  }

  private static final class Writer extends MLWriter {
    private final GuilomoClassificationModel model;
    private final Adapter adapter;

    Writer(GuilomoClassificationModel model, Adapter adapter) {
      this.model = model;
      this.adapter = adapter;
    }

    @Override
    public void saveImpl(String path) {
      DefaultParamsWriter.saveMetadata(model, path, sc(), Option.empty(), Option.empty());
      try {
        directory(sparkSession(), new Path(UserPath.of(path), ADAPTER).toString()).write(adapter);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  private static final class Reader extends MLReader<GuilomoClassificationModel> {
    @Override
    public GuilomoClassificationModel load(String path) {
      DefaultParamsReader<GuilomoClassificationModel> params = new DefaultParamsReader<>();
      params.session(sparkSession());
      GuilomoClassificationModel model = params.load(path);
      model.adapter = new Path(UserPath.of(path), ADAPTER).toString();
      model.loaded = GuilomoClassificationModel.read(sparkSession(), model.adapter);
      return model;
    }
  }

  /** Reads what {@link #write} has written. */
  public static MLReader<GuilomoClassificationModel> read() {
    return new Reader();
  }

  /** Reads what {@link #save} has written. */
  public static GuilomoClassificationModel load(String path) {
    return read().load(path);
  }
}
