package io.guilomo.spark.ml;

import io.guilomo.model.UserException;
import java.util.List;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.catalyst.FunctionIdentifier;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.encoders.ExpressionEncoder;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.ExpressionInfo;
import org.apache.spark.sql.catalyst.expressions.GetStructField;
import org.apache.spark.sql.catalyst.expressions.Literal;
import org.apache.spark.sql.catalyst.expressions.ScalaUDF;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import scala.Function1;
import scala.Option;
import scala.Tuple3;
import scala.collection.JavaConverters;
import scala.collection.Seq;

/**
 * A SQL function {@code NAME('adapter directory', text [, second text])}, which is a field of what
 * {@link TextScorer} returns.
 *
 * @param field of {@link TextScorer#TYPE}
 * @param usage one line for {@code DESCRIBE FUNCTION}
 */
record ScoringFunction(String name, int field, String usage) {

  static final ScoringFunction PREDICT =
      new ScoringFunction(
          "guilomo_predict",
          0,
          "_FUNC_(adapter, text [, text2]) - The label that the classifier in the directory"
              + " 'adapter' gives a text, or a pair of texts. Null if 'text' is null or blank.");

  static final ScoringFunction PROBABILITIES =
      new ScoringFunction(
          "guilomo_probabilities",
          1,
          "_FUNC_(adapter, text [, text2]) - The probabilities of all labels, as a map. Null if"
              + " 'text' is null or blank.");

  /** What a session's registry of functions is given. */
  Tuple3<FunctionIdentifier, ExpressionInfo, Function1<Seq<Expression>, Expression>> described() {
    Function1<Seq<Expression>, Expression> builder = this::expression;
    return new Tuple3<>(
        new FunctionIdentifier(name),
        new ExpressionInfo(
            TextScorer.class.getName(), null, name, usage, "", "", "", "", "", "", "scala_udf"),
        builder);
  }

  /**
   * @throws UserException if the arguments are others, or the directory has no classifier's adapter
   */
  private Expression expression(Seq<Expression> given) {
    List<Expression> arguments = JavaConverters.seqAsJavaList(given);
    if (arguments.size() != 2 && arguments.size() != 3) {
      throw new UserException(
          "Cannot call %s with %d arguments: expected an adapter's directory, a text and, for a"
              + " classifier of pairs, a second text",
          name, arguments.size());
    }
    Literal none = Literal.create(null, DataTypes.StringType);
    Seq<Expression> texts =
        JavaConverters.asScalaBuffer(
                List.of(
                    text(arguments.get(1), none),
                    arguments.size() == 2 ? none : text(arguments.get(2), none)))
            .toList();
    TextScorer scorer =
        new TextScorer(
            GuilomoModel.of(SparkSession.active(), adapter(arguments.get(0)), List.of()));
    ScalaUDF scored =
        new ScalaUDF(
            scorer,
            TextScorer.TYPE,
            texts,
            JavaConverters.asScalaBuffer(List.<Option<ExpressionEncoder<?>>>of()).toList(),
            Option.empty(),
            Option.apply(name),
            true,
            true);
    return new GetStructField(scored, field, Option.apply(TextScorer.TYPE.fieldNames()[field]));
  }

  private String adapter(Expression directory) {
    if (!directory.foldable() || !directory.dataType().equals(DataTypes.StringType)) {
      throw new UserException(
          "Cannot call %s with the adapter %s: expected the name of a directory as a literal",
          name, directory.sql());
    }
    Object value = directory.eval(InternalRow.empty());
    if (value == null || value.toString().isBlank()) {
      throw new UserException(
          "Cannot call %s with the adapter %s: expected the name of a directory",
          name, directory.sql());
    }
    return value.toString();
  }

  private Expression text(Expression text, Expression none) {
    DataType type = text.dataType();
    if (type.equals(DataTypes.NullType)) {
      return none;
    }
    if (!type.equals(DataTypes.StringType)) {
      throw new UserException(
          "Cannot call %s with the text %s, which is %s: expected a string",
          name, text.sql(), type.sql());
    }
    return text;
  }
}
