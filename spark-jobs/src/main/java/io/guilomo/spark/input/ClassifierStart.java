package io.guilomo.spark.input;

import io.guilomo.data.LabelSet;
import io.guilomo.family.ModelReader;
import io.guilomo.network.NetworkDefinition;
import io.guilomo.network.PretrainedClassifier;
import io.guilomo.network.PretrainedHead;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;

/**
 * Where the classifier of a training starts: from the checkpoint's own, if it has one that fits, or
 * at random.
 *
 * @param labels of the data; empty for a causal language model
 */
public record ClassifierStart(NetworkDefinition network, Optional<LabelSet> labels) {

  /** One line for the user; empty where the checkpoint has no head that could be meant. */
  public Optional<String> describe() {
    PretrainedHead head = network.config().pretrainedHead();
    if (network.classes() == 0 || head == null) {
      return Optional.empty();
    }
    return Optional.of(
        network.startsFromPretrainedHead()
            ? "the classifier starts from the checkpoint's, %s: %s".formatted(matching(), classes())
            : "the classifier starts at random: %s".formatted(misfit(head)));
  }

  private String matching() {
    return order().isPresent() ? "by the names of its labels" : "label by label";
  }

  private String classes() {
    List<String> known = network.config().pretrainedHead().labels();
    List<Integer> order = order().orElse(null);
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < network.classes(); i++) {
      text.append(i == 0 ? "" : ", ")
          .append(labels.orElseThrow().labels().get(i))
          .append(" from ")
          .append(known.get(order == null ? i : order.get(i)));
    }
    return text.toString();
  }

  private String misfit(PretrainedHead head) {
    if (!network.readsThroughPretrainedHead()) {
      return "model.pooling is %s, not head".formatted(network.pooling());
    }
    if (head.classes() != network.classes()) {
      return "the checkpoint's has %d classes, the data have %d"
          .formatted(head.classes(), network.classes());
    }
    return "the checkpoint's does not choose one of its classes";
  }

  /** The checkpoint's class of each label, where both have the same names. */
  private Optional<List<Integer>> order() {
    return labels.flatMap(own -> network.config().pretrainedHead().order(own.labels()));
  }

  /** The values it starts from; null if it starts at random. */
  public PretrainedClassifier read(Configuration conf) throws IOException {
    if (!network.startsFromPretrainedHead()) {
      return null;
    }
    PretrainedClassifier stored = ModelReader.classifier(network.backbone(), conf);
    return order().map(stored::ordered).orElse(stored);
  }
}
