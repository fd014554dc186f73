package io.guilomo.template;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.guilomo.golden.TokenizerDirectories;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Templates give, byte for byte, what Jinja gives under transformers' settings; {@code
 * chat/make_expected.py} has written what that is.
 */
class TestTemplate {

  private static final ObjectMapper JSON =
      new ObjectMapper().enable(DeserializationFeature.USE_LONG_FOR_INTS);

  private static final Clock CLOCK =
      Clock.fixed(Instant.parse("2024-07-26T10:00:00Z"), ZoneOffset.UTC);

  static Stream<JsonNode> language() throws IOException {
    return cases("language.json");
  }

  static Stream<JsonNode> families() throws IOException {
    return cases("expected.json");
  }

  @ParameterizedTest
  @MethodSource("language")
  void speaksJinja(JsonNode expected) throws IOException {
    Map<String, Object> variables = new HashMap<>(variables("multi-turn with system", false));
    variables.keySet().removeAll(List.of("tools", "documents", "add_generation_prompt"));
    check(expected, expected.path("template").textValue(), variables);
  }

  @ParameterizedTest
  @MethodSource("families")
  void rendersTheTemplatesOfFamilies(JsonNode expected) throws IOException {
    check(
        expected,
        text(expected.path("template").textValue()),
        variables(expected.path("record").textValue(), expected.path("prompt").booleanValue()));
  }

  /** Of Llama 3 and Qwen 3, which are not part of this project. */
  @ParameterizedTest
  @ValueSource(strings = {"llama3", "qwen3"})
  void rendersTheTemplatesThatTheModelsShip(String name) throws Exception {
    JsonNode settings =
        new ObjectMapper()
            .readTree(TokenizerDirectories.require(name).resolve("tokenizer_config.json").toFile());
    Template template = Template.parse(settings.path("chat_template").textValue());
    int compared = 0;
    for (JsonNode expected : cases("digests.json").toList()) {
      if (expected.path("directory").textValue().equals(name)) {
        String record = expected.path("record").textValue();
        boolean prompt = expected.path("prompt").booleanValue();
        String text = template.render(variables(record, prompt), CLOCK).text();
        byte[] digest =
            MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
        assertThat(HexFormat.of().formatHex(digest))
            .as(record)
            .isEqualTo(expected.path("sha256").textValue());
        compared++;
      }
    }
    assertThat(compared).isGreaterThan(20);
  }

  @Test
  void namesTheLineThatCannotBeParsed() {
    assertFails("a\nb {{ x | nothing }}", 2, "there is no filter nothing");
    assertFails("{% if x %}\n\n{% include 'f' %}{% endif %}", 3, "tag include is unknown or not");
    assertFails("{% for x in y %}\n", 1, "endfor is missing");
    assertFails("{{ 'a }}", 1, "unexpected character '''");
    assertFails("\n{{ (1 }}", 2, "unexpected '}'");
    assertFails("{{ " + "(".repeat(1000) + "1" + ")".repeat(1000) + " }}", 1, "nested more than");
    assertFails("{% if 1 %}".repeat(500), 1, "tags are nested more than 100 levels deep");
  }

  @Test
  void namesTheLineThatCannotBeRendered() {
    assertFails("a\n\n{{ x.y }}", 3, "'x' is undefined");
    assertFails("{% for i in [1] %}\n{{ 'a' + i }}{% endfor %}", 2, "cannot add a string and a");
    assertThatThrownBy(() -> render("\n{{ raise_exception('no ' + 'way') }}"))
        .isInstanceOfSatisfying(
            TemplateException.class,
            e -> {
              assertThat(e.isRaised()).isTrue();
              assertThat(e.line()).isEqualTo(2);
            })
        .hasMessage("no way");
  }

