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
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Classifies sentences and pairs of sentences. */
final class ClassPredictor implements Predictor {

  private final LabelSet labels;
  private final RecordEncoder encoder;
  private final Classifier classifier;

  ClassPredictor(AdapterDescription description, LoraMoeNetwork network, TextEncoder tokenizer) {
    this.labels = new LabelSet(description.labels());
    this.encoder =
        new RecordEncoder(
            tokenizer, RecordEncoder.Options.classification(description.maxLength(), labels));
    this.classifier = new Classifier(network);
  }

  @Override
  public List<Answer> answer(List<TextRecord> records) {
    List<Example> examples =
        records.stream()
            .map(record -> encoder.encodeInput(record).example().orElseThrow())
            .toList();
    double[][] probabilities = classifier.probabilities(TokenBatch.of(examples));
    List<Answer> answers = new ArrayList<>();
    for (int i = 0; i < records.size(); i++) {
      answers.add(answer((TextRecord.Labelled) records.get(i), probabilities[i]));
    }
    return answers;
  }

  private Answer answer(TextRecord.Labelled record, double[] probabilities) {
    Map<String, Double> byLabel = new LinkedHashMap<>();
    int best = 0;
    for (int c = 0; c < probabilities.length; c++) {
      byLabel.put(labels.labels().get(c), probabilities[c]);
      best = probabilities[c] > probabilities[best] ? c : best;
    }
    Map<String, Scored> scores =
        record.label() == null || !labels.labels().contains(record.label())
            ? Map.of()
            : Map.of(Answer.CLASSIFICATION, Scored.of(probabilities, labels.index(record.label())));
    return new Answer(labels.labels().get(best), byLabel, null, scores, Double.NaN);
  }
}
