package io.guilomo.model;

import java.io.Serializable;

/**
 * Where records come from.
 *
 * @param text the path, the table's name or the query; blank if none is given
 */
public record RecordSource(Kind kind, String text) implements Serializable {

  private static final int CHARACTERS = 60;

  /** What the text of a source is. */
  public enum Kind {
    /** A file, directory or pattern. */
    PATH,
    /** A name that {@code spark.table} takes, such as {@code catalog.schema.table}. */
    TABLE,
    /** A query in Spark SQL. */
    QUERY
  }

  public static RecordSource path(String path) {
    return new RecordSource(Kind.PATH, path);
  }

  public boolean isBlank() {
    return text.isBlank();
  }

  /** Whether it names files. */
  public boolean isPath() {
    return kind == Kind.PATH;
  }

  /** The source in a message, on one line: a path as it is, the first 60 characters of a query. */
  public String name() {
    return switch (kind) {
      case PATH -> text;
      case TABLE -> "table " + text;
      case QUERY -> "query " + shortened();
    };
  }

  private String shortened() {
    String line = text.strip().replaceAll("\\s+", " ");
    return line.length() > CHARACTERS ? line.substring(0, CHARACTERS) + "…" : line;
  }
}
