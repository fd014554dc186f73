package io.guilomo.spark.data;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.guilomo.data.RecordParser;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.Reader;
import java.io.StringReader;
import java.io.UncheckedIOException;
import org.apache.commons.io.IOUtils;

/** Records in JSON that are not one a line: a list of them, or objects over several lines. */
final class JsonText extends RecordIterator {

  private static final ObjectMapper JSON =
      JsonMapper.builder()
          .enable(DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY)
          .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
          .build();

  /** Characters that show how a file is laid out. */
  private static final int START = 1 << 16;

  private final JsonParser parser;

  /**
   * @param reader strict, see {@link TextDecoding#strict}
   */
  JsonText(Reader reader) throws IOException {
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
      return token == null ? null : RawRecord.of(JSON.readTree(parser).toString());
    } catch (JsonProcessingException e) {
      end();
      return new RawRecord(
          "",
          RecordParser.malformed(e)
              + " in line "
              + (e.getLocation() == null ? 0 : e.getLocation().getLineNr()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
