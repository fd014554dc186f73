package io.guilomo.spark.ml;

import io.guilomo.data.TextRecord;
import io.guilomo.spark.evaluate.Batches;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.rdd.RDD;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.catalyst.CatalystTypeConverters;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.Attribute;
import org.apache.spark.sql.catalyst.expressions.AttributeSet;
import org.apache.spark.sql.catalyst.expressions.AttributeSet$;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.GenericInternalRow;
import org.apache.spark.sql.catalyst.expressions.JoinedRow;
import org.apache.spark.sql.catalyst.expressions.ScalaUDF;
import org.apache.spark.sql.catalyst.expressions.SortOrder;
import org.apache.spark.sql.catalyst.expressions.UnsafeProjection;
import org.apache.spark.sql.catalyst.plans.physical.Partitioning;
import org.apache.spark.sql.execution.SparkPlan;
import scala.Function1;
import scala.collection.IndexedSeq;
import scala.collection.JavaConverters;
import scala.collection.Seq;

/** Runs {@link ScoreTexts}: each task scores its rows batch by batch. */
public final class ScoreTextsExec extends SparkPlan {

  private static final long serialVersionUID = 1;

  private final Seq<Expression> functions;
  private final Seq<Attribute> results;
  private final SparkPlan child;

  /**
   * @param functions calls of a {@link TextScorer}
   * @param results one for each
   */
  public ScoreTextsExec(Seq<Expression> functions, Seq<Attribute> results, SparkPlan child) {
    this.functions = functions;
    this.results = results;
    this.child = child;
  }

  @Override
  public RDD<InternalRow> doExecute() {
    List<Expression> texts = new ArrayList<>();
    List<TextScorer> scorers = new ArrayList<>();
    for (Expression function : JavaConverters.seqAsJavaList(functions)) {
      ScalaUDF call = (ScalaUDF) function;
      scorers.add((TextScorer) call.function());
      texts.addAll(JavaConverters.seqAsJavaList(call.children()));
    }
    return child
        .execute()
        .toJavaRDD()
        .mapPartitions(
            new Scoring(
                scorers,
                JavaConverters.asScalaBuffer(texts).toList(),
                child.output(),
                ScoreTexts.joined(child.output(), results)),
            true)
        .rdd();
  }

  /**
   * What each task does.
   *
   * @param texts two for each scorer
   * @param output the input and one column for each scorer
   */
  private record Scoring(
      List<TextScorer> scorers, Seq<Expression> texts, Seq<Attribute> input, Seq<Attribute> output)
      implements FlatMapFunction<Iterator<InternalRow>, InternalRow> {

    @Override
    public Iterator<InternalRow> call(Iterator<InternalRow> rows) {
      UnsafeProjection read = UnsafeProjection.create(texts, input);
      Iterator<Texts> copies =
          new Iterator<>() {
            @Override
            public boolean hasNext() {
              return rows.hasNext();
            }

            @Override
            public Texts next() {
              InternalRow row = rows.next();
              // The rows' memory is used again for the next one.
              return new Texts(row.copy(), records(read.apply(row)));
            }
          };
      int size = scorers.stream().mapToInt(TextScorer::batchSize).min().orElseThrow();
      Iterator<InternalRow> scored = new Batches<>(copies, size, this::score, () -> {});
      UnsafeProjection write = UnsafeProjection.create(ScoreTexts.expressions(output), output);
      return new Iterator<>() {
        @Override
        public boolean hasNext() {
          return scored.hasNext();
        }

        @Override
        public InternalRow next() {
          return write.apply(scored.next());
        }
      };
    }

    private List<TextRecord> records(InternalRow texts) {
      List<TextRecord> records = new ArrayList<>();
      for (int s = 0; s < scorers.size(); s++) {
        records.add(GuilomoModel.text(text(texts, 2 * s), text(texts, 2 * s + 1)));
      }
      return records;
    }

    private static String text(InternalRow texts, int column) {
      return texts.isNullAt(column) ? null : texts.getUTF8String(column).toString();
    }

    private List<InternalRow> score(List<Texts> batch) {
      Function1<Object, Object> internal =
          CatalystTypeConverters.createToCatalystConverter(TextScorer.TYPE);
      Object[][] values = new Object[batch.size()][scorers.size()];
      for (int s = 0; s < scorers.size(); s++) {
        int scorer = s;
        List<Row> answers =
            scorers.get(s).score(batch.stream().map(texts -> texts.records().get(scorer)).toList());
        for (int i = 0; i < values.length; i++) {
          values[i][s] = internal.apply(answers.get(i));
        }
      }
      List<InternalRow> scored = new ArrayList<>();
      for (int i = 0; i < values.length; i++) {
        scored.add(new JoinedRow(batch.get(i).row(), new GenericInternalRow(values[i])));
      }
      return scored;
    }
  }

  /**
   * A row and its texts.
   *
   * @param records one for each scorer, null where there is none
   */
  private record Texts(InternalRow row, List<TextRecord> records) {}

  @Override
  public Seq<Attribute> output() {
    return ScoreTexts.joined(child.output(), results);
  }

  @Override
  public AttributeSet producedAttributes() {
    return AttributeSet$.MODULE$.apply(ScoreTexts.expressions(results));
  }

  @Override
  public Partitioning outputPartitioning() {
    return child.outputPartitioning();
  }

  @Override
  public Seq<SortOrder> outputOrdering() {
    return child.outputOrdering();
  }

  @Override
  public Seq<SparkPlan> children() {
    return JavaConverters.asScalaBuffer(List.of(child)).toList();
  }

  @Override
  public SparkPlan withNewChildrenInternal(IndexedSeq<SparkPlan> children) {
    return new ScoreTextsExec(functions, results, children.apply(0));
  }

  @Override
  public int productArity() {
    return 3;
  }

  @Override
  public Object productElement(int n) {
    return switch (n) {
      case 0 -> functions;
      case 1 -> results;
      case 2 -> child;
      default -> throw new IndexOutOfBoundsException(n);
    };
  }

  @Override
  public boolean canEqual(Object other) {
    return other instanceof ScoreTextsExec;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof ScoreTextsExec plan
        && plan.functions.equals(functions)
        && plan.results.equals(results)
        && plan.child.equals(child);
  }

  @Override
  public int hashCode() {
    return super.hashCode();
  }
}
