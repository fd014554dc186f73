// Rotary position embedding (arXiv 2104.09864), half-split, in place: a thread a pair. The features of a head behind
// its pairs stay.

extern "C" __global__ void rotate(float* x, long long stride, const int* positions, int tokens, int heads, int head_dim,
                                  int half,
                                  const float* cosine, const float* sine, float sign) {
  long long t = (long long)blockIdx.x * blockDim.y + threadIdx.y;
  if (t >= tokens) return;
  long long position = positions[t];
  float* row = x + t * stride;
  const float* cosines = cosine + position * half;
  const float* sines = sine + position * half;
  each_column(
      heads * half,
      [=](int i) {
        int head = (unsigned)i / (unsigned)half;
        int pair = i - head * half;
        const float* first = row + head * head_dim + pair;
        return Quadruple{first[0], first[half], cosines[pair], sign * sines[pair]};
      },
      [=](int i, Quadruple v) {
        int head = (unsigned)i / (unsigned)half;
        float* first = row + head * (head_dim - half) + i;
        first[0] = v.a * v.c - v.b * v.d;
        first[half] = v.b * v.c + v.a * v.d;
      });
}
