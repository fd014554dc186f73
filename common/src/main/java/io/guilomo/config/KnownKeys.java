package io.guilomo.config;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigObject;
import com.typesafe.config.ConfigUtil;
import com.typesafe.config.ConfigValue;
import com.typesafe.config.ConfigValueType;
import io.guilomo.model.UserException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import org.apache.commons.lang3.StringUtils;

/** The keys that {@code reference.conf} documents; there are no others. */
record KnownKeys(Config reference) {

  /** Whether the value of a key is text, which {@code --set} takes literally. */
  boolean isText(String path) {
    return reference.hasPath(path)
        && reference.getValue(path).valueType() == ConfigValueType.STRING;
  }

  /**
   * Checks that every key exists and that sections are sections.
   *
   * @throws UserException naming the nearest known key
   */
  void check(Config given) {
    for (String section : reference.getObject(GuilomoConfig.ROOT).keySet()) {
      if (given.root().containsKey(section)) {
        throw unknown(section, GuilomoConfig.ROOT + "." + section);
      }
    }
    ConfigValue root = given.root().get(GuilomoConfig.ROOT);
    if (root != null) {
      check(List.of(GuilomoConfig.ROOT), root, reference.getObject(GuilomoConfig.ROOT));
    }
  }

  private void check(List<String> path, ConfigValue given, ConfigObject known) {
    if (!(given instanceof ConfigObject object)) {
      throw new UserException(
          "Cannot use %s = %s: must be a section", ConfigUtil.joinPath(path), given.unwrapped());
    }
    for (Map.Entry<String, ConfigValue> entry : object.entrySet()) {
      List<String> key = new ArrayList<>(path);
      key.add(entry.getKey());
      ConfigValue expected = known.get(entry.getKey());
      if (expected == null) {
        throw unknown(ConfigUtil.joinPath(key), nearest(ConfigUtil.joinPath(key)));
      }
      if (expected instanceof ConfigObject section) {
        check(key, entry.getValue(), section);
      }
    }
  }

  String nearest(String path) {
    List<String> paths = new ArrayList<>();
    collect(GuilomoConfig.ROOT, reference.getObject(GuilomoConfig.ROOT), paths);
    return paths.stream()
        .min(Comparator.comparingInt(known -> distance(path, known)))
        .orElseThrow();
  }

  static UserException unknown(String key, String nearest) {
    return new UserException(
        "Cannot use configuration key %s: unknown; did you mean %s?", key, nearest);
  }

  private static void collect(String path, ConfigObject object, List<String> paths) {
    for (Map.Entry<String, ConfigValue> entry : object.entrySet()) {
      String key = path + "." + entry.getKey();
      paths.add(key);
      if (entry.getValue() instanceof ConfigObject section) {
        collect(key, section, paths);
      }
    }
    paths.sort(null);
  }

  // commons-text, to which it has moved, is not on the class path.
  @SuppressWarnings("deprecation")
  private static int distance(String left, String right) {
    return StringUtils.getLevenshteinDistance(left, right);
  }
}
