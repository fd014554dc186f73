package io.guilomo.spark.data;

import io.guilomo.model.ConstantName;
import io.guilomo.model.UserException;
import java.util.Arrays;
import java.util.Locale;
import java.util.regex.Pattern;

/** File formats of records; {@code data.format}. */
public enum DataFormat {
  /** One object per line. */
  JSON("json", "jsonl", "ndjson"),
  PARQUET("parquet"),
  /** Tab-separated; quotes have no special meaning. */
  TSV("tsv"),
  /** Comma-separated, with quotes as in RFC 4180. */
  CSV("csv");

  private static final Pattern LINES =
      Pattern.compile("\\.(jsonl|ndjson)(\\.(gz|bz2|zst|snappy))?$", Pattern.CASE_INSENSITIVE);
  private static final String COMPRESSED = "\\.(gz|bz2|zst|snappy)$";

  private final String[] extensions;

  DataFormat(String... extensions) {
    this.extensions = extensions;
  }

  public static DataFormat parse(String name) {
    return ConstantName.find(DataFormat.class, name)
        .orElseThrow(
            () ->
                new UserException(
                    "Cannot use data format %s: expected one of %s",
                    name, Arrays.toString(values())));
  }

  /** The format that belongs to the extension of a file name. */
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
        "Cannot tell the format of %s by its extension: set data.format to one of %s",
        name, Arrays.toString(values()));
  }

  /** Whether the extension of a file in JSON says that it has one object per line. */
  static boolean isOfLines(String name) {
    return LINES.matcher(name).find();
  }

  @Override
  public String toString() {
    return extensions[0];
  }
}
