package io.guilomo.config;

/**
 * The run; {@code guilomo.run}.
 *
 * @param id empty: the job generates one
 */
public record RunConfig(String id, long seed) {

  static RunConfig of(ConfigSection section) {
    String id = section.text("id");
    // The id names a directory and a table partition.
    if (!id.matches("[A-Za-z0-9._-]*") || id.matches("\\.+")) {
      throw section.refuse("id", "must be letters, digits, '.', '_' and '-'");
    }
    return new RunConfig(id, section.whole("seed", Long.MIN_VALUE));
  }
}
