// Tiles of one head's rows in shared memory, and products of them on tensor cores. Compiled for one HEAD_DIM. A warp's
// 16 rows lie in its lanes as PTX's mma.m16n8k8 lays out. SPLIT is how many tf32 products make one: 1, or 3 to keep 21
// bits of both operands.

// Rows and columns of a block: what it shares must fit in 99 KiB, up to heads of 256 features.
#define WIDE (HEAD_DIM > 128)
#define WARPS (WIDE ? 2 : 4)
#define ROWS (16 * WARPS)
#define COLUMNS (WIDE ? 16 : 32)
#define BACKWARD_COLUMNS 16

#define THREADS (32 * WARPS)
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
