package io.guilomo.template;

import io.guilomo.template.Statement.Flow;
import java.time.Clock;
import java.util.List;
import java.util.Map;

/**
 * A template in the part of <a href="https://jinja.palletsprojects.com/templates/">Jinja</a> that
 * chat templates use, rendered as Hugging Face's transformers does: {@code trim_blocks}, {@code
 * lstrip_blocks}, loop controls, {@code raise_exception}, {@code strftime_now}, its {@code tojson}
 * and {@code generation} blocks. Values behave like Python's.
 *
 * <p>A template reaches its variables, Jinja's functions and filters, and nothing else: no method
 * of a Java object can be named in it. {@link Budget} bounds what it may take.
 */
public final class Template {

  private static final int MAX_SOURCE = 1 << 20;

  private final Statement body;
  private final boolean marksGenerated;

  /**
   * A part of a text.
   *
   * @param to exclusive
   */
  public record Span(int from, int to) {}

  /**
   * A rendered template.
   *
   * @param generated the parts within <code>{% generation %}</code> blocks
   */
  public record Rendering(String text, List<Span> generated) {}

  private Template(Statement body, boolean marksGenerated) {
    this.body = body;
    this.marksGenerated = marksGenerated;
  }

  /**
   * @throws TemplateException with the line that cannot be parsed, or that uses what is not
   *     supported
   */
  public static Template parse(String source) {
    if (source.length() > MAX_SOURCE) {
      throw TemplateException.of("it has more than %d characters", MAX_SOURCE);
    }
    StatementParser parser = new StatementParser(TemplateScanner.scan(source));
    Statement body = parser.template();
    return new Template(body, parser.marksGenerated());
  }

  /** Whether the template has <code>{% generation %}</code> blocks. */
  public boolean marksGenerated() {
    return marksGenerated;
  }

  /**
   * @param variables null, Boolean, Long, Double, String, and lists and maps of them
   * @param clock of {@code strftime_now}
   * @throws TemplateException with the line where it fails
   */
  public Rendering render(Map<String, Object> variables, Clock clock) {
    Scope scope = Scope.outermost(variables, clock);
    Flow flow = body.run(scope);
    if (flow != Flow.NEXT) {
      throw new IllegalStateException("Cannot leave a loop outside of one");
    }
    return new Rendering(scope.output().text(), scope.output().generated());
  }
}
