package io.guilomo.template;

import io.guilomo.template.Statement.Flow;
import io.guilomo.template.Token.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Parses the tags of a template. */
final class StatementParser {

  private static final int MAX_DEPTH = 100;

  private final Tokens tokens;
  private final ExpressionParser expressions;
  private int loops;
  private int depth;
  private boolean marksGenerated;

  StatementParser(List<Token> tokens) {
    this.tokens = new Tokens(tokens);
    this.expressions = new ExpressionParser(this.tokens);
  }

  boolean marksGenerated() {
    return marksGenerated;
  }

  /** The whole template. */
  Statement template() {
    Statement body = body(Set.of());
    if (tokens.peek().kind() != Kind.END) {
      throw tokens.refused("unexpected tag %s", tokens.peek(1).text());
    }
    return body;
  }

  /** The statements up to a tag with one of these names, which is left to be read. */
  private Statement body(Set<String> ends) {
    if (++depth > MAX_DEPTH) {
      throw tokens.refused("tags are nested more than %d levels deep", MAX_DEPTH);
    }
    List<Statement> statements = new ArrayList<>();
    while (tokens.peek().kind() != Kind.END) {
      if (tokens.peek().kind() == Kind.TAG && ends.contains(tokens.peek(1).text())) {
        break;
      }
      statements.add(statement());
    }
    depth--;
    return sequence(statements);
  }

  private static Statement sequence(List<Statement> statements) {
    return scope -> {
      for (Statement statement : statements) {
        Flow flow = statement.run(scope);
        if (flow != Flow.NEXT) {
          return flow;
        }
      }
      return Flow.NEXT;
    };
  }

  private Statement statement() {
    Token token = tokens.next();
    Statement statement =
        switch (token.kind()) {
          case TEXT -> text(token.text());
          case OUTPUT -> output();
          case TAG -> tag(token.line());
          default -> throw TemplateException.of("unexpected %s", token.describe()).at(token.line());
        };
    return located(statement, token.line());
  }

  /** Adds the line to what goes wrong. */
  private static Statement located(Statement statement, int line) {
    return scope -> {
      try {
        scope.budget().step();
        return statement.run(scope);
      } catch (TemplateException e) {
        throw e.at(line);
      } catch (ArithmeticException e) {
        throw TemplateException.of("arithmetic fails (%s)", e.getMessage()).at(line);
      } catch (StackOverflowError e) {
        throw TemplateException.of("values are nested too deep").at(line);
      }
    };
  }

  private static Statement text(String text) {
    return scope -> {
      scope.output().write(text);
      return Flow.NEXT;
    };
  }

  private Statement output() {
    Expression value = expressions.tuple();
    tokens.expectClose();
    return scope -> {
      scope.output().write(PythonValues.text(value.value(scope), scope.budget()));
      return Flow.NEXT;
    };
  }

  private Statement tag(int line) {
    String name = tokens.expect(Kind.NAME, "the name of a tag").text();
    return switch (name) {
      case "if" -> condition();
      case "for" -> loop();
      case "set" -> assignment();
      case "macro" -> macro();
      case "generation" -> generation();
      case "break" -> leaving(Flow.BREAK, name);
      case "continue" -> leaving(Flow.CONTINUE, name);
      default -> throw TemplateException.of("tag %s is unknown or not supported", name).at(line);
    };
  }

  private void end(String name) {
    if (tokens.peek().kind() != Kind.TAG) {
      throw tokens.refused("%s is missing", name);
    }
    tokens.next();
    tokens.expectName(name);
    tokens.expectClose();
  }

  private Statement condition() {
    Expression condition = expressions.tuple();
    tokens.expectClose();
    Statement then = body(Set.of("elif", "else", "endif"));
    Statement otherwise = sequence(List.of());
    if (tokens.peek(1).isName("elif")) {
      int line = tokens.next().line();
      tokens.next();
      otherwise = located(condition(), line);
    } else if (tokens.peek(1).isName("else")) {
      tokens.next();
      tokens.next();
      tokens.expectClose();
      otherwise = body(Set.of("endif"));
      end("endif");
    } else {
      end("endif");
    }
    Statement other = otherwise;
    return scope -> (PythonValues.truth(condition.value(scope)) ? then : other).run(scope);
  }

