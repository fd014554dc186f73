// Activations and dropout: blocks of blockDim.y rows, whose columns blockDim.x threads share.

#define ROW ((long long)blockIdx.x * blockDim.y + threadIdx.y)
__device__ __forceinline__ float sigmoid(float x) { return 1 / (1 + expf(-x)); }

extern "C" __global__ void swiglu(const float* gate_up, long long stride, int rows, int columns, float* y,
                                  long long y_stride) {
  long long r = ROW;
  if (r >= rows) return;
  const float* row = gate_up + r * stride;
  float* to = y + r * y_stride;
  each_column(
      columns, [=](int c) { return Pair{row[c], row[columns + c]}; },
      [=](int c, Pair v) { to[c] = v.a * sigmoid(v.a) * v.b; });
}

extern "C" __global__ void swiglu_backward(const float* dy, long long dy_stride, const float* gate_up,
                                           long long stride, int rows, int columns, float* d_gate_up,
                                           long long d_stride) {
  long long r = ROW;
  if (r >= rows) return;
  const float* row = gate_up + r * stride;
  float* result = d_gate_up + r * d_stride;
  const float* gradient = dy + r * dy_stride;
  each_column(
      columns, [=](int c) { return Triple{gradient[c], row[c], row[columns + c]}; },
      [=](int c, Triple v) {
        float soft = sigmoid(v.b);
        result[c] = v.a * v.c * soft * (1 + v.b * (1 - soft));
        result[columns + c] = v.a * v.b * soft;
      });
}

#define SQRT_HALF 0.70710678118654752440
#define INVERSE_SQRT_2_PI 0.39894228040143267794f

extern "C" __global__ void gelu(const float* x, long long stride, int rows, int columns, float* y,
                                long long y_stride) {
  long long r = ROW;
  if (r >= rows) return;
  const float* row = x + r * stride;
  float* to = y + r * y_stride;
  each_column(
      columns, [=](int c) { return row[c]; },
      [=](int c, float value) { to[c] = value * 0.5f * erfcf(-value * (float)SQRT_HALF); });
}

extern "C" __global__ void gelu_backward(const float* dy, long long dy_stride, const float* x, long long stride,
                                         int rows, int columns, float* dx, long long dx_stride) {
  long long r = ROW;
  if (r >= rows) return;
  const float* row = x + r * stride;
  const float* gradient = dy + r * dy_stride;
  float* to = dx + r * dx_stride;
  each_column(
      columns, [=](int c) { return Pair{gradient[c], row[c]}; },
      [=](int c, Pair v) {
        float area = 0.5f * erfcf(-v.b * (float)SQRT_HALF);
        float density = INVERSE_SQRT_2_PI * expf(-0.5f * v.b * v.b);
        to[c] = v.a * (area + v.b * density);
      });
}

// DropoutMask's keys and words: an element is kept if its word reaches the threshold.
#define GOLDEN_GAMMA 0x9e3779b97f4a7c15ull

__device__ __forceinline__ unsigned row_key(unsigned long long seed, long long row) {
  return (unsigned)(mixed(seed + GOLDEN_GAMMA * (2ull * row + 1)) >> 32);
}

__device__ __forceinline__ unsigned column_key(unsigned long long seed, int column) {
  return (unsigned)(mixed(~seed + GOLDEN_GAMMA * (2ull * column + 2)) >> 32);
}

__device__ __forceinline__ unsigned dropout_word(unsigned key) {
  unsigned word = (key ^ (key >> 16)) * 0x7feb352du;
  word = (word ^ (word >> 15)) * 0x446ca68bu;
  return word ^ (word >> 16);
}

// Four rows a thread, which share the keys of their columns.
#define ROWS_OF_THREAD 4

extern "C" __global__ void dropout(const float* x, long long stride, int rows, int columns, long long seed,
                                   int first_row, unsigned threshold, float factor, float* y, long long y_stride,
                                   int accumulate) {
  long long first = ROW * ROWS_OF_THREAD;
  unsigned keys[ROWS_OF_THREAD];
#pragma unroll
  for (int i = 0; i < ROWS_OF_THREAD; i++) keys[i] = row_key(seed, first_row + first + i);
  for (int c = threadIdx.x; c < columns; c += blockDim.x) {
    unsigned of_column = column_key(seed, c);
    float values[ROWS_OF_THREAD];
    float before[ROWS_OF_THREAD];
#pragma unroll
    for (int i = 0; i < ROWS_OF_THREAD; i++) {
      bool there = first + i < rows;
      values[i] = there ? x[(first + i) * stride + c] : 0;
      before[i] = there && accumulate ? y[(first + i) * y_stride + c] : 0;
    }
#pragma unroll
    for (int i = 0; i < ROWS_OF_THREAD; i++) {
      bool kept = dropout_word(keys[i] + of_column) >= threshold;
      if (first + i < rows) y[(first + i) * y_stride + c] = before[i] + (kept ? values[i] * factor : 0);
    }
  }
}
