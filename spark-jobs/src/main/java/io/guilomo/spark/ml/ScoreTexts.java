package io.guilomo.spark.ml;

import java.util.ArrayList;
import java.util.List;
import org.apache.spark.sql.catalyst.expressions.Attribute;
import org.apache.spark.sql.catalyst.expressions.AttributeSet;
import org.apache.spark.sql.catalyst.expressions.AttributeSet$;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import scala.collection.IndexedSeq;
import scala.collection.JavaConverters;
import scala.collection.Seq;

/** Adds what functions return to the rows of a plan, scoring many rows together. */
public final class ScoreTexts extends LogicalPlan {

  private static final long serialVersionUID = 1;

  private final Seq<Expression> functions;
  private final Seq<Attribute> results;
  private final LogicalPlan child;

  /**
   * @param functions calls of a {@link TextScorer}
   * @param results one for each
   */
  public ScoreTexts(Seq<Expression> functions, Seq<Attribute> results, LogicalPlan child) {
    this.functions = functions;
    this.results = results;
    this.child = child;
  }

  Seq<Expression> functions() {
    return functions;
  }

  Seq<Attribute> results() {
    return results;
  }

  LogicalPlan child() {
    return child;
  }

  @Override
  public Seq<Attribute> output() {
    return joined(child.output(), results);
  }

  /** The columns of the rows, then those that are added. */
  static Seq<Attribute> joined(Seq<Attribute> rows, Seq<Attribute> results) {
    List<Attribute> all = new ArrayList<>(JavaConverters.seqAsJavaList(rows));
    all.addAll(JavaConverters.seqAsJavaList(results));
    return JavaConverters.asScalaBuffer(all).toList();
  }

  @Override
  public AttributeSet producedAttributes() {
    return AttributeSet$.MODULE$.apply(expressions(results));
  }

  static Seq<Expression> expressions(Seq<Attribute> attributes) {
    List<Expression> all = new ArrayList<>(JavaConverters.seqAsJavaList(attributes));
    return JavaConverters.asScalaBuffer(all).toList();
  }

  @Override
  public Seq<LogicalPlan> children() {
    return JavaConverters.asScalaBuffer(List.of(child)).toList();
  }

  @Override
  public LogicalPlan withNewChildrenInternal(IndexedSeq<LogicalPlan> children) {
    return new ScoreTexts(functions, results, children.apply(0));
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
    return other instanceof ScoreTexts;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof ScoreTexts plan
        && plan.functions.equals(functions)
        && plan.results.equals(results)
        && plan.child.equals(child);
  }

  @Override
  public int hashCode() {
    return super.hashCode();
  }
}
