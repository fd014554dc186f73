package io.guilomo.family;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.ServiceLoader;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/**
 * The table of families in README.md is what the families say of themselves. A family has changed:
 * put the expected table of the failing test into README.md.
 */
class TestReadmeFamilies {

  private static final Path README = Path.of("../README.md");
  private static final String HEADER =
      "| `model.family` | models | architectures in `config.json` | modules |";

  @Test
  void theTableIsGenerated() throws IOException {
    List<String> lines = Files.readAllLines(README);
    int first = lines.indexOf(HEADER);
    assertThat(first).as("line of the table's header").isPositive();
    assertThat(
            String.join(
                "\n",
                lines.subList(first, lines.size()).stream()
                    .takeWhile(line -> line.startsWith("|"))
                    .toList()))
        .isEqualTo(String.join("\n", table()));
  }

  private static List<String> table() {
    List<String> rows = new ArrayList<>(List.of(HEADER, "|---|---|---|---|"));
    for (ModelFamily family : ServiceLoader.load(ModelFamily.class)) {
      rows.add(
          "| `%s` | %s | %s | %s |"
              .formatted(
                  family.name(), family.covers(), architectures(family), quoted(family.modules())));
    }
    return rows;
  }

  /** {@code LlamaForCausalLM} and {@code LlamaModel} are {@code Llama…}. */
  private static String architectures(ModelFamily family) {
    return family.architectures().stream()
        .map(name -> name.replaceFirst("(For[A-Z].*|Model)$", "…"))
        .distinct()
        .sorted()
        .map(name -> "`" + name + "`")
        .collect(Collectors.joining(", "));
  }

  private static String quoted(List<String> names) {
    return names.stream().map(name -> "`" + name + "`").collect(Collectors.joining(", "));
  }
}
