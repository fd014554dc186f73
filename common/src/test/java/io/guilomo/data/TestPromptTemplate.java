package io.guilomo.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class TestPromptTemplate {

  @Test
  void fillsPlaceholdersOnceOnly() {
    TextRecord.Instruction record =
        new TextRecord.Instruction("use {input} and $1", "{instruction}\\", "", null);
    assertThat(PromptTemplate.alpaca().prompt(record))
        .contains(
            "### Instruction:\nuse {input} and $1\n\n### Input:\n{instruction}\\\n\n### Response:\n");
  }

  @Test
  void readsATemplateFile() {
    PromptTemplate template =
        PromptTemplate.fromJson(
            "{\"description\": \"short\", \"prompt_input\": \"{instruction}|{input}>\","
                + " \"prompt_no_input\": \"{instruction}>\", \"response_split\": \">\"}");
    assertThat(template.prompt(new TextRecord.Instruction("a", "b", "", null))).isEqualTo("a|b>");
    assertThat(template.response("a|b> c > d")).isEqualTo("c");
    assertThat(template.response(" c ")).isEqualTo("c");
  }

  @Test
  void readsAnswersByAnotherPattern() {
    PromptTemplate template = PromptTemplate.alpaca().withAnswerPattern("#### (-?\\d+)");
    assertThat(template.answer("so 3+4\n#### 7</s>")).contains("7");
    assertThat(template.answer("#### 7 #### 8")).isEmpty();
  }

  @Test
  void refusesAnUnusableTemplate() {
    assertThatThrownBy(() -> PromptTemplate.fromJson("{\"prompt_input\": 1}"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("Cannot read a prompt template: no text prompt_input");
    assertThatThrownBy(() -> PromptTemplate.fromJson("{"))
        .hasMessageStartingWith("Cannot read a prompt template: ");
    assertThatThrownBy(() -> PromptTemplate.alpaca().withAnswerPattern("answer"))
        .hasMessage("Cannot use answer pattern answer: it has no group");
    assertThatThrownBy(() -> PromptTemplate.alpaca().withAnswerPattern("("))
        .hasMessageStartingWith("Cannot use answer pattern (: ");
  }
}
