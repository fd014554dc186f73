// Routing and scaling of experts. Tokens are many and experts few: a thread a token, in 64 bits.

#define TOKENS_OF_BLOCK 128

extern "C" __global__ void route(const float* logits, long long stride, const float* mask, int tokens, int experts,
                                 int top_k, int replay, int* choice, float* probabilities, long long p_stride,
                                 float* weights, long long w_stride, double* partial) {
  int t = blockIdx.x * TOKENS_OF_BLOCK + threadIdx.x;
  if (t < tokens) {
    const float* logit = logits + t * stride;
    float* p = probabilities + t * p_stride;
    float* w = weights + t * w_stride;
    int* chosen = choice + (long long)t * top_k;
    double largest = NEGATIVE_INFINITY;
    for (int e = 0; e < experts; e++) {
      double value = (double)logit[e] + (mask == 0 ? 0 : mask[e]);
      largest = value > largest ? value : largest;
    }
    double sum = 0;
    for (int e = 0; e < experts; e++) {
      sum += exp((double)logit[e] + (mask == 0 ? 0 : mask[e]) - largest);
    }
    for (int e = 0; e < experts; e++) {
      p[e] = (float)(exp((double)logit[e] + (mask == 0 ? 0 : mask[e]) - largest) / sum);
      w[e] = 0;
    }
    if (!replay) {
      for (int slot = 0; slot < top_k; slot++) {
        int best = -1;
        float most = 0;
        for (int e = 0; e < experts; e++) {
          bool taken = false;
          for (int i = 0; i < slot; i++) {
            taken = taken || chosen[i] == e;
          }
          if (!taken && (best < 0 || p[e] > most)) {
            best = e;
            most = p[e];
          }
        }
        chosen[slot] = best;
      }
    }
    double kept = 0;
    for (int slot = 0; slot < top_k; slot++) kept += p[chosen[slot]];
    for (int slot = 0; slot < top_k; slot++) w[chosen[slot]] = (float)(p[chosen[slot]] / kept);
  }
  __syncthreads();
  int first = blockIdx.x * TOKENS_OF_BLOCK;
  int end = min(tokens, first + TOKENS_OF_BLOCK);
  for (int i = threadIdx.x; i < 2 * experts; i += blockDim.x) {
    double sum = 0;
    if (i < experts) {
      for (int slot = first * top_k; slot < end * top_k; slot++) sum += choice[slot] == i;
    } else {
      for (int token = first; token < end; token++) sum += probabilities[token * p_stride + i - experts];
    }
    partial[(long long)blockIdx.x * 2 * experts + i] = sum;
  }
}

extern "C" __global__ void route_backward(const float* d_weights, long long dw_stride, const float* d_probabilities,
                                          int tokens, int experts, int top_k, const int* choice,
                                          const float* probabilities, long long p_stride, const float* weights,
                                          long long w_stride, float* d_logits, long long stride) {
  int t = blockIdx.x * blockDim.x + threadIdx.x;
  if (t >= tokens) return;
  const float* dw = d_weights + t * dw_stride;
  const float* p = probabilities + t * p_stride;
  const float* w = weights + t * w_stride;
  const int* chosen = choice + (long long)t * top_k;
  float* result = d_logits + t * stride;
  double average = 0;
  double kept = 0;
  for (int slot = 0; slot < top_k; slot++) {
    average += (double)dw[chosen[slot]] * w[chosen[slot]];
    kept += p[chosen[slot]];
  }
  double projection = 0;
  for (int e = 0; e < experts; e++) {
    projection += (d_probabilities == 0 ? 0 : (double)d_probabilities[e]) * p[e];
  }
  for (int slot = 0; slot < top_k; slot++) {
    projection += (dw[chosen[slot]] - average) / kept * p[chosen[slot]];
  }
  for (int e = 0; e < experts; e++) {
    double slope = d_probabilities == 0 ? 0 : d_probabilities[e];
    for (int slot = 0; slot < top_k; slot++) {
      if (chosen[slot] == e) slope += (dw[e] - average) / kept;
    }
    result[e] = (float)(p[e] * (slope - projection));
  }
}

// −Σ p ln p of 128 tokens a block.
extern "C" __global__ void entropy(const float* probabilities, long long stride, int tokens, int experts,
                                   double* partial) {
  __shared__ double scratch[32];
  int t = blockIdx.x * TOKENS_OF_BLOCK + threadIdx.x;
  double sum = 0;
  if (t < tokens) {
    for (int e = 0; e < experts; e++) {
      double p = probabilities[t * stride + e];
      if (p > 0) sum -= p * log(p);
    }
  }
  sum = reduced<Sum>(sum, scratch);
  if (threadIdx.x == 0) partial[blockIdx.x] = sum;
}

extern "C" __global__ void scale_experts(const float* h, long long stride, const float* weights, long long w_stride,
                                         const float* coefficients, const int* expert_of_column, int tokens,
                                         int columns, float* z, long long z_stride) {
  long long t = (long long)blockIdx.x * blockDim.y + threadIdx.y;
  if (t >= tokens) return;
  for (int c = threadIdx.x; c < columns; c += blockDim.x) {
    z[t * z_stride + c] = h[t * stride + c] * weights[t * w_stride + expert_of_column[c]] * coefficients[c];
  }
}

#define TOKENS_OF_SUM 32

// 32 tokens a block: first the gradients of their weights, then column by column what overwrites dz and h.
extern "C" __global__ void scale_experts_backward(float* dz, long long dz_stride, float* h, long long stride,
                                                  int restore_z, const float* weights, long long w_stride,
                                                  const float* coefficients, const int* first_column,
                                                  const int* expert_of_column, int tokens, int experts, int columns,
                                                  float* d_weights, long long dw_stride, double* partial) {
  int first = blockIdx.x * TOKENS_OF_SUM;
  int count = min(TOKENS_OF_SUM, tokens - first);
  for (int i = threadIdx.x; i < count * experts; i += blockDim.x) {
    long long t = first + i / experts;
    int e = i % experts;
    double sum = 0;
    for (int c = first_column[e]; c < first_column[e + 1]; c++) {
      sum += (double)dz[t * dz_stride + c] * h[t * stride + c] * coefficients[c];
    }
    d_weights[t * dw_stride + e] = (float)sum;
  }
  __syncthreads();
  for (int c = threadIdx.x; c < columns; c += blockDim.x) {
    int e = expert_of_column[c];
    float coefficient = coefficients[c];
    double sum = 0;
    for (int i = 0; i < count; i++) {
      long long t = first + i;
      float weight = weights[t * w_stride + e];
      float gradient = dz[t * dz_stride + c];
      float value = h[t * stride + c];
      sum += (double)gradient * value * weight;
      dz[t * dz_stride + c] = gradient * weight * coefficient;
      if (restore_z) h[t * stride + c] = value * weight * coefficient;
    }
    if (partial != 0) partial[(long long)blockIdx.x * columns + c] = sum;
  }
}
