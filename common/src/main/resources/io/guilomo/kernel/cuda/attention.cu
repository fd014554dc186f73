// Attention inside sequences, tile by tile, without ever keeping the probabilities: the forward pass keeps the logarithm
// of the sum of each row's exponentials, the backward pass computes the probabilities again (arXiv 2205.14135).
// Compiled for one HEAD_DIM, and with SOFTCAP where scores are capped (arXiv 2408.00118). A block has ROWS queries or keys.

#include "tiles.cuh"

struct Shape {
  int heads;
  int group;  // query heads of one key/value head
  int causal;
  int window;
  float scale;
  float softcap;
};

__device__ __forceinline__ bool sees(const Shape& shape, int query, int key, int end) {
  return key < end && query < end && (!shape.causal || key <= query) &&
         (shape.window == 0 || abs(query - key) < shape.window);
}

__device__ __forceinline__ int first_key(const Shape& shape, int query, int begin) {
  return shape.window == 0 ? begin : max(begin, query - shape.window + 1);
}

// One more than the last key that any of the ROWS queries from `top` on sees.
__device__ __forceinline__ int end_key(const Shape& shape, int top, int end) {
  if (shape.causal) return min(end, top + ROWS);
  return shape.window == 0 ? end : min(end, top + ROWS + shape.window - 1);
}

#define LOG2_E 1.4426950408889634f

// A score in powers of two, given the product of query and key, and its slope by that product.
struct Score {
  float power, slope;
};

__device__ __forceinline__ Score score(const Shape& shape, float product) {
#ifdef SOFTCAP
  float tanh = tanhf(product * (shape.scale / shape.softcap));
  return {shape.softcap * LOG2_E * tanh, shape.scale * (1 - tanh * tanh)};
#else
  return {product * (shape.scale * LOG2_E), shape.scale};
#endif
}

template <int SPLIT>
__device__ __forceinline__ void forward(const int* starts, const int* tiles, int tokens, Shape shape,
                                        const float* query, long long q_stride, const float* key, long long k_stride,
                                        const float* value, long long v_stride, float* state, float* result,
                                        long long stride) {
  DYNAMIC_SHARED(float, shared);
  float* keys = shared;
  float* values = shared + COLUMNS * STRIDE;
  int sequence = tiles[2 * blockIdx.x];
  int top = tiles[2 * blockIdx.x + 1];
  int begin = starts[sequence];
  int end = starts[sequence + 1];
  int head = blockIdx.y;
  int g = (threadIdx.x & 31) >> 2;
  int t = threadIdx.x & 3;
  int row = top + 16 * (threadIdx.x >> 5) + g;
  const float* k = key + (long long)(head / shape.group) * HEAD_DIM;
  const float* v = value + (long long)(head / shape.group) * HEAD_DIM;
#if WIDE
  float* queries = values + COLUMNS * STRIDE;
  load<SPLIT, ROWS>(queries, query + (long long)head * HEAD_DIM, q_stride, top, end);
#else
  Fragment q[STEPS];
  rows_of_warp<SPLIT>(q, query + (long long)head * HEAD_DIM, q_stride, row, end);
#endif
  float out[STEPS][4] = {};
  float largest[2] = {NEGATIVE_INFINITY, NEGATIVE_INFINITY};
  float sum[2] = {0, 0};
  int last = end_key(shape, top, end);
  for (int first = first_key(shape, top, begin); first < last; first += COLUMNS) {
    __syncthreads();
    load<SPLIT, COLUMNS>(keys, k, k_stride, first, end);
    load<SPLIT, COLUMNS>(values, v, v_stride, first, end);
    __syncthreads();
    if (shape.causal && first > top + 16 * (int)(threadIdx.x >> 5) + 15) continue;
    float s[COLUMNS / 8][4] = {};
#if WIDE
#pragma unroll
    for (int step = 0; step < STEPS; step++) {
      Fragment q = step_of_warp(queries, row - top, step);
#pragma unroll
      for (int j = 0; j < COLUMNS / 8; j++) {
        const float* at = keys + (8 * j + g) * STRIDE + t + 8 * step;
        add_product<SPLIT>(s[j], q, at[0], at[4]);
      }
    }
#else
#pragma unroll
    for (int j = 0; j < COLUMNS / 8; j++) {
      const float* at = keys + (8 * j + g) * STRIDE + t;
#pragma unroll
      for (int step = 0; step < STEPS; step++) {
        add_product<SPLIT>(s[j], q[step], at[8 * step], at[8 * step + 4]);
      }
    }
#endif
    float most[2] = {largest[0], largest[1]};
#pragma unroll
    for (int j = 0; j < COLUMNS / 8; j++) {
#pragma unroll
      for (int i = 0; i < 4; i++) {
        bool seen = sees(shape, row + (i >> 1) * 8, first + 8 * j + 2 * t + (i & 1), end);
        s[j][i] = seen ? score(shape, s[j][i]).power : NEGATIVE_INFINITY;
        most[i >> 1] = fmaxf(most[i >> 1], s[j][i]);
      }
    }
#pragma unroll
    for (int i = 0; i < 2; i++) {
      most[i] = fmaxf(most[i], __shfl_xor_sync(ALL_LANES, most[i], 1));
      most[i] = fmaxf(most[i], __shfl_xor_sync(ALL_LANES, most[i], 2));
      float shrink = largest[i] == NEGATIVE_INFINITY ? 0 : exp2f(largest[i] - most[i]);
      largest[i] = most[i];
      sum[i] *= shrink;
#pragma unroll
      for (int n = 0; n < STEPS; n++) {
        out[n][2 * i] *= shrink;
        out[n][2 * i + 1] *= shrink;
      }
    }
#pragma unroll
    for (int j = 0; j < COLUMNS / 8; j++) {
#pragma unroll
      for (int i = 0; i < 4; i++) {
        s[j][i] = s[j][i] == NEGATIVE_INFINITY ? 0 : exp2f(s[j][i] - largest[i >> 1]);
        sum[i >> 1] += s[j][i];
      }
      add_paired<SPLIT>(out, left<SPLIT>(s[j]), values, j);
    }
  }
#pragma unroll
  for (int i = 0; i < 2; i++) {
    sum[i] += __shfl_xor_sync(ALL_LANES, sum[i], 1);
    sum[i] += __shfl_xor_sync(ALL_LANES, sum[i], 2);
    int r = row + 8 * i;
    if (r < end) {
      if (t == 0) state[(long long)head * tokens + r] = largest[i] + log2f(sum[i]);
      float* to = result + r * stride + (long long)head * HEAD_DIM;
#pragma unroll
      for (int n = 0; n < STEPS; n++) {
        int d = 8 * n + 2 * t;
        if (d < HEAD_DIM) to[d] = out[n][2 * i] / sum[i];
        if (d + 1 < HEAD_DIM) to[d + 1] = out[n][2 * i + 1] / sum[i];
      }
    }
  }
}