  private Statement loop() {
    List<String> targets = names();
    tokens.expectName("in");
    Expression sequence = expressions.unconditional();
    Expression filter = tokens.skipName("if") ? expressions.expression() : null;
    if (tokens.peek().isName("recursive")) {
      throw tokens.refused("recursive loops are not supported");
    }
    tokens.expectClose();
    loops++;
    Statement body = body(Set.of("else", "endfor"));
    loops--;
    Statement otherwise = sequence(List.of());
    if (tokens.peek(1).isName("else")) {
      tokens.next();
      tokens.next();
      tokens.expectClose();
      otherwise = body(Set.of("endfor"));
    }
    end("endfor");
    return new Loop(targets, sequence, filter, body, otherwise);
  }

  private List<String> names() {
    boolean grouped = tokens.skipOperator("(");
    List<String> names = new ArrayList<>();
    do {
      names.add(tokens.expect(Kind.NAME, "a name").text());
    } while (tokens.skipOperator(","));
    if (grouped) {
      tokens.expectOperator(")");
    }
    return names;
  }

  private Statement leaving(Flow flow, String name) {
    if (loops == 0) {
      throw tokens.refused("%s is outside of a loop", name);
    }
    tokens.expectClose();
    return scope -> flow;
  }

  private Statement assignment() {
    if (tokens.peek(1).isOperator(".")) {
      String namespace = tokens.next().text();
      tokens.next();
      String attribute = tokens.expect(Kind.NAME, "an attribute").text();
      tokens.expectOperator("=");
      Expression value = expressions.tuple();
      tokens.expectClose();
      return scope -> {
        if (!(scope.get(namespace) instanceof Attributes object) || !object.mutable()) {
          throw TemplateException.of("cannot set %s.%s: it is no namespace", namespace, attribute);
        }
        object.values().put(attribute, value.value(scope));
        return Flow.NEXT;
      };
    }
    List<String> names = names();
    if (tokens.skipOperator("=")) {
      Expression value = expressions.tuple();
      tokens.expectClose();
      return scope -> {
        Loop.assign(names, value.value(scope), scope);
        return Flow.NEXT;
      };
    }
    tokens.expectClose();
    Statement body = body(Set.of("endset"));
    end("endset");
    return scope -> {
      String text = scope.inner().captured(body);
      Loop.assign(names, text, scope);
      return Flow.NEXT;
    };
  }

  private Statement macro() {
    String name = tokens.expect(Kind.NAME, "the name of a macro").text();
    tokens.expectOperator("(");
    List<Macro.Parameter> parameters = new ArrayList<>();
    while (!tokens.skipOperator(")")) {
      if (!parameters.isEmpty()) {
        tokens.expectOperator(",");
      }
      String parameter = tokens.expect(Kind.NAME, "a parameter").text();
      parameters.add(
          new Macro.Parameter(
              parameter,
              tokens.skipOperator("=")
                  ? expressions.expression()
                  : scope -> Undefined.named(parameter)));
    }
    tokens.expectClose();
    int outer = loops;
    loops = 0;
    Statement body = body(Set.of("endmacro"));
    loops = outer;
    end("endmacro");
    return scope -> {
      scope.set(name, new Macro(name, parameters, body, scope));
      return Flow.NEXT;
    };
  }

  private Statement generation() {
    tokens.expectClose();
    marksGenerated = true;
    Statement body = body(Set.of("endgeneration"));
    end("endgeneration");
    return scope -> {
      int from = scope.output().length();
      Flow flow = body.run(scope.inner());
      scope.output().generated(from);
      return flow;
    };
  }
}
