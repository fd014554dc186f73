// Norms: a block a row.

#define FOR_COLUMNS(c, columns) for (int c = threadIdx.x; c < (columns); c += blockDim.x)

extern "C" __global__ void rms_norm(const float* x, long long stride, const float* weight, float epsilon, int columns,
                                    float* y, long long y_stride, float* inverse_rms) {
  __shared__ double scratch[32];
  long long r = blockIdx.x;
  const float* row = x + r * stride;
  double squares = 0;
  FOR_COLUMNS(c, columns) squares += (double)row[c] * row[c];
  squares = reduced<Sum>(squares, scratch);
  float inverse = (float)(1 / sqrt(squares / columns + epsilon));
  float* to = y + r * y_stride;
  each_column(
      columns, [=](int c) { return Pair{row[c], weight[c]}; },
      [=](int c, Pair v) { to[c] = v.a * inverse * v.b; });
  if (threadIdx.x == 0) inverse_rms[r] = inverse;
}

extern "C" __global__ void rms_norm_backward(const float* dy, long long dy_stride, const float* x, long long stride,
                                             const float* weight, const float* inverse_rms, int columns, float* dx,
                                             long long dx_stride) {
  __shared__ double scratch[32];
  long long r = blockIdx.x;
  const float* row = x + r * stride;
  const float* gradient = dy + r * dy_stride;
  double product = 0;
  FOR_COLUMNS(c, columns) product += (double)gradient[c] * weight[c] * row[c];
  product = reduced<Sum>(product, scratch);
  float inverse = inverse_rms[r];
  float along = (float)(product * inverse * inverse / columns);
  float* to = dx + r * dx_stride;
  each_column(
      columns, [=](int c) { return Quadruple{to[c], gradient[c], weight[c], row[c]}; },
      [=](int c, Quadruple v) { to[c] = v.a + inverse * (v.b * v.c - v.d * along); });
}

extern "C" __global__ void layer_norm(const float* x, long long stride, const float* weight, const float* bias,
                                      float epsilon, int columns, float* y, long long y_stride, float* means,
                                      float* inverse_deviations) {
  __shared__ double scratch[32];
  long long r = blockIdx.x;
  const float* row = x + r * stride;
  double sum = 0;
  FOR_COLUMNS(c, columns) sum += row[c];
  float mean = (float)(reduced<Sum>(sum, scratch) / columns);
  double squares = 0;
  FOR_COLUMNS(c, columns) {
    double centred = row[c] - mean;
    squares += centred * centred;
  }
  squares = reduced<Sum>(squares, scratch);
  float inverse = (float)(1 / sqrt(squares / columns + epsilon));
  float* to = y + r * y_stride;
  each_column(
      columns, [=](int c) { return Triple{row[c], weight[c], bias[c]}; },
      [=](int c, Triple v) { to[c] = (v.a - mean) * inverse * v.b + v.c; });
  if (threadIdx.x == 0) {
    means[r] = mean;
    inverse_deviations[r] = inverse;
  }
}

extern "C" __global__ void layer_norm_backward(const float* dy, long long dy_stride, const float* x, long long stride,
                                               const float* weight, const float* means,
                                               const float* inverse_deviations, int columns, float* dx,
                                               long long dx_stride) {
  __shared__ double scratch[32];
  long long r = blockIdx.x;
  const float* row = x + r * stride;
  const float* gradient = dy + r * dy_stride;
  float mean = means[r];
  float inverse = inverse_deviations[r];
  double sum = 0;
  double product = 0;
  FOR_COLUMNS(c, columns) {
    double slope = (double)gradient[c] * weight[c];
    sum += slope;
    product += slope * ((row[c] - mean) * inverse);
  }
  sum = reduced<Sum>(sum, scratch);
  product = reduced<Sum>(product, scratch);
  float average = (float)(sum / columns);
  float along = (float)(product / columns);
  float* to = dx + r * dx_stride;
  each_column(
      columns, [=](int c) { return Triple{gradient[c], weight[c], row[c]}; },
      [=](int c, Triple v) {
        to[c] = inverse * (v.a * v.b - average - (v.c - mean) * inverse * along);
      });
}
