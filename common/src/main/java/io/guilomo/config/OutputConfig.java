package io.guilomo.config;

import io.guilomo.model.ConstantName;
import io.guilomo.model.UserException;

/**
 * Where results go; {@code guilomo.output}.
 *
 * @param dir of runs and Parquet tables
 * @param tables where else the rows of tables go
 * @param catalog the catalog and namespace of those tables, or their directory
 */
public record OutputConfig(String dir, Tables tables, String catalog) {

  /** A format of tables. */
  public enum Tables {
    /** Only the tables in {@link #dir}. */
    PARQUET,
    ICEBERG,
    DELTA;

    @Override
    public String toString() {
      return ConstantName.of(this);
    }
  }

  static OutputConfig of(ConfigSection section) {
    String dir = section.text("dir");
    if (dir.isBlank()) {
      throw section.refuse("dir", "must name a directory");
    }
    Tables tables = section.oneOf("tables", Tables.class);
    String catalog = section.text("catalog").strip();
    if (tables != Tables.PARQUET && catalog.isEmpty()) {
      throw new UserException(
          "Cannot write %s tables without guilomo.output.catalog: set it to their catalog and"
              + " namespace, such as lake.guilomo",
          tables);
    }
    return new OutputConfig(dir, tables, catalog);
  }
}
