package io.guilomo.spark.report;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class TestHtml {

  @Test
  void wordsAndValuesOfAttributesAreEscaped() {
    Html html = new Html().element("p", "<script>alert('1' & \"2\")</script>", "title", "\"><b>");
    assertThat(html)
        .hasToString(
            "<p title=\"&quot;&gt;&lt;b&gt;\">&lt;script&gt;alert(&#39;1&#39; &amp;"
                + " &quot;2&quot;)&lt;/script&gt;</p>\n");
  }

  @Test
  void controlCharactersAreReplaced() {
    assertThat(new Html().text("a\0b\nc")).hasToString("a\uFFFDb\nc");
  }

  @Test
  void aBarOfNoNumberHasNoLength() {
    assertThat(new Html().bar(0.25))
        .hasToString("<span class=\"bar\" style=\"--share:0.250\"></span>");
    assertThat(new Html().bar(Double.NaN)).asString().contains("--share:0.000");
  }
}
