package io.guilomo.config;

/** Where results go; {@code guilomo.output}. */
public record OutputConfig(String dir) {

  static OutputConfig of(ConfigSection section) {
    String dir = section.text("dir");
    if (dir.isBlank()) {
      throw section.refuse("dir", "must name a directory");
    }
    return new OutputConfig(dir);
  }
}
