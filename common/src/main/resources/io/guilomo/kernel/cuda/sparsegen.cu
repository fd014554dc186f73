// Routing by sparsegen (arXiv 2509.25684, section 3): a thread a token, in 64 bits. Sparsegen.java says what it computes.

#define TOKENS_OF_BLOCK 128
#define SHIFT 0.99

__device__ __forceinline__ double lambda_of(double z) { return fmin(z, 0.0) - log1p(exp(-fabs(z))) + SHIFT; }

__device__ __forceinline__ double logit_of(const float* logits, const float* mask, int e) {
  return (double)logits[e] + (mask == 0 ? 0 : mask[e]);
}

__device__ __forceinline__ int used_of(const int* chosen, int experts) {
  int used = 1;
  while (used < experts && chosen[used] >= 0) used++;
  return used;
}

// How many of the experts, in the order of their logits, have a positive weight.
__device__ __forceinline__ int support(const float* logits, const float* mask, const int* order, int experts,
                                       double lambda) {
  int used = 1;
  double sum = logit_of(logits, mask, order[0]);
  while (used < experts) {
    double next = logit_of(logits, mask, order[used]);
    if (!(1 - lambda + (used + 1) * next > sum + next)) break;
    sum += next;
    used++;
  }
  return used;
}

// The largest logit after the one at an index, the lowest index first among equals; the largest of all after none (−1).
__device__ __forceinline__ double largest_after(const float* logits, const float* mask, int experts, double bound,
                                                int after, int* index) {
  double best = 0;
  *index = -1;
  for (int e = 0; e < experts; e++) {
    double value = logit_of(logits, mask, e);
    bool smaller = after < 0 || value < bound || (value == bound && e > after);
    if (smaller && (*index < 0 || value > best)) {
      best = value;
      *index = e;
    }
  }
  return best;
}

extern "C" __global__ void sparsegen(const float* logits, long long stride, const float* mask, const float* z,
                                     long long z_stride, int tokens, int experts, int target, int replay, int* choice,
                                     float* weights, long long w_stride, float* shortfall, long long s_stride,
                                     double* partial) {
  int t = blockIdx.x * TOKENS_OF_BLOCK + threadIdx.x;
  if (t < tokens) {
    const float* logit = logits + t * stride;
    float* w = weights + t * w_stride;
    int* chosen = choice + (long long)t * experts;
    double lambda = lambda_of(z[t * z_stride]);
    if (!replay) {
      for (int e = 0; e < experts; e++) {
        int position = e;
        for (; position > 0 && logit_of(logit, mask, chosen[position - 1]) < logit_of(logit, mask, e); position--) {
          chosen[position] = chosen[position - 1];
        }
        chosen[position] = e;
      }
      int used = support(logit, mask, chosen, experts, lambda);
      for (int slot = used; slot < experts; slot++) chosen[slot] = -1;
    }
    int used = used_of(chosen, experts);
    double sum = 0;
    double all = 0;
    for (int slot = 0; slot < used; slot++) sum += logit_of(logit, mask, chosen[slot]);
    for (int e = 0; e < experts; e++) all += logit_of(logit, mask, e);
    // Not a number if a logit is.
    for (int e = 0; e < experts; e++) w[e] = all == all ? 0 : (float)all;
    double threshold = (sum - 1 + lambda) / used;
    for (int slot = 0; slot < used; slot++) {
      w[chosen[slot]] += (float)((logit_of(logit, mask, chosen[slot]) - threshold) / (1 - lambda));
    }
    // A replayed choice is not in the order of these logits.
    double lacking = 0;
    if (target < experts) {
      double values = 0;
      double bound = 0;
      int index = -1;
      for (int j = 0; j < target; j++) {
        bound = largest_after(logit, mask, experts, bound, index, &index);
        values += bound;
      }
      lacking = 1 - (values - target * largest_after(logit, mask, experts, bound, index, &index)) - lambda;
    }
    shortfall[t * s_stride] = (float)fmax(0.0, lacking);
  }
  __syncthreads();
  int first = blockIdx.x * TOKENS_OF_BLOCK;
  int end = min(tokens, first + TOKENS_OF_BLOCK);
  for (int i = threadIdx.x; i < experts + 1; i += blockDim.x) {
    double sum = 0;
    if (i < experts) {
      for (long long slot = (long long)first * experts; slot < (long long)end * experts; slot++) sum += choice[slot] == i;
    } else {
      for (int token = first; token < end; token++) sum += shortfall[token * s_stride];
    }
    partial[(long long)blockIdx.x * (experts + 1) + i] = sum;
  }
}

extern "C" __global__ void sparsegen_backward(const float* d_weights, long long dw_stride, const float* d_shortfall,
                                              const float* z, long long z_stride, int tokens, int experts,
                                              const int* choice, const float* weights, long long w_stride,
                                              const float* shortfall, long long s_stride, float* d_logits,
                                              long long stride, float* dz, long long dz_stride) {
  int t = blockIdx.x * blockDim.x + threadIdx.x;
  if (t >= tokens) return;
  const float* dw = d_weights + t * dw_stride;
  const float* w = weights + t * w_stride;
  const int* chosen = choice + (long long)t * experts;
  float* result = d_logits + t * stride;
  double value = z[t * z_stride];
  double lambda = lambda_of(value);
  int used = used_of(chosen, experts);
  double mean = 0;
  double average = 0;
  for (int slot = 0; slot < used; slot++) {
    mean += (double)dw[chosen[slot]] / used;
    average += (double)dw[chosen[slot]] * w[chosen[slot]];
  }
  for (int e = 0; e < experts; e++) result[e] = 0;
  for (int slot = 0; slot < used; slot++) {
    result[chosen[slot]] = (float)((dw[chosen[slot]] - mean) / (1 - lambda));
  }
  double d_lambda = (average - mean) / (1 - lambda) - (shortfall[t * s_stride] > 0 ? d_shortfall[0] : 0);
  dz[t * dz_stride] += (float)(d_lambda / (1 + exp(value)));
}
