package io.guilomo.config;

/** A key whose values differ between two configurations. */
public record ChangedKey(String key, String before, String now) {

  @Override
  public String toString() {
    return key + " from " + before + " to " + now;
  }
}
