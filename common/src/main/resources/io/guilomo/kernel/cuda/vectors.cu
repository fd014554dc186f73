// Flat vectors: a grid of threads that strides over the elements.

#define FOR_ELEMENTS(i, n)                                                                 \
  for (long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x; i < (n); i += (long long)gridDim.x * blockDim.x)

extern "C" __global__ void fill(float* x, long long n, float value) {
  FOR_ELEMENTS(i, n) x[i] = value;
}

extern "C" __global__ void fill64(double* x, long long n, double value) {
  FOR_ELEMENTS(i, n) x[i] = value;
}

extern "C" __global__ void fill_bf16(bf16* x, long long n, float value) {
  FOR_ELEMENTS(i, n) x[i] = to_bf16(value);
}

extern "C" __global__ void narrow(const float* x, long long n, bf16* result) {
  each_element(
      n, [=](long long i) { return x[i]; }, [=](long long i, float v) { result[i] = to_bf16(v); });
}

extern "C" __global__ void adamw(const float* weights, const float* gradient, float* first, float* second,
                                 float* target, long long n, float beta1, float rest1, float beta2, float rest2,
                                 float epsilon, float keep, float rate, float correction, int advance) {
  each_element(
      n, [=](long long i) { return Quadruple{weights[i], gradient[i], first[i], second[i]}; },
      [=](long long i, Quadruple value) {
        float m = value.c * beta1 + value.b * rest1;
        float v = value.d * beta2 + value.b * value.b * rest2;
        if (advance) {
          first[i] = m;
          second[i] = v;
        }
        target[i] = value.a * keep - m * rate / (sqrtf(v) * correction + epsilon);
      });
}

extern "C" __global__ void add_scaled(const float* x, float factor, const float* y, float* target, long long n) {
  each_element(
      n, [=](long long i) { return Pair{x[i], y[i]}; },
      [=](long long i, Pair v) { target[i] = v.a + v.b * factor; });
}

extern "C" __global__ void multiply(const float* x, const float* y, float* target, long long n) {
  each_element(
      n, [=](long long i) { return Pair{x[i], y[i]}; }, [=](long long i, Pair v) { target[i] = v.a * v.b; });
}

extern "C" __global__ void scale(float* x, float factor, long long n) {
  each_element(
      n, [=](long long i) { return x[i]; }, [=](long long i, float v) { x[i] = v * factor; });
}

// A partial sum of squares a block, then their sum by one block.
extern "C" __global__ void squares(const float* x, long long n, double* partial) {
  __shared__ double scratch[32];
  double sum = 0;
  FOR_ELEMENTS(i, n) sum += (double)x[i] * x[i];
  sum = reduced<Sum>(sum, scratch);
  if (threadIdx.x == 0) partial[blockIdx.x] = sum;
}

extern "C" __global__ void total(const double* partial, int n, double* result) {
  __shared__ double scratch[32];
  double sum = 0;
  for (int i = threadIdx.x; i < n; i += blockDim.x) sum += partial[i];
  sum = reduced<Sum>(sum, scratch);
  if (threadIdx.x == 0) result[0] = sum;
}
