package io.guilomo.template;

import io.guilomo.template.Callable.Arguments;
import io.guilomo.template.Token.Kind;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/** Parses what operators are applied to: values, what is accessed of them, filters and tests. */
final class OperandParser {

  private static final Set<String> RESERVED =
      Set.of("and", "or", "not", "if", "else", "in", "is", "elif", "recursive");

  private final Tokens tokens;
  private final ExpressionParser expressions;

  OperandParser(Tokens tokens, ExpressionParser expressions) {
    this.tokens = tokens;
    this.expressions = expressions;
  }

  /** A value with what is accessed of it: attributes, subscripts and calls. */
  Expression operand() {
    return postfix(primary());
  }

  private Expression primary() {
    Token token = tokens.next();
    return switch (token.kind()) {
      case NAME -> name(token);
      case STRING -> {
        StringBuilder text = new StringBuilder(token.text());
        while (tokens.peek().kind() == Kind.STRING) {
          text.append(tokens.next().text());
        }
        String whole = text.toString();
        yield scope -> whole;
      }
      case INTEGER -> number(token, Long::valueOf);
      case FLOAT -> number(token, Double::valueOf);
      case OPERATOR ->
          switch (token.text()) {
            case "(" -> group();
            case "[" -> list(elements("]"));
            case "{" -> dictionary();
            default -> throw misplaced(token);
          };
      default -> throw misplaced(token);
    };
  }

  private static TemplateException misplaced(Token token) {
    return TemplateException.of("unexpected %s", token.describe()).at(token.line());
  }

  private static Expression number(Token token, Function<String, Object> reading) {
    try {
      Object value = reading.apply(token.text().replace("_", ""));
      return scope -> value;
    } catch (NumberFormatException e) {
      throw TemplateException.of("number %s is too large", token.text()).at(token.line());
    }
  }

  private static Expression name(Token token) {
    String name = token.text();
    if (RESERVED.contains(name)) {
      throw misplaced(token);
    }
    return switch (name) {
      case "true", "True" -> scope -> true;
      case "false", "False" -> scope -> false;
      case "none", "None" -> scope -> null;
      default -> scope -> scope.get(name);
    };
  }

  private Expression group() {
    if (tokens.skipOperator(")")) {
      return list(List.of());
    }
    Expression value = expressions.tuple();
    tokens.expectOperator(")");
    return value;
  }

  private List<Expression> elements(String end) {
    List<Expression> elements = new ArrayList<>();
    while (!tokens.skipOperator(end)) {
      if (!elements.isEmpty()) {
        tokens.expectOperator(",");
        if (tokens.skipOperator(end)) {
          break;
        }
      }
      elements.add(expressions.expression());
    }
    return elements;
  }

  static Expression list(List<Expression> elements) {
    return scope -> {
      List<Object> values = new ArrayList<>();
      elements.forEach(element -> values.add(element.value(scope)));
      return values;
    };
  }

  private Expression dictionary() {
    Map<Expression, Expression> entries = new LinkedHashMap<>();
    while (!tokens.skipOperator("}")) {
      if (!entries.isEmpty()) {
        tokens.expectOperator(",");
        if (tokens.skipOperator("}")) {
          break;
        }
      }
      Expression key = expressions.expression();
      tokens.expectOperator(":");
      entries.put(key, expressions.expression());
    }
    return scope -> {
      Map<Object, Object> values = new LinkedHashMap<>();
      entries.forEach((key, value) -> values.put(key.value(scope), value.value(scope)));
      return values;
    };
  }

  private Expression postfix(Expression primary) {
    Expression value = primary;
    while (true) {
      Expression base = value;
      if (tokens.skipOperator(".")) {
        value = attribute(base);
      } else if (tokens.skipOperator("[")) {
        value = subscript(base);
      } else if (tokens.skipOperator("(")) {
        Call call = arguments();
        value = scope -> called(base.value(scope), call.of(scope), scope);
      } else {
        return value;
      }
    }
  }

  private Expression attribute(Expression base) {
    Token name = tokens.next();
    if (name.kind() == Kind.INTEGER) {
      Long index = Long.valueOf(name.text());
      return scope -> PythonValues.item(base.value(scope), index);
    }
    if (name.kind() != Kind.NAME) {
      throw misplaced(name);
    }
    if (tokens.skipOperator("(")) {
      Call call = arguments();
      return scope -> {
        scope.budget().step();
        return Methods.call(base.value(scope), name.text(), call.of(scope), scope);
      };
    }
    return scope -> PythonValues.item(base.value(scope), name.text());
  }

