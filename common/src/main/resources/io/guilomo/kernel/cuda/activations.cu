// Activations and dropout: blocks of blockDim.y rows, whose columns blockDim.x threads share.

#define ROW ((long long)blockIdx.x * blockDim.y + threadIdx.y)
__device__ __forceinline__ float sigmoid(float x) { return 1 / (1 + expf(-x)); }

#define SQRT_HALF 0.70710678118654752440
#define INVERSE_SQRT_2_PI 0.39894228040143267794f
#define SQRT_2_BY_PI 0.79788456080286535588f
#define CUBIC 0.044715f

struct Silu {
  static __device__ __forceinline__ float value(float x) { return x * sigmoid(x); }
  static __device__ __forceinline__ float slope(float x) {
    float soft = sigmoid(x);
    return soft * (1 + x * (1 - soft));
  }
};

struct Gelu {
  static __device__ __forceinline__ float value(float x) { return x * 0.5f * erfcf(-x * (float)SQRT_HALF); }
  static __device__ __forceinline__ float slope(float x) {
    float area = 0.5f * erfcf(-x * (float)SQRT_HALF);
    float density = INVERSE_SQRT_2_PI * expf(-0.5f * x * x);
    return area + x * density;
  }
};

// (1 + tanh(u)) / 2 = sigmoid(2u), which loses no digits where it is small. Beyond 10 the function is 0 or x to the last
// bit, and the powers of x must not overflow.
struct GeluTanh {
  static __device__ __forceinline__ float clamped(float x) { return fminf(fmaxf(x, -10.0f), 10.0f); }
  static __device__ __forceinline__ float inner(float z) {
    return sigmoid(2 * SQRT_2_BY_PI * z * (1 + CUBIC * z * z));
  }
  static __device__ __forceinline__ float value(float x) { return x * inner(clamped(x)); }
  static __device__ __forceinline__ float slope(float x) {
    float z = clamped(x);
    float soft = inner(z);
    return soft + 2 * SQRT_2_BY_PI * z * (1 + 3 * CUBIC * z * z) * soft * (1 - soft);
  }
};

struct Relu {
  static __device__ __forceinline__ float value(float x) { return x < 0 ? 0 : x; }
  static __device__ __forceinline__ float slope(float x) { return x > 0 ? 1 : 0; }
};

struct Tanh {
  static __device__ __forceinline__ float value(float x) { return tanhf(x); }
  static __device__ __forceinline__ float slope(float x) {
    float tanh = tanhf(x);
    return 1 - tanh * tanh;
  }
};

template <typename Activation>
__device__ __forceinline__ void activate(const float* x, long long stride, int rows, int columns, float* y,
                                         long long y_stride) {
  long long r = ROW;
  if (r >= rows) return;
  const float* row = x + r * stride;
  float* to = y + r * y_stride;
  each_column(
      columns, [=](int c) { return row[c]; }, [=](int c, float value) { to[c] = Activation::value(value); });
}

template <typename Activation>
__device__ __forceinline__ void activate_backward(const float* dy, long long dy_stride, const float* x,
                                                  long long stride, int rows, int columns, float* dx,
                                                  long long dx_stride) {
  long long r = ROW;
  if (r >= rows) return;
  const float* row = x + r * stride;
  const float* gradient = dy + r * dy_stride;
  float* to = dx + r * dx_stride;
  each_column(
      columns, [=](int c) { return Pair{gradient[c], row[c]}; },
      [=](int c, Pair v) { to[c] = v.a * Activation::slope(v.b); });
}

template <typename Activation>
__device__ __forceinline__ void gated(const float* gate_up, long long stride, int rows, int columns, float* y,
                                      long long y_stride) {
  long long r = ROW;
  if (r >= rows) return;
  const float* row = gate_up + r * stride;
  float* to = y + r * y_stride;
  each_column(
      columns, [=](int c) { return Pair{row[c], row[columns + c]}; },
      [=](int c, Pair v) { to[c] = Activation::value(v.a) * v.b; });
}

template <typename Activation>
__device__ __forceinline__ void gated_backward(const float* dy, long long dy_stride, const float* gate_up,
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
        result[c] = v.a * v.c * Activation::slope(v.b);
        result[columns + c] = v.a * Activation::value(v.b);
      });
}

#define FORWARD_KERNEL(KIND, SUFFIX, ACTIVATION)                                                                     \
  extern "C" __global__ void KIND##_##SUFFIX(const float* x, long long stride, int rows, int columns, float* y,      \
                                             long long y_stride) {                                                   \
    KIND<ACTIVATION>(x, stride, rows, columns, y, y_stride);                                                         \
  }
#define BACKWARD_KERNEL(KIND, SUFFIX, ACTIVATION)                                                                    \
  extern "C" __global__ void KIND##_##SUFFIX(const float* dy, long long dy_stride, const float* x, long long stride, \
                                             int rows, int columns, float* dx, long long dx_stride) {                \
    KIND<ACTIVATION>(dy, dy_stride, x, stride, rows, columns, dx, dx_stride);                                        \
  }
#define ACTIVATION_KERNELS(SUFFIX, ACTIVATION)           \
  FORWARD_KERNEL(activate, SUFFIX, ACTIVATION)           \
  BACKWARD_KERNEL(activate_backward, SUFFIX, ACTIVATION)
#define GATED_KERNELS(SUFFIX, ACTIVATION)             \
  FORWARD_KERNEL(gated, SUFFIX, ACTIVATION)           \
  BACKWARD_KERNEL(gated_backward, SUFFIX, ACTIVATION)

ACTIVATION_KERNELS(silu, Silu)
ACTIVATION_KERNELS(gelu, Gelu)
ACTIVATION_KERNELS(gelu_tanh, GeluTanh)
ACTIVATION_KERNELS(relu, Relu)
ACTIVATION_KERNELS(tanh, Tanh)
GATED_KERNELS(silu, Silu)
GATED_KERNELS(gelu, Gelu)
GATED_KERNELS(gelu_tanh, GeluTanh)
GATED_KERNELS(relu, Relu)
GATED_KERNELS(tanh, Tanh)

extern "C" __global__ void softcap(float* x, long long stride, int rows, int columns, float cap) {
  long long r = ROW;
  if (r >= rows) return;
  float* row = x + r * stride;
  each_column(
      columns, [=](int c) { return row[c]; }, [=](int c, float v) { row[c] = cap * tanhf(v / cap); });
}

extern "C" __global__ void softcap_backward(float* dy, long long dy_stride, const float* y, long long stride, int rows,
                                            int columns, float cap) {
  long long r = ROW;
  if (r >= rows) return;
  float* gradient = dy + r * dy_stride;
  const float* row = y + r * stride;
  each_column(
      columns, [=](int c) { return Pair{gradient[c], row[c] / cap}; },
      [=](int c, Pair v) { gradient[c] = v.a * (1 - v.b * v.b); });
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
