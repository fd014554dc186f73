// Cross-entropy: a block a row.

#define FOR_COLUMNS(c, columns) for (int c = threadIdx.x; c < (columns); c += blockDim.x)

extern "C" __global__ void cross_entropy(float* logits, long long stride, int classes, const int* labels, float scale,
                                         int gradient, float* losses, int* hits) {
  __shared__ double scratch[32];
  __shared__ float scratch32[32];
  __shared__ int indices[32];
  long long r = blockIdx.x;
  float* row = logits + r * stride;
  int label = labels[r];
  float labelled = row[label];
  float largest = NEGATIVE_INFINITY;
  FOR_COLUMNS(c, classes) largest = fmaxf(largest, row[c]);
  largest = reduced<Largest>(largest, scratch32);
  if (!gradient) {
    // The lowest index among equals: the largest of negated ones.
    int first = -classes;
    FOR_COLUMNS(c, classes) {
      if (row[c] == largest) first = max(first, -c);
    }
    first = reduced<Largest>(first, indices);
    if (threadIdx.x == 0) hits[r] = -first == label;
  }
  double sum = 0;
  FOR_COLUMNS(c, classes) {
    float value = expf(row[c] - largest);
    sum += value;
    if (gradient) row[c] = value;
  }
  sum = reduced<Sum>(sum, scratch);
  if (gradient) {
    float factor = (float)(scale / sum);
    FOR_COLUMNS(c, classes) row[c] = row[c] * factor - (c == label ? scale : 0);
  }
  if (threadIdx.x == 0) losses[r] = (float)(log(sum) + largest - labelled);
}

// Adds the sums of all rows to the totals; one block.
extern "C" __global__ void loss_totals(const float* losses, const int* hits, int rows, double* totals) {
  __shared__ double scratch[32];
  double loss = 0;
  double hit = 0;
  for (int r = threadIdx.x; r < rows; r += blockDim.x) {
    loss += losses[r];
    hit += hits == 0 ? 0 : hits[r];
  }
  loss = reduced<Sum>(loss, scratch);
  hit = reduced<Sum>(hit, scratch);
  if (threadIdx.x == 0) {
    totals[0] += loss;
    totals[1] += hit;
  }
}
