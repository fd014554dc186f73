package io.guilomo.config;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.ConfigObject;
import com.typesafe.config.ConfigRenderOptions;
import com.typesafe.config.ConfigUtil;
import com.typesafe.config.ConfigValue;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/**
 * The table of keys in {@code conf/README.md}, made of {@code reference.conf}. After a change
 * there, {@code mvn -pl common test -Dtest=TestConfigurationTable -Dguilomo.docs.write=true} writes
 * it.
 */
class TestConfigurationTable {

  private static final Path DOCUMENT = Path.of("../conf/README.md");
  private static final String BEGIN = "<!-- keys of reference.conf -->\n";
  private static final String END = "<!-- end of the keys -->\n";

  @Test
  void isThatOfTheDefaults() throws IOException {
    String document = Files.readString(DOCUMENT);
    int begin = document.indexOf(BEGIN) + BEGIN.length();
    int end = document.indexOf(END);
    String expected = table();
    if (Boolean.getBoolean("guilomo.docs.write")) {
      Files.writeString(
          DOCUMENT, document.substring(0, begin) + expected + document.substring(end));
    } else {
      assertThat(document.substring(begin, end)).isEqualTo(expected);
    }
  }

  private static String table() {
    StringBuilder table = new StringBuilder();
    // In the order of the file.
    sections()
        .forEach(
            section -> {
              table.append("\n### `").append(section.getKey()).append("`\n\n");
              table.append("| key | default | |\n|---|---|---|\n");
              List<String[]> rows = new ArrayList<>();
              rows(section.getKey(), (ConfigObject) section.getValue(), rows);
              rows.forEach(
                  row ->
                      table.append(
                          "| `%s` | `%s` | %s |\n"
                              .formatted(row[0], row[1], row[2].replace("|", "\\|"))));
            });
    return table.append('\n').toString();
  }

  private static List<Map.Entry<String, ConfigValue>> sections() {
    return inOrder(GuilomoConfig.reference().getObject(GuilomoConfig.ROOT));
  }

  private static List<Map.Entry<String, ConfigValue>> inOrder(ConfigObject object) {
    return object.entrySet().stream()
        .sorted(Comparator.comparingInt(entry -> entry.getValue().origin().lineNumber()))
        .toList();
  }

  private static void rows(String path, ConfigObject section, List<String[]> rows) {
    for (Map.Entry<String, ConfigValue> entry : inOrder(section)) {
      String key = path + "." + ConfigUtil.joinPath(entry.getKey());
      ConfigValue value = entry.getValue();
      if (value instanceof ConfigObject inner) {
        rows(key, inner, rows);
      } else {
        rows.add(
            new String[] {
              key,
              value.render(ConfigRenderOptions.concise()),
              String.join(" ", value.origin().comments()).strip()
            });
      }
    }
  }
}
