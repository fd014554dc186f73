package io.guilomo.template;

import java.util.ArrayList;
import java.util.List;

/** The text that a template writes, and which parts of it it marks as generated. */
final class Output {

  private final Budget budget;
  private final StringBuilder text = new StringBuilder();
  private final List<Template.Span> generated = new ArrayList<>();

  Output(Budget budget) {
    this.budget = budget;
  }

  void write(String part) {
    budget.characters((long) text.length() + part.length());
    text.append(part);
  }

  int length() {
    return text.length();
  }

  void generated(int from) {
    generated.add(new Template.Span(from, text.length()));
  }

  List<Template.Span> generated() {
    return List.copyOf(generated);
  }

  String text() {
    return text.toString();
  }
}