// Σ_d dO ⊙ O of each row and head: a warp each.
extern "C" __global__ void attention_delta(const float* d_result, long long d_stride, const float* result,
                                           long long stride, int tokens, float* delta) {
  long long t = (long long)blockIdx.x * (blockDim.x >> 5) + (threadIdx.x >> 5);
  int head = blockIdx.y;
  if (t >= tokens) return;
  const float* a = d_result + t * d_stride + (long long)head * HEAD_DIM;
  const float* b = result + t * stride + (long long)head * HEAD_DIM;
  float sum = 0;
  for (int d = threadIdx.x & 31; d < HEAD_DIM; d += 32) sum += a[d] * b[d];
  for (int distance = 16; distance > 0; distance >>= 1) sum += __shfl_xor_sync(ALL_LANES, sum, distance);
  if ((threadIdx.x & 31) == 0) delta[(long long)head * tokens + t] = sum;
}

template <int SPLIT>
__device__ __forceinline__ void backward_query(const int* starts, const int* tiles, int tokens, Shape shape,
                                               const float* d_result, long long d_stride, const float* query,
                                               long long q_stride, const float* key, long long k_stride,
                                               const float* value, long long v_stride, const float* state,
                                               const float* delta, float* d_query, long long dq_stride) {
  DYNAMIC_SHARED(float, shared);
  float* keys = shared;
  float* values = shared + COLUMNS * STRIDE;
  float* queries = values + COLUMNS * STRIDE;
  float* gradients = queries + ROWS * STRIDE;
  int sequence = tiles[2 * blockIdx.x];
  int top = tiles[2 * blockIdx.x + 1];
  int begin = starts[sequence];
  int end = starts[sequence + 1];
  int head = blockIdx.y;
  int g = (threadIdx.x & 31) >> 2;
  int t = threadIdx.x & 3;
  int local = 16 * (threadIdx.x >> 5) + g;
  int row = top + local;
  const float* k = key + (long long)(head / shape.group) * HEAD_DIM;
  const float* v = value + (long long)(head / shape.group) * HEAD_DIM;
  load<SPLIT, ROWS>(queries, query + (long long)head * HEAD_DIM, q_stride, top, end);
  load<SPLIT, ROWS>(gradients, d_result + (long long)head * HEAD_DIM, d_stride, top, end);
  float of_state[2];
  float of_delta[2];
#pragma unroll
  for (int i = 0; i < 2; i++) {
    int r = row + 8 * i;
    of_state[i] = r < end ? state[(long long)head * tokens + r] : 0;
    of_delta[i] = r < end ? delta[(long long)head * tokens + r] : 0;
  }
  float out[STEPS][4] = {};
  int last = end_key(shape, top, end);
  for (int first = first_key(shape, top, begin); first < last; first += COLUMNS) {
    __syncthreads();
    load<SPLIT, COLUMNS>(keys, k, k_stride, first, end);
    load<SPLIT, COLUMNS>(values, v, v_stride, first, end);
    __syncthreads();
    if (shape.causal && first > top + 16 * (int)(threadIdx.x >> 5) + 15) continue;
    float s[COLUMNS / 8][4] = {};
    float dp[COLUMNS / 8][4] = {};
#pragma unroll
    for (int step = 0; step < STEPS; step++) {
      Fragment q = step_of_warp(queries, local, step);
      Fragment gradient = step_of_warp(gradients, local, step);
#pragma unroll
      for (int j = 0; j < COLUMNS / 8; j++) {
        int at = (8 * j + g) * STRIDE + t + 8 * step;
        add_product<SPLIT>(s[j], q, keys[at], keys[at + 4]);
        add_product<SPLIT>(dp[j], gradient, values[at], values[at + 4]);
      }
    }
#pragma unroll
    for (int j = 0; j < COLUMNS / 8; j++) {
      float ds[4];
#pragma unroll
      for (int i = 0; i < 4; i++) {
        bool seen = sees(shape, row + (i >> 1) * 8, first + 8 * j + 2 * t + (i & 1), end);
        Score of = score(shape, s[j][i]);
        float p = seen ? exp2f(of.power - of_state[i >> 1]) : 0;
        ds[i] = p * (dp[j][i] - of_delta[i >> 1]) * of.slope;
      }
      add_paired<SPLIT>(out, left<SPLIT>(ds), keys, j);
    }
  }
#pragma unroll
  for (int i = 0; i < 2; i++) {
    int r = row + 8 * i;
    if (r < end) {
      float* to = d_query + r * dq_stride + (long long)head * HEAD_DIM;
#pragma unroll
      for (int n = 0; n < STEPS; n++) {
        int d = 8 * n + 2 * t;
        if (d < HEAD_DIM) to[d] = out[n][2 * i];
        if (d + 1 < HEAD_DIM) to[d + 1] = out[n][2 * i + 1];
      }
    }
  }
}

