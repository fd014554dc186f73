package io.guilomo.io;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import java.io.IOException;

/**
 * JSON in the layout of Python's {@code json.dumps(…, indent=n)}, with arrays of numbers on one
 * line.
 */
public class IndentedJson extends DefaultPrettyPrinter {
  private static final long serialVersionUID = 1L;

  private final int indent;

  public IndentedJson(int indent) {
    this.indent = indent;
    indentObjectsWith(new DefaultIndenter(" ".repeat(indent), "\n"));
  }

  @Override
  public DefaultPrettyPrinter createInstance() {
    return new IndentedJson(indent);
  }

  @Override
  public void writeObjectFieldValueSeparator(JsonGenerator generator) throws IOException {
    generator.writeRaw(": ");
  }
}
