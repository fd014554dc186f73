package io.guilomo.network;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.guilomo.config.ModelConfig.Pooling;
import io.guilomo.family.Families;
import io.guilomo.family.FrozenMemory;
import io.guilomo.family.ModelReader;
import io.guilomo.io.ConfigJson;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Random;
import java.util.Set;

/** Random models with the heads of sequence classifiers, of three classes, by their config.json. */
public final class TinyEncoders {

  private TinyEncoders() {}

  /** One with its own head: a dense layer with tanh on the first token. */
  public static Backbone roberta() {
    return of(
        """
        {"architectures":["RobertaForSequenceClassification"],"hidden_size":16,"intermediate_size":24,
         "num_hidden_layers":2,"num_attention_heads":4,"vocab_size":11,"max_position_embeddings":34,
         "type_vocab_size":1,"layer_norm_eps":1e-5,"pad_token_id":1,
         "id2label":{"0":"no","1":"yes","2":"perhaps"}}
        """);
  }

  /** One without segments, with a head that cuts at 0 and the approximate GELU. */
  public static Backbone distilBert() {
    return of(
        """
        {"architectures":["DistilBertForSequenceClassification"],"dim":16,"hidden_dim":24,"n_layers":2,"n_heads":4,
         "vocab_size":11,"max_position_embeddings":32,"activation":"gelu_new","num_labels":3}
        """);
  }

  /** Two local layers after a global one; all biases; a head that reads the mean. */
  public static Backbone modernBert() {
    return of(
        """
        {"architectures":["ModernBertForSequenceClassification"],"hidden_size":16,"intermediate_size":12,
         "num_hidden_layers":3,"num_attention_heads":4,"vocab_size":11,"max_position_embeddings":32,
         "local_attention":2,"norm_bias":true,"attention_bias":true,"mlp_bias":true,"classifier_bias":true,
         "classifier_pooling":"mean","num_labels":3}
        """);
  }

  /** A decoder whose head reads the last token that is not 0. */
  public static Backbone llama() {
    return of(
        """
        {"architectures":["LlamaForSequenceClassification"],"hidden_size":16,"intermediate_size":24,
         "num_hidden_layers":2,"num_attention_heads":4,"num_key_value_heads":2,"vocab_size":11,
         "max_position_embeddings":32,"rms_norm_eps":1e-6,"pad_token_id":0,"num_labels":3}
        """);
  }

  /** How a classifier over one can pool, through its own head if it has one and without. */
  public static Set<Pooling> poolings(Backbone backbone) {
    Set<Pooling> poolings = EnumSet.copyOf(backbone.config().poolings());
    if (backbone.config().pretrainedHead() != null) {
      poolings.add(Pooling.HEAD);
    }
    return poolings;
  }

  static Backbone of(String json) {
    Random random = new Random(json.length());
    try {
      BackboneConfig config =
          Families.config(new ConfigJson(new ObjectMapper().readTree(json), "tiny"));
      return ModelReader.make(
          config,
          (piece, target, digest) -> {
            int length = (int) Arrays.stream(piece.shape()).reduce(1, Math::multiplyExact);
            boolean matrix = piece.shape().length > 1;
            // About the size that keeps the states as large as they come in.
            double deviation = matrix ? 1 / Math.sqrt(piece.shape()[1]) : 0.1;
            double mean = matrix || piece.name().endsWith("bias") ? 0 : 1;
            float[] values = new float[length];
            for (int i = 0; i < length; i++) {
              values[i] = (float) (mean + deviation * random.nextGaussian());
            }
            target.put(0, values, length);
          },
          FrozenMemory.host());
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(e);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
