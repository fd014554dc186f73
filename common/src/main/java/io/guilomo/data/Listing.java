package io.guilomo.data;

import java.util.Collection;
import java.util.Locale;
import java.util.stream.Collectors;

/** Names in a message, of which there may be thousands. */
public final class Listing {

  private static final int CHARACTERS = 60;

  private Listing() {}

  /** The first names, each of at most 60 characters, and how many more there are. */
  public static String of(Collection<String> names, int most) {
    String first =
        names.stream().limit(most).map(Listing::shortened).collect(Collectors.joining(", "));
    return names.size() <= most
        ? first
        : String.format(Locale.ROOT, "%s, … (%,d more)", first, names.size() - most);
  }

  /** At most 60 characters of a text, on one line. */
  public static String shortened(String text) {
    String line = text.replaceAll("\\R", " ");
    return line.length() > CHARACTERS ? line.substring(0, CHARACTERS) + "…" : line;
  }
}
