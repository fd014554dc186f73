// Attention of new tokens to kept keys and values: a block a token and head, whose warps share the keys. Compiled for
// one HEAD_DIM, and with SOFTCAP where scores are capped (arXiv 2408.00118).

#define WARPS 4
#define PER_LANE ((HEAD_DIM + 31) / 32)

extern "C" __global__ void __launch_bounds__(32 * WARPS) cached_attention(
    const int* ranges, int group, float scale, float softcap, const float* query, long long q_stride, const float* keys,
    long long k_stride, const float* values, long long v_stride, float* result, long long stride) {
  __shared__ float parts[WARPS][HEAD_DIM];
  __shared__ float most[WARPS];
  __shared__ float sums[WARPS];
  long long t = blockIdx.x;
  int head = blockIdx.y;
  int lane = threadIdx.x & 31;
  int warp = threadIdx.x >> 5;
  const float* k = keys + (long long)(head / group) * HEAD_DIM;
  const float* v = values + (long long)(head / group) * HEAD_DIM;
  float q[PER_LANE];
  float out[PER_LANE];
#pragma unroll
  for (int i = 0; i < PER_LANE; i++) {
    int d = lane + 32 * i;
    q[i] = d < HEAD_DIM ? query[t * q_stride + (long long)head * HEAD_DIM + d] * scale : 0;
    out[i] = 0;
  }
  float largest = NEGATIVE_INFINITY;
  float sum = 0;
  for (int key = ranges[2 * t] + warp; key < ranges[2 * t + 1]; key += WARPS) {
    float score = 0;
#pragma unroll
    for (int i = 0; i < PER_LANE; i++) {
      int d = lane + 32 * i;
      if (d < HEAD_DIM) score += q[i] * k[key * k_stride + d];
    }
    for (int distance = 16; distance > 0; distance >>= 1) score += __shfl_xor_sync(ALL_LANES, score, distance);
#ifdef SOFTCAP
    score = softcap * tanhf(score / softcap);
#endif
    float next = fmaxf(largest, score);
    float shrink = largest == NEGATIVE_INFINITY ? 0 : expf(largest - next);
    float p = expf(score - next);
    largest = next;
    sum = sum * shrink + p;
#pragma unroll
    for (int i = 0; i < PER_LANE; i++) {
      int d = lane + 32 * i;
      out[i] = out[i] * shrink + (d < HEAD_DIM ? p * v[key * v_stride + d] : 0);
    }
  }
  for (int i = 0; i < PER_LANE; i++) {
    if (lane + 32 * i < HEAD_DIM) parts[warp][lane + 32 * i] = out[i];
  }
  if (lane == 0) {
    most[warp] = largest;
    sums[warp] = sum;
  }
  __syncthreads();
  float top = NEGATIVE_INFINITY;
  for (int w = 0; w < WARPS; w++) top = fmaxf(top, most[w]);
  float total = 0;
  for (int w = 0; w < WARPS; w++) total += most[w] == NEGATIVE_INFINITY ? 0 : sums[w] * expf(most[w] - top);
  for (int d = threadIdx.x; d < HEAD_DIM; d += blockDim.x) {
    float value = 0;
    for (int w = 0; w < WARPS; w++) {
      value += most[w] == NEGATIVE_INFINITY ? 0 : parts[w][d] * expf(most[w] - top);
    }
    result[t * stride + (long long)head * HEAD_DIM + d] = value / total;
  }
}
