package io.guilomo.inference;

import io.guilomo.adapter.AdapterDescription;
import io.guilomo.data.Example;
import io.guilomo.data.LabelSet;
import io.guilomo.data.RecordEncoder;
import io.guilomo.data.TextEncoder;
import io.guilomo.data.TextRecord;
import io.guilomo.data.TokenBatch;
import io.guilomo.metric.Scored;
import io.guilomo.network.LoraMoeNetwork;
import io.guilomo.uncertainty.Predictive;
import io.guilomo.uncertainty.Probabilities;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Classifies sentences and pairs of sentences. Scores and confidences are those of the trained
 * weights; prediction and probabilities are what the predictive makes of them.
 */
final class ClassPredictor implements Predictor {

  private final LabelSet labels;
  private final RecordEncoder encoder;
  private final Classifier classifier;
  private final Predictive predictive;

  ClassPredictor(
      AdapterDescription description,
      LoraMoeNetwork network,
      TextEncoder tokenizer,
      Predictive predictive) {
    this.labels = new LabelSet(description.labels());
    this.encoder =
        new RecordEncoder(
            tokenizer, RecordEncoder.Options.classification(description.maxLength(), labels));
    this.classifier = new Classifier(network);
    this.predictive = predictive;
  }

  @Override
  public List<Answer> answer(List<TextRecord> records) {
    List<Example> examples =
        records.stream()
            .map(record -> encoder.encodeInput(record).example().orElseThrow())
            .toList();
    List<Classifier.Output> outputs = classifier.outputs(TokenBatch.of(examples));
    List<Answer> answers = new ArrayList<>();
    for (int i = 0; i < records.size(); i++) {
      answers.add(answer((TextRecord.Labelled) records.get(i), outputs.get(i)));
    }
    return answers;
  }

  private Answer answer(TextRecord.Labelled record, Classifier.Output output) {
    double[] trained = output.probabilities();
    double[] probabilities = predictive.probabilities(output.logits(), output.features());
    Map<String, Double> byLabel = new LinkedHashMap<>();
    for (int c = 0; c < probabilities.length; c++) {
      byLabel.put(labels.labels().get(c), probabilities[c]);
    }
    int best = Probabilities.largest(probabilities);
    Map<String, Scored> scores =
        record.label() == null || !labels.labels().contains(record.label())
            ? Map.of()
            : Map.of(Answer.CLASSIFICATION, Scored.of(trained, labels.index(record.label())));
    return new Answer(
        labels.labels().get(best),
        byLabel,
        null,
        scores,
        Map.of(Answer.CLASSIFICATION, trained[Probabilities.largest(trained)]),
        Double.NaN);
  }
}
