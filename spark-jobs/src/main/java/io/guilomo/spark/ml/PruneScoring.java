package io.guilomo.spark.ml;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.spark.sql.catalyst.expressions.And;
import org.apache.spark.sql.catalyst.expressions.Attribute;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.plans.logical.Filter;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.plans.logical.Project;
import org.apache.spark.sql.catalyst.rules.Rule;
import scala.collection.JavaConverters;
import scala.collection.Seq;

/**
 * Scores only what a query needs: moves the conditions that ask for no score below {@link
 * ScoreTexts}, where the optimizer pushes them on to the data, and takes out the scores that
 * nothing reads.
 */
final class PruneScoring extends Rule<LogicalPlan> {

  @Override
  public LogicalPlan apply(LogicalPlan plan) {
    LogicalPlan pruned = plan.mapChildren(this::apply);
    if (pruned instanceof Filter filter && filter.child() instanceof ScoreTexts scoring) {
      return filterFirst(filter, scoring);
    }
    if (pruned instanceof Project project && project.child() instanceof ScoreTexts scoring) {
      return withoutUnread(project, scoring);
    }
    return pruned;
  }

  private static LogicalPlan filterFirst(Filter filter, ScoreTexts scoring) {
    if (!filter.condition().deterministic()) {
      return filter;
    }
    List<Expression> before = new ArrayList<>();
    List<Expression> after = new ArrayList<>();
    for (Expression condition : conjuncts(filter.condition())) {
      boolean scores = !condition.references().subsetOf(scoring.child().outputSet());
      (scores ? after : before).add(condition);
    }
    if (before.isEmpty()) {
      return filter;
    }
    LogicalPlan scored =
        new ScoreTexts(
            scoring.functions(),
            scoring.results(),
            new Filter(all(before).orElseThrow(), scoring.child()));
    return all(after).<LogicalPlan>map(rest -> new Filter(rest, scored)).orElse(scored);
  }

  private static List<Expression> conjuncts(Expression condition) {
    if (condition instanceof And and) {
      List<Expression> both = new ArrayList<>(conjuncts(and.left()));
      both.addAll(conjuncts(and.right()));
      return both;
    }
    return List.of(condition);
  }

  private static Optional<Expression> all(List<Expression> conditions) {
    return conditions.stream().reduce(And::new);
  }

  private static LogicalPlan withoutUnread(Project project, ScoreTexts scoring) {
    List<Expression> functions = new ArrayList<>();
    List<Attribute> results = new ArrayList<>();
    for (int i = 0; i < scoring.results().size(); i++) {
      if (project.references().contains(scoring.results().apply(i))) {
        functions.add(scoring.functions().apply(i));
        results.add(scoring.results().apply(i));
      }
    }
    if (results.size() == scoring.results().size()) {
      return project;
    }
    return new Project(
        project.projectList(),
        results.isEmpty()
            ? scoring.child()
            : new ScoreTexts(seq(functions), seq(results), scoring.child()));
  }

  private static <T> Seq<T> seq(List<T> list) {
    return JavaConverters.asScalaBuffer(list).toList();
  }
}
