package io.guilomo.config;

import java.util.regex.Pattern;

/**
 * The run; {@code guilomo.run}.
 *
 * @param id matches {@link #ID}; empty: the job generates one
 */
public record RunConfig(String id, long seed) {

  /** Ids of runs, which name directories and partitions of tables. */
  public static final Pattern ID = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,127}");

  static RunConfig of(ConfigSection section) {
    String id = section.text("id");
    if (!id.isEmpty() && !ID.matcher(id).matches()) {
      throw section.refuse(
          "id",
          "must be at most 128 letters, digits, '.', '_' and '-', the first a letter or digit");
    }
    return new RunConfig(id, section.whole("seed", Long.MIN_VALUE));
  }
}
