// Straight-through masks of GuidedSelection Vectors (arXiv 2506.14646, section 3.2): a thread a vector.

#define EXPERTS 0
#define EXPERT_KEPT 0.5f
#define EXPERT_DROPPED -1e4f
#define RANK_DROPPED 1e-4f

// Rounded to 32 bits, as the masks see it: large values are equal there.
__device__ __forceinline__ float soft(float x) { return (float)(1 / (1 + exp(-(double)x))); }

__device__ __forceinline__ int last_in_use(const float* gsvs, int first, int end, bool experts) {
  int best = first;
  for (int i = first + 1; i < end; i++) {
    if (soft(gsvs[i]) > soft(gsvs[best])) best = i;
  }
  return experts ? max(min(first + 1, end - 1), best) : best;
}

extern "C" __global__ void masks(const int* starts, const int* kinds, int vectors, const float* gsvs, float* masks) {
  int v = blockIdx.x * blockDim.x + threadIdx.x;
  if (v >= vectors) return;
  bool experts = kinds[v] == EXPERTS;
  int last = last_in_use(gsvs, starts[v], starts[v + 1], experts);
  for (int i = starts[v]; i < starts[v + 1]; i++) {
    masks[i] = experts ? (i <= last ? EXPERT_KEPT : EXPERT_DROPPED) : (i <= last ? 1 : RANK_DROPPED);
  }
}

extern "C" __global__ void masks_backward(const int* starts, const int* kinds, int vectors, const float* gsvs,
                                          const float* d_masks, float* d_gsvs) {
  int v = blockIdx.x * blockDim.x + threadIdx.x;
  if (v >= vectors) return;
  bool experts = kinds[v] == EXPERTS;
  int last = last_in_use(gsvs, starts[v], starts[v + 1], experts);
  double sum = 0;
  for (int i = starts[v]; i < starts[v + 1]; i++) {
    double value = soft(gsvs[i]);
    if (i <= last) sum += d_masks[i] * value;
    d_gsvs[i] = experts ? 0 : (float)(RANK_DROPPED * d_masks[i] * (value * (1 - value)));
  }
  double value = soft(gsvs[last]);
  d_gsvs[last] = (float)(sum * (value * (1 - value)));
}
