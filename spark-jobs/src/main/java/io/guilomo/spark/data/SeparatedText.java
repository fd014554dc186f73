package io.guilomo.spark.data;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.univocity.parsers.common.TextParsingException;
import com.univocity.parsers.csv.CsvParser;
import com.univocity.parsers.csv.CsvParserSettings;
import com.univocity.parsers.csv.UnescapedQuoteHandling;
import io.guilomo.model.UserException;
import java.io.BufferedReader;
import java.io.FilterReader;
import java.io.IOException;
import java.io.Reader;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import org.apache.commons.lang3.StringUtils;
import org.apache.commons.lang3.exception.ExceptionUtils;

/**
 * Rows of CSV or TSV as JSON objects, with null for empty cells.
 *
 * @param names of the columns
 * @param header the cells of the first row if it has the names; else empty
 * @param directories names of further columns, those of the directories that a file is in
 */
record SeparatedText(
    List<String> names, List<String> header, Set<String> directories, TextDecoding decoding)
    implements Serializable {

  static final String BROKEN = "wrong number of columns or broken quotes";

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int MOST_COLUMNS = 20_480;

  /** The cells of the first row of a file; none if it has no row. */
  static List<String> firstRow(BufferedReader reader, DataFormat format, TextDecoding decoding)
      throws IOException {
    String[] row;
    if (format == DataFormat.CSV) {
      CsvParser parser = parser();
      parser.beginParsing(reader);
      row = parser.parseNext();
      parser.stopParsing();
    } else {
      String line = reader.readLine();
      while (line != null && line.isBlank()) {
        line = reader.readLine();
      }
      row = line == null ? null : line.split("\t", -1);
    }
    return row == null
        ? List.of()
        : Arrays.stream(row).map(cell -> cell == null ? "" : decoding.part(cell).text()).toList();
  }

  /**
   * The names of the columns: {@code _c2} where a header has none, and where several that are not
   * read differ at most by case, with their numbers behind, as Spark names them.
   *
   * @param source to name in the message
   * @param firstRow the header, or a row of a file without one
   * @param read whether a record is read from a column of a name
   * @throws UserException if a column that is read is not the only one of its name
   */
  static List<String> names(
      String source, List<String> firstRow, boolean header, Predicate<String> read) {
    List<String> names = new ArrayList<>();
    for (int i = 0; i < firstRow.size(); i++) {
      String name = header ? firstRow.get(i) : "";
      List<String> same = name.isEmpty() ? List.of() : same(name, firstRow);
      if (same.size() > 1 && same.stream().anyMatch(read)) {
        throw new UserException(
            "Cannot read %s: two columns are called %s: %s; rename one",
            source, same.stream().filter(read).findFirst().orElseThrow(), String.join(", ", same));
      }
      names.add(name.isEmpty() ? "_c" + i : same.size() > 1 ? name + i : name);
    }
    return names;
  }

  private static List<String> same(String name, List<String> header) {
    return header.stream().filter(name::equalsIgnoreCase).toList();
  }

  /** All columns, those of the directories last. */
  Set<String> columns() {
    Set<String> columns = new LinkedHashSet<>(names);
    columns.addAll(directories);
    return columns;
  }

  /** The row in a line of TSV. */
  RawRecord row(RawRecord line, Map<String, String> partition) {
    if (line.reason() != null || line.isNothing()) {
      return line;
    }
    String[] cells = line.text().split("\t", -1);
    if (!header.isEmpty() && Arrays.asList(cells).equals(header)) {
      return RawRecord.nothing();
    }
    return row(line.text(), cells, partition);
  }

  private RawRecord row(String raw, String[] cells, Map<String, String> partition) {
    if (cells.length != names.size()) {
      return new RawRecord(raw, BROKEN);
    }
    ObjectNode object = JSON.createObjectNode();
    for (int i = 0; i < cells.length; i++) {
      object.put(names.get(i), cells[i] == null || cells[i].isEmpty() ? null : cells[i]);
    }
    partition.forEach(object::put);
    return RawRecord.of(object.toString());
  }

  /**
   * The rows of a file in CSV.
   *
   * @param file to name in the message of an error, and with the values of its directories
   * @param reader see {@link TextDecoding#reader}
   */
  Iterator<RawRecord> rows(DataFile file, Reader reader) {
    return new Rows(file, reader);
  }

  private final class Rows extends RecordIterator {
    private final DataFile file;
    private final CsvParser parser = parser();
    private final LastCharacter read;
    private boolean first = true;
    private long line;
    private boolean spansLines;

    Rows(DataFile file, Reader reader) {
      this.file = file;
      this.read = new LastCharacter(reader);
      parser.beginParsing(read);
    }

    @Override
    RawRecord read() {
      try {
        long next = parser.getContext().currentLine() + 1;
        String[] cells = parser.parseNext();
        if (cells == null) {
          if (spansLines && read.last != '"') {
            // It has taken all lines up to the end of the file.
            throw new UserException(
                "Cannot read %s: a quote is not closed, line %d", file.path(), line);
          }
          return null;
        }
        line = next;
        spansLines = cells.length > 0 && StringUtils.containsAny(cells[cells.length - 1], "\n\r");
        boolean headed = first && !header.isEmpty();
        first = false;
        return headed ? RawRecord.nothing() : decoded(cells);
      } catch (TextParsingException e) {
        if (ExceptionUtils.throwableOfType(e, IOException.class) != null) {
          throw e;
        }
        throw new UserException(
            String.format("Cannot read %s: %s, line %d", file.path(), BROKEN, e.getLineIndex() + 1),
            e);
      }
    }

    private RawRecord decoded(String[] cells) {
      String[] texts = new String[cells.length];
      String reason = null;
      for (int i = 0; i < cells.length; i++) {
        RawRecord cell = cells[i] == null ? RawRecord.nothing() : decoding.part(cells[i]);
        texts[i] = cell.text();
        reason = reason == null ? cell.reason() : reason;
      }
      String raw = String.join(",", texts);
      return reason == null ? row(raw, texts, file.partition()) : new RawRecord(raw, reason);
    }
  }

  /** Remembers the last character that does not end a line. */
  private static final class LastCharacter extends FilterReader {
    private char last;

    LastCharacter(Reader reader) {
      super(reader);
    }

    @Override
    public int read() throws IOException {
      char[] one = new char[1];
      return read(one, 0, 1) < 0 ? -1 : one[0];
    }

    @Override
    public int read(char[] buffer, int offset, int length) throws IOException {
      int read = super.read(buffer, offset, length);
      for (int i = offset + read - 1; i >= offset; i--) {
        if (buffer[i] != '\n' && buffer[i] != '\r') {
          last = buffer[i];
          break;
        }
      }
      return read;
    }
  }

  /** A parser of RFC 4180 that Spark would make. */
  private static CsvParser parser() {
    CsvParserSettings settings = new CsvParserSettings();
    settings.getFormat().setDelimiter(',');
    settings.getFormat().setQuote('"');
    settings.getFormat().setQuoteEscape('"');
    settings.setCommentProcessingEnabled(false);
    settings.setLineSeparatorDetectionEnabled(true);
    settings.setNormalizeLineEndingsWithinQuotes(false);
    settings.setIgnoreLeadingWhitespaces(false);
    settings.setIgnoreTrailingWhitespaces(false);
    settings.setReadInputOnSeparateThread(false);
    settings.setMaxColumns(MOST_COLUMNS);
    settings.setMaxCharsPerColumn(-1);
    settings.setUnescapedQuoteHandling(UnescapedQuoteHandling.STOP_AT_DELIMITER);
    return new CsvParser(settings);
  }
}
