package io.guilomo.spark.data;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.guilomo.data.RecordParser;
import io.guilomo.model.UserException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.Reader;
import java.io.StringReader;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import org.apache.commons.io.IOUtils;

/**
 * Records in JSON that are not one a line: a list of them, or objects over several lines. What
 * follows an error in such a file cannot be told apart, so the whole file is refused.
 */
final class JsonDocuments extends RecordIterator {

  /** Keeps NaN, and repeated fields. */
  static final ObjectMapper JSON =
      JsonMapper.builder()
          .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
          .disable(JsonWriteFeature.WRITE_NAN_AS_STRINGS)
          .build();

  /** Characters that show how a file is laid out. */
  private static final int START = 1 << 16;

  private final DataFile file;
  private final JsonParser parser;

  /**
   * @param file to name in the message of an error, and with the fields of its directories
   * @param reader strict, see {@link TextDecoding#strict}
   */
  JsonDocuments(DataFile file, Reader reader) throws IOException {
    this.file = file;
    this.parser = JSON.createParser(reader);
  }

  /**
   * Whether a file is not one of JSON lines: it begins with a list of objects, or with an object
   * that does not end on its line.
   */
  static boolean spansLines(Reader file) throws IOException {
    char[] start = new char[START];
    int read = IOUtils.read(file, start);
    String text = new String(start, 0, read);
    BufferedReader reader = new BufferedReader(new StringReader(text));
    String line = firstLine(reader);
    if (line.startsWith("[")) {
      String rest = line.substring(1).strip();
      String item = rest.isEmpty() ? firstLine(reader) : rest;
      return item.startsWith("{") || item.startsWith("]");
    }
    boolean whole = read < START || text.strip().length() > line.length();
    return whole
        && line.startsWith("{")
        && isBegun(line)
        && !RecordParser.isObject(firstLine(reader));
  }

  /** The first line that is not blank. */
  private static String firstLine(BufferedReader reader) throws IOException {
    String line = reader.readLine();
    while (line != null && line.isBlank()) {
      line = reader.readLine();
    }
    return line == null ? "" : line.strip();
  }

  /** Whether a line is the beginning of an object that ends between two of its parts. */
  private static boolean isBegun(String line) throws IOException {
    int depth = 0;
    try (JsonParser tokens = JSON.createParser(line)) {
      for (JsonToken token = tokens.nextToken(); token != null; token = tokens.nextToken()) {
        depth += token.isStructStart() ? 1 : token.isStructEnd() ? -1 : 0;
      }
      return false;
    } catch (JsonProcessingException e) {
      return depth > 0 && (line.endsWith(",") || line.endsWith("{") || line.endsWith("["));
    }
  }

  @Override
  RawRecord read() {
    try {
      JsonToken token = parser.nextToken();
      while (token == JsonToken.START_ARRAY || token == JsonToken.END_ARRAY) {
        token = parser.nextToken();
      }
      return token == null ? null : DirectoryFields.with(RawRecord.of(text()), file.partition());
    } catch (JsonProcessingException e) {
      throw new UserException(
          String.format(
              "Cannot read %s: %s, line %d",
              file.path(),
              RecordParser.malformed(e),
              e.getLocation() == null ? 0 : e.getLocation().getLineNr()),
          e);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The current value as it would be written in a line: NaN and repeated fields are kept. */
  private String text() throws IOException {
    StringWriter text = new StringWriter();
    try (JsonGenerator generator = JSON.createGenerator(text)) {
      generator.copyCurrentStructure(parser);
    }
    return text.toString();
  }
}
