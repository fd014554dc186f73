package io.guilomo.inference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guilomo.data.PromptTemplate;
import io.guilomo.data.WordEncoder;
import io.guilomo.inference.ResponseReader.Response;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class TestResponseReader {

  private final WordEncoder encoder = new WordEncoder();

  @Test
  void textAndAnswer() {
    ResponseReader reader = reader();
    assertThat(reader.read(ended("Answer: The answer is C.")))
        .isEqualTo(new Response("Answer: The answer is C.", "C"));
    assertThat(reader.read(ended("No idea."))).isEqualTo(new Response("No idea.", null));
    assertThat(reader.read(new int[] {2})).isEqualTo(new Response("", null));
  }

  @Test
  void theEndOfTheSequenceMayStandBehindTheLetter() {
    ResponseReader reader = reader();
    assertThat(reader.read(ended("The answer is D")))
        .isEqualTo(new Response("The answer is D", "D"));
    assertThat(reader.read(encoder.encodeBare("The answer is D")))
        .isEqualTo(new Response("The answer is D", null));
  }

  @Test
  void whatFollowsAStopTextIsNotRead() {
    ResponseReader reader = reader("Question:", "\n \n");
    int[] tokens = encoder.encodeBare("The answer is A. Question: x The answer is B.");
    assertThat(reader.read(tokens)).isEqualTo(new Response("The answer is A.", "A"));
    assertThat(reader.ended(tokens)).isTrue();
    assertThat(reader.ended(Arrays.copyOf(tokens, 5))).isTrue();
    assertThat(reader.ended(Arrays.copyOf(tokens, 4))).isFalse();
    assertThat(reader().ended(tokens)).isFalse();
    // Two answers are none.
    assertThat(reader().read(tokens).answer()).isNull();
  }

  @Test
  void aFurtherPromptIsNotRead() {
    assertThat(reader().read(ended("The answer is A. ### Response: The answer is B.")))
        .isEqualTo(new Response("The answer is A.", "A"));
  }

  /** The text is what a pattern sees, and not the token that ends it. */
  @Test
  void aPatternMayTakeAllThatFollows() {
    ResponseReader all = reader(PromptTemplate.alpaca().withAnswerPattern("#### (.*)"), "stop");
    assertThat(all.read(ended("so 3+4 #### 18"))).isEqualTo(new Response("so 3+4 #### 18", "18"));
    assertThat(all.read(encoder.encodeBare("#### 18")).answer()).isEqualTo("18");
    assertThat(all.read(encoder.encodeBare("#### 18 stop it")).answer()).isEqualTo("18");
    assertThat(all.read(ended("####")).answer()).isNull();
    ResponseReader last = reader(PromptTemplate.alpaca().withAnswerPattern("(\\d+)$"));
    assertThat(last.read(ended("3 or 18")).answer()).isEqualTo("18");
  }

  @Test
  void theTurnsEndMayStandBehindTheLetter() {
    assertThat(reader("[end]").read(encoder.encodeBare("The answer is D [end]")))
        .isEqualTo(new Response("The answer is D", "D"));
  }

  /** Not every token that ends a response is a special one. */
  @Test
  void theTokenThatEndsAResponseIsNoneOfIt() {
    int[] tokens = encoder.encodeBare("#### 18 [end]");
    PromptTemplate template = PromptTemplate.alpaca().withAnswerPattern("#### (.*)");
    ResponseReader reader =
        new ResponseReader(encoder, template, List.of(), Set.of(tokens[tokens.length - 1]));
    assertThat(reader.read(tokens)).isEqualTo(new Response("#### 18", "18"));
  }

  @Test
  void anEmptyStopText() {
    assertThatThrownBy(() -> reader("x", ""))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("Cannot stop at an empty text");
  }

  private ResponseReader reader(String... stops) {
    return reader(PromptTemplate.alpaca(), stops);
  }

  private ResponseReader reader(PromptTemplate template, String... stops) {
    return new ResponseReader(
        encoder, template, List.of(stops), Set.of(encoder.eos().orElseThrow()));
  }

  private int[] ended(String text) {
    int[] bare = encoder.encodeBare(text);
    int[] tokens = Arrays.copyOf(bare, bare.length + 1);
    tokens[bare.length] = encoder.eos().orElseThrow();
    return tokens;
  }
}