  /** A template may be anybody's. */
  @Test
  void boundsWhatATemplateTakes() {
    String large = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}";
    assertFails(large, 1, "it takes more than 4000000 steps");
    assertFails("{{ 'x' * 99999999999 }}", 1, "a text has more than 4194304 characters");
    assertFails("{{ range(10 ** 9) }}", 1, "a list has more than 100000 elements");
    String doubling = "{% set ns = namespace(x='abc') %}{% for i in range(99) %}";
    assertFails(
        doubling + "{% set ns.x = ns.x + ns.x %}{% endfor %}", 1, "a text has more than 4194304");
    assertFails(
        doubling + "{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x == ns.x|list }}",
        1,
        "it takes more than");
    assertFails(doubling + "{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x }}", 1, "more than");
    assertFails(
        doubling + "{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x | tojson }}", 1, "more than");
    assertFails("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", 1, "macros call each other");
    assertFails("{{ ('x' * 4000000).replace('x', 'y' * 4000000) }}", 1, "a text has more than");
    assertFails("{{ ['x' * 4000000] * 3 }}", 1, "cannot multiply a list and a number");
  }

  @Test
  void reachesNothingOfJava() {
    assertFails("{{ ''.getClass() }}", 1, "a string has no method getClass");
    assertFails("{{ messages.getClass() }}", 1, "'messages' is undefined");
    assertFails("{{ [].getClass() }}", 1, "a list has no method getClass");
    assertFails("{{ {}.class.forName('x') }}", 1, "a mapping has no element class");
    assertFails("{{ range.getClass() }}", 1, "a function has no method getClass");
    assertFails("{{ namespace().getClass() }}", 1, "an object has no method getClass");
    assertFails("{% set x = [] %}{{ x.append(1) }}", 1, "a template may not change a list");
    assertThat(render("{{ ''.class }}{{ [].class }}{{ {}.class }}")).isEmpty();
  }

  /** One {@code loop} per loop, and variables that end with each element. */
  @Test
  void loopsLikeJinja() {
    assertThat(
            render(
                "{% for a in [1, 2] %}{% set outer = loop %}{% for b in 'xyx' if b != 'y' %}"
                    + "{{ outer.index }}{{ loop.index0 }}{{ loop.cycle('p', 'q') }}{{ b }} "
                    + "{% endfor %}{{ loop.last }};{% endfor %}"))
        .isEqualTo("10px 11qx False;20px 21qx True;");
    assertThat(
            render(
                "{% for a in [1, 1, 2] %}{{ v }}{% set v = a %}{{ v }}"
                    + "{{ loop.changed(a) }} {% endfor %}{{ v }}{{ loop }}{{ a }}"))
        .isEqualTo("1True 1False 2True ");
    assertThat(render("{% for a in [3] %}{% set a = a + 1 %}{{ a }}{% else %}no{% endfor %}"))
        .isEqualTo("4");
    assertThat(render("{% for a in [3] if a > 3 %}{{ a }}{% else %}{{ a }}no{% endfor %}"))
        .isEqualTo("no");
  }

  @Test
  void marksWhatIsGenerated() {
    Template template =
        Template.parse(
            "{% for m in ['a', 'b'] %}<{% generation %}{{ m }}!{% endgeneration %}>{% endfor %}");
    assertThat(template.marksGenerated()).isTrue();
    Template.Rendering rendering = template.render(Map.of(), CLOCK);
    assertThat(rendering.text()).isEqualTo("<a!><b!>");
    assertThat(rendering.generated())
        .containsExactly(new Template.Span(1, 3), new Template.Span(5, 7));
  }

  private static void check(JsonNode expected, String template, Map<String, Object> variables) {
    if (expected.has("error")) {
      assertThatThrownBy(() -> Template.parse(template).render(variables, CLOCK))
          .isInstanceOfSatisfying(
              TemplateException.class,
              e -> {
                assertThat(e.line()).isPositive();
                if (e.isRaised()) {
                  assertThat(e).hasMessage(expected.path("error").textValue());
                }
              });
    } else {
      assertThat(Template.parse(template).render(variables, CLOCK).text())
          .isEqualTo(expected.path("text").textValue());
    }
  }

  private static void assertFails(String template, int line, String message) {
    assertThatThrownBy(() -> render(template))
        .isInstanceOfSatisfying(TemplateException.class, e -> assertThat(e.line()).isEqualTo(line))
        .hasMessageContaining(message);
  }

  private static String render(String template) {
    return Template.parse(template).render(Map.of(), CLOCK).text();
  }

  private static Map<String, Object> variables(String record, boolean prompt) throws IOException {
    for (JsonNode candidate : JSON.readTree(text("records.json"))) {
      if (candidate.path("name").textValue().equals(record)) {
        Map<String, Object> variables = new HashMap<>();
        variables.put("messages", JSON.convertValue(candidate.path("messages"), List.class));
        variables.put("tools", JSON.convertValue(candidate.get("tools"), List.class));
        variables.put("documents", null);
        variables.put("add_generation_prompt", prompt);
        variables.put("bos_token", "<s>");
        variables.put("eos_token", "</s>");
        return variables;
      }
    }
    throw new IllegalArgumentException(record);
  }

  private static Stream<JsonNode> cases(String file) throws IOException {
    return StreamSupport.stream(JSON.readTree(text(file)).spliterator(), false);
  }

  private static String text(String file) throws IOException {
    try (InputStream in = TestTemplate.class.getResourceAsStream("/chat/" + file)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }
}
