package io.guilomo.family.bert;

import io.guilomo.data.TokenBatch;
import io.guilomo.network.NormedEmbedding;
import io.guilomo.network.NormedEmbedding.Table;
import io.guilomo.network.PassContext;
import java.util.ArrayList;
import java.util.List;

/** Which rows of the tables of positions and segments BERTs add to embedded tokens. */
record BertEmbedding(BertConfig config) {

  static final String POSITIONS = "embedding.positions";
  static final String SEGMENTS = "embedding.segments";

  NormedEmbedding part() {
    List<Table> tables = new ArrayList<>();
    tables.add(new Table(POSITIONS, this::positions));
    if (config.segments() > 0) {
      tables.add(new Table(SEGMENTS, context -> segments(context.batch())));
    }
    return new NormedEmbedding(config, config.epsilon(), tables);
  }

  private int[] positions(PassContext context) {
    int padding = config.padding();
    if (padding < 0) {
      return context.positions();
    }
    TokenBatch batch = context.batch();
    int[] rows = new int[batch.size()];
    for (int i = 0; i < batch.sequences(); i++) {
      int next = padding + 1;
      for (int t = batch.starts()[i]; t < batch.starts()[i + 1]; t++) {
        // RoBERTa does not count padding tokens, even where they are not masked.
        rows[t] = batch.tokens()[t] == padding ? padding : next++;
      }
    }
    return rows;
  }

  /** Models of one segment read every text as that one, whatever their tokenizer says. */
  private int[] segments(TokenBatch batch) {
    return config.segments() == 1 ? new int[batch.size()] : batch.segments();
  }
}
