package io.guilomo.spark.report;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.guilomo.config.GuilomoConfig;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.spark.sql.Row;

/** The settings of the jobs. */
final class SettingsSection implements ReportSection {

  private static final ObjectMapper JSON = new ObjectMapper();

  @Override
  public Optional<Html> of(RunTables tables) {
    List<Row> rows = tables.jobs();
    if (rows.isEmpty()) {
      return Optional.empty();
    }
    Map<String, String> defaults = recorded(GuilomoConfig.load(null, List.of()).asJson());
    // Key to value to jobs.
    Map<String, Map<String, List<String>>> settings = new TreeMap<>();
    for (Row row : rows) {
      recorded(row.getAs("config_json"))
          .forEach(
              (key, value) ->
                  settings
                      .computeIfAbsent(key, name -> new LinkedHashMap<>())
                      .merge(value, List.of(row.<String>getAs("job")), SettingsSection::both));
    }
    Map<String, String> shown = new TreeMap<>();
    settings.forEach((key, values) -> shown.put(key, text(values)));
    Map<String, String> changed = new TreeMap<>(shown);
    changed.entrySet().removeIf(entry -> entry.getValue().equals(defaults.get(entry.getKey())));
    Html html = ReportSection.begin("Settings");
    table(html, "Settings that differ from the defaults", changed);
    html.open("details").element("summary", "All settings");
    table(html, "All settings", shown);
    return Optional.of(html.close("details").close("section"));
  }

  private static List<String> both(List<String> jobs, List<String> more) {
    return Stream.concat(jobs.stream(), more.stream()).toList();
  }

  /** The value; if jobs differ, every value with its jobs. */
  private static String text(Map<String, List<String>> values) {
    return values.size() == 1
        ? values.keySet().iterator().next()
        : values.entrySet().stream()
            .map(value -> value.getKey() + " (" + String.join(", ", value.getValue()) + ")")
            .collect(Collectors.joining("; "));
  }

  private static void table(Html html, String caption, Map<String, String> settings) {
    html.open("div", "class", "scroll").open("table", "class", "settings");
    html.element("caption", caption).open("tbody");
    settings.forEach(
        (key, value) -> {
          html.open("tr").element("th", key, "scope", "row");
          html.open("td").element("code", value).close("td").close("tr");
        });
    html.close("tbody").close("table").close("div");
  }

  /** The recorded values by key, without the root of the configuration: {@code search.epochs}, … */
  static Map<String, String> recorded(String json) {
    Map<String, String> values = new TreeMap<>();
    try {
      flatten("", JSON.readTree(json).path("guilomo"), values);
    } catch (JsonProcessingException e) {
      values.put("configuration", json);
    }
    return values;
  }

  private static void flatten(String path, JsonNode node, Map<String, String> values) {
    if (!node.isObject()) {
      values.put(path, node.isTextual() ? node.textValue() : node.toString());
      return;
    }
    node.fields()
        .forEachRemaining(
            field ->
                flatten(
                    path.isEmpty() ? field.getKey() : path + "." + field.getKey(),
                    field.getValue(),
                    values));
  }
}
