package io.guilomo.template;

import io.guilomo.template.Token.Kind;
import java.util.ArrayList;
import java.util.List;

/** Parses expressions, by Jinja's precedence of operators. */
final class ExpressionParser {

  private static final int MAX_DEPTH = 200;

  private final Tokens tokens;
  private final OperandParser operands;
  private int depth;

  ExpressionParser(Tokens tokens) {
    this.tokens = tokens;
    this.operands = new OperandParser(tokens, this);
  }

  /** An expression, which may be conditional. */
  Expression expression() {
    if (++depth > MAX_DEPTH) {
      throw tokens.refused("expressions are nested more than %d levels deep", MAX_DEPTH);
    }
    Expression value = or();
    while (tokens.skipName("if")) {
      Expression condition = or();
      Expression then = value;
      Expression otherwise =
          tokens.skipName("else")
              ? expression()
              : scope -> new Undefined("an expression without else has no value");
      value = scope -> (PythonValues.truth(condition.value(scope)) ? then : otherwise).value(scope);
    }
    depth--;
    return value;
  }

  /** An expression that is not conditional, before the {@code if} of a loop. */
  Expression unconditional() {
    return or();
  }

  /** One expression, or several separated by commas, which make a list. */
  Expression tuple() {
    Expression first = expression();
    if (!tokens.peek().isOperator(",")) {
      return first;
    }
    List<Expression> elements = new ArrayList<>(List.of(first));
    while (tokens.skipOperator(",") && startsExpression()) {
      elements.add(expression());
    }
    return OperandParser.list(elements);
  }

  private boolean startsExpression() {
    Token next = tokens.peek();
    return next.kind() != Kind.CLOSE
        && !next.isOperator(")")
        && !next.isOperator("]")
        && !next.isOperator("=");
  }

  private Expression or() {
    Expression left = and();
    while (tokens.skipName("or")) {
      Expression one = left;
      Expression other = and();
      left =
          scope -> {
            Object value = one.value(scope);
            return PythonValues.truth(value) ? value : other.value(scope);
          };
    }
    return left;
  }

  private Expression and() {
    Expression left = not();
    while (tokens.skipName("and")) {
      Expression one = left;
      Expression other = not();
      left =
          scope -> {
            Object value = one.value(scope);
            return PythonValues.truth(value) ? other.value(scope) : value;
          };
    }
    return left;
  }

  private Expression not() {
    int count = 0;
    while (tokens.skipName("not")) {
      count++;
    }
    Expression value = comparison();
    boolean negated = count % 2 == 1;
    return count == 0 ? value : scope -> PythonValues.truth(value.value(scope)) != negated;
  }

  private record Comparison(Operators.Binary operator, Expression operand) {}

  private Expression comparison() {
    Expression first = sum();
    List<Comparison> chain = new ArrayList<>();
    for (Operators.Binary next = comparisonOperator(); next != null; next = comparisonOperator()) {
      chain.add(new Comparison(next, sum()));
    }
    if (chain.isEmpty()) {
      return first;
    }
    return scope -> {
      Object left = first.value(scope);
      for (Comparison comparison : chain) {
        Object right = comparison.operand.value(scope);
        if (!(Boolean) comparison.operator.apply(left, right, scope.budget())) {
          return false;
        }
        left = right;
      }
      return true;
    };
  }

  private Operators.Binary comparisonOperator() {
    Token token = tokens.peek();
    if (tokens.skipName("in")) {
      return (one, other, budget) -> PythonValues.contains(other, one, budget);
    }
    if (token.isName("not") && tokens.peek(1).isName("in")) {
      tokens.next();
      tokens.next();
      return (one, other, budget) -> !PythonValues.contains(other, one, budget);
    }
    Operators.Binary comparison =
        token.kind() == Kind.OPERATOR ? Operators.comparison(token.text()) : null;
    if (comparison != null) {
      tokens.next();
    }
    return comparison;
  }

  private Expression sum() {
    Expression left = concatenation();
    while (tokens.peek().isOperator("+") || tokens.peek().isOperator("-")) {
      left = binary(tokens.next().text(), left, concatenation());
    }
    return left;
  }

  private Expression concatenation() {
    Expression left = product();
    while (tokens.peek().isOperator("~")) {
      left = binary(tokens.next().text(), left, product());
    }
    return left;
  }

  private Expression product() {
    Expression left = power();
    while (List.of("*", "/", "//", "%").contains(tokens.peek().text())
        && tokens.peek().kind() == Kind.OPERATOR) {
      left = binary(tokens.next().text(), left, power());
    }
    return left;
  }

  private Expression power() {
    Expression left = unary(true);
    while (tokens.peek().isOperator("**")) {
      left = binary(tokens.next().text(), left, unary(true));
    }
    return left;
  }

  private static Expression binary(String operator, Expression one, Expression other) {
    Operators.Binary operation = Operators.arithmetic(operator);
    return scope -> operation.apply(one.value(scope), other.value(scope), scope.budget());
  }

  private Expression unary(boolean filtered) {
    if (++depth > MAX_DEPTH) {
      throw tokens.refused("expressions are nested more than %d levels deep", MAX_DEPTH);
    }
    Expression value;
    if (tokens.skipOperator("-")) {
      value = binary("-", scope -> 0L, unary(false));
    } else if (tokens.skipOperator("+")) {
      value = unary(false);
    } else {
      value = operands.operand();
    }
    depth--;
    return filtered ? operands.filtered(value) : value;
  }
}