// ROWS keys of one key/value head a block; its query heads one after the other.
template <int SPLIT>
__device__ __forceinline__ void backward_key(const int* starts, const int* tiles, int tokens, Shape shape,
                                             const float* d_result, long long d_stride, const float* query,
                                             long long q_stride, const float* key, long long k_stride,
                                             const float* value, long long v_stride, const float* state,
                                             const float* delta, float* d_key, long long dk_stride, float* d_value,
                                             long long dv_stride) {
  DYNAMIC_SHARED(float, shared);
  float* keys = shared;
  float* values = keys + ROWS * STRIDE;
  float* queries = values + ROWS * STRIDE;
  float* gradients = queries + BACKWARD_COLUMNS * STRIDE;
  float* states = gradients + BACKWARD_COLUMNS * STRIDE;
  float* deltas = states + BACKWARD_COLUMNS;
  int sequence = tiles[2 * blockIdx.x];
  int top = tiles[2 * blockIdx.x + 1];
  int begin = starts[sequence];
  int end = starts[sequence + 1];
  int g = (threadIdx.x & 31) >> 2;
  int t = threadIdx.x & 3;
  int local = 16 * (threadIdx.x >> 5) + g;
  int row = top + local;
  load<SPLIT, ROWS>(keys, key + (long long)blockIdx.y * HEAD_DIM, k_stride, top, end);
  load<SPLIT, ROWS>(values, value + (long long)blockIdx.y * HEAD_DIM, v_stride, top, end);
  float dk[STEPS][4] = {};
  float dv[STEPS][4] = {};
  int first_query = shape.causal ? top : first_key(shape, top, begin);
  int last = shape.window == 0 ? end : min(end, top + ROWS + shape.window - 1);
  for (int member = 0; member < shape.group; member++) {
    int head = blockIdx.y * shape.group + member;
    for (int first = first_query; first < last; first += BACKWARD_COLUMNS) {
      __syncthreads();
      load<SPLIT, BACKWARD_COLUMNS>(queries, query + (long long)head * HEAD_DIM, q_stride, first, end);
      load<SPLIT, BACKWARD_COLUMNS>(gradients, d_result + (long long)head * HEAD_DIM, d_stride, first, end);
      if (threadIdx.x < BACKWARD_COLUMNS) {
        bool there = first + (int)threadIdx.x < end;
        long long at = (long long)head * tokens + first + threadIdx.x;
        states[threadIdx.x] = there ? state[at] : 0;
        deltas[threadIdx.x] = there ? delta[at] : 0;
      }
      __syncthreads();
      if (shape.causal && first + BACKWARD_COLUMNS - 1 < top + 16 * (int)(threadIdx.x >> 5)) continue;
      float s[BACKWARD_COLUMNS / 8][4] = {};
      float dp[BACKWARD_COLUMNS / 8][4] = {};
#pragma unroll
      for (int step = 0; step < STEPS; step++) {
        Fragment k = step_of_warp(keys, local, step);
        Fragment v = step_of_warp(values, local, step);
#pragma unroll
        for (int j = 0; j < BACKWARD_COLUMNS / 8; j++) {
          int at = (8 * j + g) * STRIDE + t + 8 * step;
          add_product<SPLIT>(s[j], k, queries[at], queries[at + 4]);
          add_product<SPLIT>(dp[j], v, gradients[at], gradients[at + 4]);
        }
      }
#pragma unroll
      for (int j = 0; j < BACKWARD_COLUMNS / 8; j++) {
        float p[4];
        float ds[4];
#pragma unroll
        for (int i = 0; i < 4; i++) {
          int column = 8 * j + 2 * t + (i & 1);
          bool seen = sees(shape, first + column, row + (i >> 1) * 8, end);
          Score of = score(shape, s[j][i]);
          p[i] = seen ? exp2f(of.power - states[column]) : 0;
          ds[i] = p[i] * (dp[j][i] - deltas[column]) * of.slope;
        }
        add_paired<SPLIT>(dv, left<SPLIT>(p), gradients, j);
        add_paired<SPLIT>(dk, left<SPLIT>(ds), queries, j);
      }
    }
  }
#pragma unroll
  for (int i = 0; i < 2; i++) {
    int r = row + 8 * i;
    if (r < end) {
      float* to_key = d_key + r * dk_stride + (long long)blockIdx.y * HEAD_DIM;
      float* to_value = d_value + r * dv_stride + (long long)blockIdx.y * HEAD_DIM;
#pragma unroll
      for (int n = 0; n < STEPS; n++) {
        int d = 8 * n + 2 * t;
        if (d < HEAD_DIM) {
          to_key[d] = dk[n][2 * i];
          to_value[d] = dv[n][2 * i];
        }
        if (d + 1 < HEAD_DIM) {
          to_key[d + 1] = dk[n][2 * i + 1];
          to_value[d + 1] = dv[n][2 * i + 1];
        }
      }
    }
  }
}

