// Rows of matrices: blocks of blockDim.y rows, whose columns blockDim.x threads share.

#define ROW ((long long)blockIdx.x * blockDim.y + threadIdx.y)
#define FOR_COLUMNS(c, columns) for (int c = threadIdx.x; c < (columns); c += blockDim.x)

__device__ __forceinline__ void take(const float* from, float* to, int columns, int accumulate) {
  if (accumulate) {
    each_column(
        columns, [=](int c) { return Pair{to[c], from[c]}; }, [=](int c, Pair v) { to[c] = v.a + v.b; });
  } else {
    each_column(
        columns, [=](int c) { return from[c]; }, [=](int c, float v) { to[c] = v; });
  }
}

extern "C" __global__ void gather_rows(const float* table, long long table_stride, const int* rows, int count,
                                       int columns, float* result, long long stride, int accumulate) {
  long long r = ROW;
  if (r >= count) return;
  take(table + rows[r] * table_stride, result + r * stride, columns, accumulate);
}

extern "C" __global__ void gather_rows_bf16(const bf16* table, long long table_stride, const int* rows, int count,
                                            int columns, float* result, long long stride, int accumulate) {
  long long r = ROW;
  if (r >= count) return;
  const bf16* from = table + rows[r] * table_stride;
  float* to = result + r * stride;
  FOR_COLUMNS(c, columns) to[c] = accumulate ? to[c] + from_bf16(from[c]) : from_bf16(from[c]);
}

extern "C" __global__ void scatter_rows(const float* source, long long source_stride, const int* rows, int count,
                                        int columns, float* result, long long stride, int accumulate) {
  long long r = ROW;
  if (r >= count) return;
  take(source + r * source_stride, result + rows[r] * stride, columns, accumulate);
}

extern "C" __global__ void copy_rows(const float* source, long long source_stride, int count, int columns,
                                     float* result, long long stride) {
  long long r = ROW;
  if (r >= count) return;
  take(source + r * source_stride, result + r * stride, columns, 0);
}

extern "C" __global__ void add_bias(float* y, long long stride, int count, int columns, const float* bias) {
  long long r = ROW;
  if (r >= count) return;
  float* row = y + r * stride;
  each_column(
      columns, [=](int c) { return Pair{row[c], bias[c]}; }, [=](int c, Pair v) { row[c] = v.a + v.b; });
}

// Activations as a bf16 product reads them, without gaps: `low`, if wanted, is what rounding to `high` leaves.
extern "C" __global__ void to_bf16_rows(const float* x, long long stride, int count, int columns, bf16* high,
                                        bf16* low, long long result_stride) {
  long long r = ROW;
  if (r >= count) return;
  const float* row = x + r * stride;
  bf16* to = high + r * result_stride;
  bf16* rest = low == 0 ? 0 : low + r * result_stride;
  each_column(
      columns, [=](int c) { return row[c]; },
      [=](int c, float value) {
        bf16 rounded = to_bf16(value);
        to[c] = rounded;
        if (rest != 0) rest[c] = to_bf16(value - from_bf16(rounded));
      });
}

// One row of the grid a sequence.
extern "C" __global__ void mean_pool(const float* x, long long stride, const int* starts, int sequences, int columns,
                                     float* result, long long result_stride) {
  long long s = ROW;
  if (s >= sequences) return;
  FOR_COLUMNS(c, columns) {
    double sum = 0;
    for (int t = starts[s]; t < starts[s + 1]; t++) {
      sum += x[t * stride + c];
    }
    result[s * result_stride + c] = (float)(sum / (starts[s + 1] - starts[s]));
  }
}

extern "C" __global__ void mean_pool_backward(const float* gradient, long long gradient_stride, const int* starts,
                                              int sequences, int columns, float* result, long long stride) {
  long long s = ROW;
  if (s >= sequences) return;
  FOR_COLUMNS(c, columns) {
    float value = gradient[s * gradient_stride + c] / (starts[s + 1] - starts[s]);
    for (int t = starts[s]; t < starts[s + 1]; t++) {
      result[t * stride + c] = value;
    }
  }
}

// Sums of 128 rows at a time, a block each; `column_totals` adds them.
#define ROWS_OF_SUM 128

extern "C" __global__ void column_sums(const float* x, long long stride, int rows, int columns, double* partial) {
  int end = min(rows, (int)(blockIdx.x + 1) * ROWS_OF_SUM);
  FOR_COLUMNS(c, columns) {
    double sum = 0;
    for (int r = blockIdx.x * ROWS_OF_SUM; r < end; r++) {
      sum += x[r * stride + c];
    }
    partial[(long long)blockIdx.x * columns + c] = sum;
  }
}

extern "C" __global__ void column_totals(const double* partial, int parts, int columns, float* result,
                                         double* result64) {
  int c = blockIdx.x * blockDim.x + threadIdx.x;
  if (c >= columns) return;
  double sum = 0;
  for (int i = 0; i < parts; i++) {
    sum += partial[(long long)i * columns + c];
  }
  if (result != 0) result[c] = (float)sum;
  if (result64 != 0) result64[c] = sum;
}
