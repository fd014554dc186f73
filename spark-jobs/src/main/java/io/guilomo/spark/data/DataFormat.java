package io.guilomo.spark.data;

import io.guilomo.model.UserException;
import java.util.Arrays;
import java.util.Locale;

/** How records lie in files; {@code data.format}. */
public enum DataFormat {
  /** One object a line. */
  JSON("json", "jsonl", "ndjson"),
  PARQUET("parquet"),
  /** Tab-separated, quotes are text. */
  TSV("tsv"),
  /** Comma-separated, with RFC 4180's quotes. */
  CSV("csv");

  private static final String COMPRESSED = "\\.(gz|bz2|zst|snappy)$";

  private final String[] extensions;

  DataFormat(String... extensions) {
    this.extensions = extensions;
  }

  public static DataFormat parse(String name) {
    return Arrays.stream(values())
        .filter(format -> format.toString().equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new UserException(
                    String.format(
                        "Cannot use data format %s: expected one of %s",
                        name, Arrays.toString(values()))));
  }

  /** The format that the name's extension tells. */
  static DataFormat ofFile(String name) {
    String plain = name.toLowerCase(Locale.ROOT).replaceFirst(COMPRESSED, "");
    for (DataFormat format : values()) {
      for (String extension : format.extensions) {
        if (plain.endsWith("." + extension)) {
          return format;
        }
      }
    }
    throw new UserException(
        String.format(
            "Cannot tell the format of %s by its extension: set data.format to one of %s",
            name, Arrays.toString(values())));
  }

  @Override
  public String toString() {
    return extensions[0];
  }
}