#define ATTENTION_KERNELS(SPLIT, SUFFIX)                                                                              \
  extern "C" __global__ void __launch_bounds__(THREADS) attention_##SUFFIX(                                        \
      const int* starts, const int* tiles, int tokens, Shape shape, const float* query, long long q_stride,           \
      const float* key, long long k_stride, const float* value, long long v_stride, float* state, float* result,      \
      long long stride) {                                                                                             \
    forward<SPLIT>(starts, tiles, tokens, shape, query, q_stride, key, k_stride, value, v_stride, state, result,      \
                   stride);                                                                                           \
  }                                                                                                                   \
  extern "C" __global__ void __launch_bounds__(THREADS) attention_query_##SUFFIX(                                  \
      const int* starts, const int* tiles, int tokens, Shape shape, const float* d_result, long long d_stride,        \
      const float* query, long long q_stride, const float* key, long long k_stride, const float* value,               \
      long long v_stride, const float* state, const float* delta, float* d_query, long long dq_stride) {              \
    backward_query<SPLIT>(starts, tiles, tokens, shape, d_result, d_stride, query, q_stride, key, k_stride, value,    \
                          v_stride, state, delta, d_query, dq_stride);                                                \
  }                                                                                                                   \
  extern "C" __global__ void __launch_bounds__(THREADS) attention_key_##SUFFIX(                                    \
      const int* starts, const int* tiles, int tokens, Shape shape, const float* d_result, long long d_stride,        \
      const float* query, long long q_stride, const float* key, long long k_stride, const float* value,               \
      long long v_stride, const float* state, const float* delta, float* d_key, long long dk_stride, float* d_value,  \
      long long dv_stride) {                                                                                          \
    backward_key<SPLIT>(starts, tiles, tokens, shape, d_result, d_stride, query, q_stride, key, k_stride, value,      \
                        v_stride, state, delta, d_key, dk_stride, d_value, dv_stride);                                \
  }

ATTENTION_KERNELS(1, rounded)
ATTENTION_KERNELS(3, exact)
