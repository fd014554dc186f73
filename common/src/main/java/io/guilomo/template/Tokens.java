package io.guilomo.template;

import io.guilomo.template.Token.Kind;
import java.util.List;

/** The tokens of a template, read one after the other. */
final class Tokens {

  private final List<Token> tokens;
  private int at;

  Tokens(List<Token> tokens) {
    this.tokens = tokens;
  }

  Token peek() {
    return peek(0);
  }

  Token peek(int ahead) {
    return tokens.get(Math.min(at + ahead, tokens.size() - 1));
  }

  Token next() {
    Token token = peek();
    at++;
    return token;
  }

  /** Reads an operator if it is next. */
  boolean skipOperator(String operator) {
    boolean found = peek().isOperator(operator);
    at += found ? 1 : 0;
    return found;
  }

  /** Reads a name if it is next. */
  boolean skipName(String name) {
    boolean found = peek().isName(name);
    at += found ? 1 : 0;
    return found;
  }

  void expectOperator(String operator) {
    if (!skipOperator(operator)) {
      throw unexpected("'" + operator + "'");
    }
  }

  void expectName(String name) {
    if (!skipName(name)) {
      throw unexpected(name);
    }
  }

  Token expect(Kind kind, String what) {
    if (peek().kind() != kind) {
      throw unexpected(what);
    }
    return next();
  }

  void expectClose() {
    expect(Kind.CLOSE, "the end of the tag");
  }

  TemplateException unexpected(String expected) {
    return refused("expected %s, found %s", expected, peek().describe());
  }

  TemplateException refused(String format, Object... arguments) {
    return TemplateException.of(format, arguments).at(peek().line());
  }
}
