package io.guilomo.spark.input;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.guilomo.config.ModelConfig.Pooling;
import io.guilomo.data.LabelSet;
import io.guilomo.family.Families;
import io.guilomo.io.ConfigJson;
import io.guilomo.model.ModuleExperts;
import io.guilomo.model.RoutingMethod;
import io.guilomo.network.BackboneConfig;
import io.guilomo.network.NetworkDefinition;
import io.guilomo.network.Stage;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;

class TestClassifierStart {

  private static final String BERT =
      """
      {"architectures":["BertForSequenceClassification"],"hidden_size":8,"intermediate_size":8,"num_hidden_layers":1,
       "num_attention_heads":2,"vocab_size":9,"id2label":{"0":"NEGATIVE","1":"POSITIVE"}}
      """;

  @Test
  void saysWhereTheClassifierStarts() throws IOException {
    assertThat(start(BERT, Pooling.AUTO, "positive", "negative"))
        .hasValue(
            "the classifier starts from the checkpoint's, by the names of its labels:"
                + " positive from POSITIVE, negative from NEGATIVE");
    assertThat(start(BERT, Pooling.HEAD, "0", "1"))
        .hasValue(
            "the classifier starts from the checkpoint's, label by label:"
                + " 0 from NEGATIVE, 1 from POSITIVE");
    assertThat(start(BERT, Pooling.MEAN, "0", "1"))
        .hasValue("the classifier starts at random: model.pooling is mean, not head");
    assertThat(start(BERT, Pooling.AUTO, "0", "1", "2"))
        .hasValue(
            "the classifier starts at random: the checkpoint's has 2 classes, the data have 3");
    String several = BERT.replace("]", "],\"problem_type\":\"multi_label_classification\"");
    assertThat(start(several, Pooling.AUTO, "0", "1"))
        .hasValue(
            "the classifier starts at random: the checkpoint's does not choose one of its classes");
    String base = BERT.replace("ForSequenceClassification", "Model");
    assertThat(start(base, Pooling.AUTO, "0", "1")).isEmpty();
  }

  private static Optional<String> start(String json, Pooling pooling, String... labels)
      throws IOException {
    BackboneConfig config =
        Families.config(new ConfigJson(new ObjectMapper().readTree(json), "config.json"));
    List<ModuleExperts> modules =
        config.linearModules().stream()
            .map(module -> ModuleExperts.uniform(module, 2, 2, 4, RoutingMethod.topK(2)))
            .toList();
    NetworkDefinition network =
        new NetworkDefinition(
            "nowhere", config, Stage.FINE_TUNING, modules, 0, 0, labels.length, pooling, 1);
    ClassifierStart start =
        new ClassifierStart(network, Optional.of(new LabelSet(List.of(labels))));
    if (!network.startsFromPretrainedHead()) {
      assertThat(start.read(new Configuration())).as("nothing is read").isNull();
    }
    return start.describe();
  }
}
