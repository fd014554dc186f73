package io.guilomo.family.mistral;

import io.guilomo.family.Architectures;
import io.guilomo.family.llama.DecoderParser;
import io.guilomo.family.llama.LlamaShaped;
import io.guilomo.io.ConfigJson;
import io.guilomo.network.BackboneConfig;
import java.util.Collections;
import java.util.Set;

/** Mistral (arXiv 2310.06825): a LLaMA with a sliding window. */
public final class MistralFamily implements LlamaShaped {

  /** What absent keys mean to Hugging Face's {@code MistralConfig}. */
  private static final DecoderParser.Defaults DEFAULTS =
      new DecoderParser.Defaults(8, 0, 4096 * 32, 1e-6);

  private static final int WINDOW = 4096;

  @Override
  public String name() {
    return "mistral";
  }

  @Override
  public String covers() {
    return "decoders: Mistral";
  }

  @Override
  public Set<String> architectures() {
    return Architectures.DECODERS.of("Mistral");
  }

  @Override
  public BackboneConfig parse(ConfigJson json) {
    int window = window(json);
    return parse(json, DEFAULTS, layers -> Collections.nCopies(layers, window), Set.of());
  }

  private static int window(ConfigJson json) {
    return json.root().path("sliding_window").isNull()
        ? 0
        : json.positive("sliding_window", WINDOW);
  }
}
