// Attention inside sequences, tile by tile, without ever keeping the probabilities: the forward pass keeps the logarithm
// of the sum of each row's exponentials, the backward pass computes the probabilities again (arXiv 2205.14135).
// Compiled for one HEAD_DIM. Four warps share 64 rows; a warp's 16 rows lie in its lanes as PTX's mma.m16n8k8 lays out.
// SPLIT is how many tf32 products make one: 1, or 3 to keep 21 bits of both operands.

#define WARPS 4
#define THREADS (32 * WARPS)
#define ROWS (16 * WARPS)
#define COLUMNS 32
#define BACKWARD_COLUMNS 16
#define STEPS ((HEAD_DIM + 7) / 8)
#define STRIDE (8 * STEPS + 4)

struct Fragment {
  float values[4];
};

// A number as products of SPLIT parts take it: rounded once, or left to be split.
template <int SPLIT>
__device__ __forceinline__ float operand(float x) {
  return SPLIT == 1 ? __uint_as_float(to_tf32(x)) : x;
}

// d += a · b, all operands as `operand` made them.
template <int SPLIT>
__device__ __forceinline__ void add_product(float (&d)[4], const Fragment& a, float b0, float b1) {
  unsigned high_a[4];
  unsigned high_b[2] = {SPLIT == 1 ? __float_as_uint(b0) : to_tf32(b0), SPLIT == 1 ? __float_as_uint(b1) : to_tf32(b1)};
#pragma unroll
  for (int i = 0; i < 4; i++) high_a[i] = SPLIT == 1 ? __float_as_uint(a.values[i]) : to_tf32(a.values[i]);
  if (SPLIT == 3) {
    unsigned low_a[4];
    unsigned low_b[2] = {to_tf32(b0 - __uint_as_float(high_b[0])), to_tf32(b1 - __uint_as_float(high_b[1]))};
#pragma unroll
    for (int i = 0; i < 4; i++) low_a[i] = to_tf32(a.values[i] - __uint_as_float(high_a[i]));
    mma_m16n8k8_tf32(d, low_a, high_b);
    mma_m16n8k8_tf32(d, high_a, low_b);
  }
  mma_m16n8k8_tf32(d, high_a, high_b);
}

#define VECTORS (2 * STEPS)
#define IN_FLIGHT 8

// Rows `first` to `first + COUNT − 1` of one head into shared memory; 0 where there are none. What a thread reads is
// under way together.
template <int SPLIT, int COUNT>
__device__ __forceinline__ void load(float* tile, const float* from, long long stride, int first, int end) {
  bool aligned = HEAD_DIM % 4 == 0 && (((unsigned long long)from | (unsigned long long)stride * 4) & 15) == 0;
#pragma unroll 1
  for (int begin = threadIdx.x; begin < COUNT * VECTORS; begin += IN_FLIGHT * THREADS) {
    float4 values[IN_FLIGHT];
#pragma unroll
    for (int u = 0; u < IN_FLIGHT; u++) {
      int i = begin + u * THREADS;
      int row = first + i / VECTORS;
      int d = i % VECTORS * 4;
      const float* at = from + (long long)row * stride + d;
      bool there = i < COUNT * VECTORS && row < end && d < HEAD_DIM;
      values[u] = make_float4(0, 0, 0, 0);
      if (there && aligned) {
        values[u] = *(const float4*)at;
      } else if (there) {
        values[u].x = at[0];
        if (d + 1 < HEAD_DIM) values[u].y = at[1];
        if (d + 2 < HEAD_DIM) values[u].z = at[2];
        if (d + 3 < HEAD_DIM) values[u].w = at[3];
      }
    }
#pragma unroll
    for (int u = 0; u < IN_FLIGHT; u++) {
      int i = begin + u * THREADS;
      if (i < COUNT * VECTORS) {
        *(float4*)(tile + i / VECTORS * STRIDE + i % VECTORS * 4) =
            make_float4(operand<SPLIT>(values[u].x), operand<SPLIT>(values[u].y), operand<SPLIT>(values[u].z),
                        operand<SPLIT>(values[u].w));
      }
    }
  }
}

// A warp's rows as the left operand, straight from memory.
template <int SPLIT>
__device__ __forceinline__ void rows_of_warp(Fragment (&a)[STEPS], const float* from, long long stride, int row,
                                             int end) {
  int t = threadIdx.x & 3;
#pragma unroll
  for (int step = 0; step < STEPS; step++) {
#pragma unroll
    for (int i = 0; i < 4; i++) {
      int r = row + (i & 1) * 8;
      int d = step * 8 + t + (i & 2) * 2;
      a[step].values[i] = operand<SPLIT>(r < end && d < HEAD_DIM ? from[(long long)r * stride + d] : 0);
    }
  }
}

