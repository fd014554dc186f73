package io.guilomo.metric;

import java.util.List;

/** How often each class was correct, was predicted, and was predicted correctly. */
final class Confusion {

  private final int records;
  private final long[] gold;

  /** The last entry counts records without an answer. */
  private final long[] predicted;

  private final long[] correct;

  Confusion(List<Scored> records, int classes) {
    this.records = records.size();
    this.gold = new long[classes];
    this.predicted = new long[classes + 1];
    this.correct = new long[classes];
    for (Scored record : records) {
      if (record.gold() >= classes || record.predicted() >= classes) {
        throw new IllegalArgumentException(
            String.format(
                "Cannot count class %d: there are %d classes",
                Math.max(record.gold(), record.predicted()), classes));
      }
      gold[record.gold()]++;
      predicted[record.predicted() == Scored.UNANSWERED ? classes : record.predicted()]++;
      if (record.correct()) {
        correct[record.gold()]++;
      }
    }
  }

  /** {@code (c s − Σ p_k t_k) / √((s² − Σ p_k²)(s² − Σ t_k²))}, 0 if that is 0 / 0. */
  double matthews() {
    double right = 0;
    double both = 0;
    double squaredGold = 0;
    double squaredPredicted = (double) predicted[gold.length] * predicted[gold.length];
    for (int k = 0; k < gold.length; k++) {
      right += correct[k];
      both += (double) predicted[k] * gold[k];
      squaredGold += (double) gold[k] * gold[k];
      squaredPredicted += (double) predicted[k] * predicted[k];
    }
    double all = (double) records * records;
    double spread = Math.sqrt(all - squaredPredicted) * Math.sqrt(all - squaredGold);
    return spread == 0 ? 0 : (right * records - both) / spread;
  }

  /** {@code 2 TP / (2 TP + FP + FN)} of one class; 0 if the class does not occur. */
  double f1(int k) {
    long occurrences = gold[k] + predicted[k];
    return occurrences == 0 ? 0 : 2.0 * correct[k] / occurrences;
  }

  double macroF1() {
    double sum = 0;
    int occurring = 0;
    for (int k = 0; k < gold.length; k++) {
      if (gold[k] + predicted[k] > 0) {
        sum += f1(k);
        occurring++;
      }
    }
    return sum / occurring;
  }
}