  private Expression subscript(Expression base) {
    Expression[] parts = new Expression[3];
    int part = 0;
    boolean sliced = false;
    while (!tokens.skipOperator("]")) {
      if (tokens.skipOperator(":")) {
        sliced = true;
        part++;
      } else if (part < 3 && parts[part] == null) {
        parts[part] = expressions.expression();
      } else {
        throw tokens.unexpected("']'");
      }
      if (part == 3) {
        throw tokens.unexpected("']'");
      }
    }
    if (!sliced && parts[0] == null) {
      throw tokens.refused("expected an index");
    }
    if (!sliced) {
      Expression index = parts[0];
      return scope -> PythonValues.item(base.value(scope), index.value(scope));
    }
    return scope ->
        PythonValues.slice(
            base.value(scope),
            parts[0] == null ? null : parts[0].value(scope),
            parts[1] == null ? null : parts[1].value(scope),
            parts[2] == null ? null : parts[2].value(scope));
  }

  private static Object called(Object function, Arguments arguments, Scope scope) {
    scope.budget().step();
    if (function instanceof Callable callable) {
      return callable.call(scope, arguments);
    }
    if (function instanceof Undefined undefined) {
      throw undefined.refused();
    }
    throw TemplateException.of("%s is not a function", PythonValues.type(function));
  }

  /** The arguments of a call, as they are written. */
  record Call(List<Expression> positional, Map<String, Expression> named) {

    static final Call NONE = new Call(List.of(), Map.of());

    Arguments of(Scope scope) {
      List<Object> values = new ArrayList<>();
      positional.forEach(argument -> values.add(argument.value(scope)));
      Map<String, Object> byName = new LinkedHashMap<>();
      named.forEach((name, argument) -> byName.put(name, argument.value(scope)));
      return new Arguments(values, byName);
    }
  }

  /** The arguments after an opening parenthesis. */
  private Call arguments() {
    List<Expression> positional = new ArrayList<>();
    Map<String, Expression> named = new LinkedHashMap<>();
    boolean first = true;
    while (!tokens.skipOperator(")")) {
      if (!first) {
        tokens.expectOperator(",");
        if (tokens.skipOperator(")")) {
          break;
        }
      }
      first = false;
      if (tokens.peek().kind() == Kind.NAME && tokens.peek(1).isOperator("=")) {
        String name = tokens.next().text();
        tokens.next();
        named.put(name, expressions.expression());
      } else if (named.isEmpty()) {
        positional.add(expressions.expression());
      } else {
        throw tokens.refused("a positional argument follows a named one");
      }
    }
    return new Call(positional, named);
  }

  /** A value followed by filters and tests. */
  Expression filtered(Expression first) {
    Expression value = first;
    while (true) {
      Expression base = value;
      if (tokens.skipOperator("|")) {
        value = filter(base);
      } else if (tokens.skipName("is")) {
        value = test(base);
      } else if (tokens.peek().isOperator("(")) {
        value = postfix(base);
      } else {
        return value;
      }
    }
  }

  private Expression filter(Expression base) {
    Token name = tokens.expect(Kind.NAME, "a filter");
    Filters.Filter filter = Filters.named(name.text());
    if (filter == null) {
      throw TemplateException.of("there is no filter %s", name.text()).at(name.line());
    }
    Call call = tokens.skipOperator("(") ? arguments() : Call.NONE;
    return scope -> {
      scope.budget().step();
      return filter.apply(base.value(scope), call.of(scope), scope);
    };
  }

  private Expression test(Expression base) {
    boolean negated = tokens.skipName("not");
    Token name = tokens.next();
    Predicates.Predicate test =
        name.kind() == Kind.NAME || name.kind() == Kind.OPERATOR
            ? Predicates.named(name.text())
            : null;
    if (test == null) {
      throw TemplateException.of("there is no test %s", name.text()).at(name.line());
    }
    Call call = Call.NONE;
    if (tokens.skipOperator("(")) {
      call = arguments();
    } else if (startsTestArgument()) {
      call = new Call(List.of(operand()), Map.of());
    }
    Call given = call;
    return scope -> test.holds(base.value(scope), given.of(scope), scope) != negated;
  }

  private boolean startsTestArgument() {
    Token next = tokens.peek();
    return switch (next.kind()) {
      case NAME -> !RESERVED.contains(next.text());
      case STRING, INTEGER, FLOAT -> true;
      case OPERATOR -> next.text().equals("[") || next.text().equals("{");
      default -> false;
    };
  }
}