// As above, from a tile in shared memory: one step.
__device__ __forceinline__ Fragment step_of_warp(const float* tile, int row, int step) {
  int t = threadIdx.x & 3;
  const float* at = tile + row * STRIDE + step * 8 + t;
  Fragment a = {{at[0], at[8 * STRIDE], at[4], at[8 * STRIDE + 4]}};
  return a;
}

// What the accumulators of 8 columns hold, as the left operand of a product over those columns: the order of a sum is
// free, so columns 2t and 2t + 1 stand where t and t + 4 would. `add_paired` takes the right operand so.
template <int SPLIT>
__device__ __forceinline__ Fragment left(const float (&c)[4]) {
  Fragment a = {{operand<SPLIT>(c[0]), operand<SPLIT>(c[2]), operand<SPLIT>(c[1]), operand<SPLIT>(c[3])}};
  return a;
}

// Adds left · tile rows [8 j, 8 j + 8) to accumulators of all features.
template <int SPLIT>
__device__ __forceinline__ void add_paired(float (&result)[STEPS][4], const Fragment& a, const float* tile, int j) {
  int g = (threadIdx.x & 31) >> 2;
  int t = threadIdx.x & 3;
  const float* at = tile + (8 * j + 2 * t) * STRIDE + g;
#pragma unroll
  for (int n = 0; n < STEPS; n++) {
    add_product<SPLIT>(result[n], a, at[8 * n], at[STRIDE + 8 * n]);
  }
}

struct Shape {
  int heads;
  int group;  // query heads of one key/value head
  int causal;
  int window;
  float scale;
};

__device__ __forceinline__ bool sees(const Shape& shape, int query, int key, int end) {
  return key < end && query < end && (!shape.causal || key <= query) &&
         (shape.window == 0 || key > query - shape.window);
}

__device__ __forceinline__ int first_key(const Shape& shape, int query, int begin) {
  return shape.window == 0 ? begin : max(begin, query - shape.window + 1);
}

#define LOG2_E 1.4426950408889634f

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
  Fragment q[STEPS];
  rows_of_warp<SPLIT>(q, query + (long long)head * HEAD_DIM, q_stride, row, end);
  float out[STEPS][4] = {};
  float largest[2] = {NEGATIVE_INFINITY, NEGATIVE_INFINITY};
  float sum[2] = {0, 0};
  float factor = shape.scale * LOG2_E;
  int last = shape.causal ? min(end, top + ROWS) : end;
  for (int first = first_key(shape, top, begin); first < last; first += COLUMNS) {
    __syncthreads();
    load<SPLIT, COLUMNS>(keys, k, k_stride, first, end);
    load<SPLIT, COLUMNS>(values, v, v_stride, first, end);
    __syncthreads();
    if (shape.causal && first > top + 16 * (int)(threadIdx.x >> 5) + 15) continue;
    float s[COLUMNS / 8][4] = {};
#pragma unroll
    for (int j = 0; j < COLUMNS / 8; j++) {
      const float* at = keys + (8 * j + g) * STRIDE + t;
#pragma unroll
      for (int step = 0; step < STEPS; step++) {
        add_product<SPLIT>(s[j], q[step], at[8 * step], at[8 * step + 4]);
      }
    }
    float most[2] = {largest[0], largest[1]};
#pragma unroll
    for (int j = 0; j < COLUMNS / 8; j++) {
#pragma unroll
      for (int i = 0; i < 4; i++) {
        bool seen = sees(shape, row + (i >> 1) * 8, first + 8 * j + 2 * t + (i & 1), end);
        s[j][i] = seen ? s[j][i] * factor : NEGATIVE_INFINITY;
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
  float factor = shape.scale * LOG2_E;
  int last = shape.causal ? min(end, top + ROWS) : end;
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
        float p = seen ? exp2f(s[j][i] * factor - of_state[i >> 1]) : 0;
        ds[i] = p * (dp[j][i] - of_delta[i >> 1]) * shape.scale;
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

// 64 keys of one key/value head a block; its query heads one after the other.
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
  float factor = shape.scale * LOG2_E;
  int first_query = shape.causal ? top : begin;
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
          p[i] = seen ? exp2f(s[j][i] * factor - states[column]) : 0;
          ds[i] = p[i] * (dp[j][i] - deltas[column]) * shape.scale;
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
