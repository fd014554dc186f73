package io.guilomo.spark.ml;

import java.util.ArrayList;
import java.util.List;
import org.apache.spark.sql.catalyst.expressions.Attribute;
import org.apache.spark.sql.catalyst.expressions.AttributeReference;
import org.apache.spark.sql.catalyst.expressions.ConditionalExpression;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.LambdaFunction;
import org.apache.spark.sql.catalyst.expressions.NamedExpression;
import org.apache.spark.sql.catalyst.expressions.NamedExpression$;
import org.apache.spark.sql.catalyst.expressions.NamedLambdaVariable;
import org.apache.spark.sql.catalyst.expressions.OuterReference;
import org.apache.spark.sql.catalyst.expressions.PlanExpression;
import org.apache.spark.sql.catalyst.expressions.ScalaUDF;
import org.apache.spark.sql.catalyst.expressions.WindowExpression;
import org.apache.spark.sql.catalyst.expressions.aggregate.AggregateExpression;
import org.apache.spark.sql.catalyst.plans.logical.Aggregate;
import org.apache.spark.sql.catalyst.plans.logical.Filter;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.plans.logical.Project;
import org.apache.spark.sql.catalyst.plans.logical.Sort;
import org.apache.spark.sql.catalyst.rules.Rule;
import org.apache.spark.sql.catalyst.trees.TreePattern$;
import org.apache.spark.sql.types.Metadata;
import scala.collection.JavaConverters;
import scala.collection.Seq;

/**
 * Takes calls of {@link TextScorer} out of expressions, which are computed row by row, and has
 * {@link ScoreTexts} compute them below. Calls that it leaves where they are, such as those in
 * joins, on elements of an array, or of which the row decides whether they are needed, score row by
 * row.
 */
final class ExtractScoring extends Rule<LogicalPlan> {

  @Override
  public LogicalPlan apply(LogicalPlan plan) {
    if (!plan.containsPattern(TreePattern$.MODULE$.SCALA_UDF())) {
      return plan;
    }
    LogicalPlan extracted = plan.mapChildren(this::apply);
    return canScoreBelow(extracted) && extracted.resolved() ? extract(extracted) : extracted;
  }

  /** Whether extra columns in its input change nothing but the columns it returns. */
  private static boolean canScoreBelow(LogicalPlan plan) {
    return plan instanceof Project
        || plan instanceof Filter
        || plan instanceof Aggregate
        || plan instanceof Sort;
  }

  private static LogicalPlan extract(LogicalPlan plan) {
    if (plan instanceof Aggregate aggregate && scoresGroups(aggregate)) {
      return plan;
    }
    LogicalPlan child = plan.children().head();
    List<ScalaUDF> calls = new ArrayList<>();
    JavaConverters.seqAsJavaList(plan.expressions()).forEach(e -> collect(e, child, calls));
    if (calls.isEmpty()) {
      return plan;
    }
    List<Attribute> results = new ArrayList<>();
    for (ScalaUDF call : calls) {
      results.add(
          new AttributeReference(
              call.name() + "_result",
              call.dataType(),
              true,
              Metadata.empty(),
              NamedExpression$.MODULE$.newExprId(),
              none()));
    }
    ScoreTexts scoring = new ScoreTexts(seq(calls), seq(results), child);
    LogicalPlan above =
        (LogicalPlan)
            plan.withNewChildren(seq(List.of(scoring)))
                .mapExpressions(expression -> replace(expression, calls, results));
    // A call may be in another's text.
    LogicalPlan all = extract(above);
    return plan instanceof Filter || plan instanceof Sort
        ? new Project(named(plan.output()), all)
        : all;
  }

  /**
   * Whether it scores what it groups by, and not as part of a group's name: a column from below
   * would neither be grouped nor aggregated.
   */
  private static boolean scoresGroups(Aggregate aggregate) {
    List<Expression> groups = JavaConverters.seqAsJavaList(aggregate.groupingExpressions());
    return JavaConverters.seqAsJavaList(aggregate.aggregateExpressions()).stream()
        .anyMatch(expression -> scoresOutside(groups, (Expression) expression));
  }

  private static boolean scoresOutside(List<Expression> groups, Expression expression) {
    if (expression instanceof AggregateExpression
        || groups.stream().anyMatch(expression::semanticEquals)) {
      return false;
    }
    return expression instanceof ScalaUDF call && call.function() instanceof TextScorer
        || JavaConverters.seqAsJavaList(expression.children()).stream()
            .anyMatch(child -> scoresOutside(groups, child));
  }

  /** The calls of which no two are the same. */
  private static void collect(Expression expression, LogicalPlan child, List<ScalaUDF> calls) {
    if (expression instanceof ScalaUDF call
        && call.function() instanceof TextScorer
        && call.deterministic()
        && call.references().subsetOf(child.outputSet())
        && JavaConverters.seqAsJavaList(call.children()).stream()
            .allMatch(ExtractScoring::isOfOneRow)) {
      if (calls.stream().noneMatch(call::semanticEquals)) {
        calls.add(call);
      }
      return;
    }
    Seq<Expression> evaluated =
        expression instanceof ConditionalExpression conditional
            ? conditional.alwaysEvaluatedInputs()
            : expression.children();
    JavaConverters.seqAsJavaList(evaluated).forEach(e -> collect(e, child, calls));
  }

  /** Whether an expression can be computed below the operator that has it. */
  private static boolean isOfOneRow(Expression expression) {
    boolean other =
        expression instanceof AggregateExpression
            || expression instanceof WindowExpression
            || expression instanceof NamedLambdaVariable
            || expression instanceof LambdaFunction
            || expression instanceof OuterReference
            || expression instanceof PlanExpression
            || expression instanceof ScalaUDF call && call.function() instanceof TextScorer;
    return !other
        && JavaConverters.seqAsJavaList(expression.children()).stream()
            .allMatch(ExtractScoring::isOfOneRow);
  }

  private static Expression replace(
      Expression expression, List<ScalaUDF> calls, List<Attribute> results) {
    for (int i = 0; i < calls.size(); i++) {
      if (expression instanceof ScalaUDF && expression.semanticEquals(calls.get(i))) {
        return results.get(i);
      }
    }
    return expression.mapChildren(child -> replace(child, calls, results));
  }

  private static Seq<NamedExpression> named(Seq<Attribute> attributes) {
    return seq(List.<NamedExpression>copyOf(JavaConverters.seqAsJavaList(attributes)));
  }

  private static <T> Seq<T> none() {
    return seq(List.of());
  }

  private static <T> Seq<T> seq(List<? extends T> list) {
    List<T> copy = new ArrayList<>(list);
    return JavaConverters.asScalaBuffer(copy).toList();
  }
}
