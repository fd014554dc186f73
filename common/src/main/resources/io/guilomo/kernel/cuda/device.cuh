// What all kernels share. Compiled by NVRTC without any header; a test build for processors defines GUILOMO_FAKE and
// brings its own versions of what only a card has.

#ifndef GUILOMO_FAKE

#define DYNAMIC_SHARED(type, name)                                   \
  extern __shared__ __align__(16) unsigned char dynamic_shared[];    \
  type* name = (type*)dynamic_shared

// The nearest number with 10 bits of mantissa, as bits.
__device__ __forceinline__ unsigned to_tf32(float x) {
  unsigned bits;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(bits) : "f"(x));
  return bits;
}

// d += a · b, a [16, 8], b [8, 8], held by the lanes of a warp as the PTX ISA lays out.
__device__ __forceinline__ void mma_m16n8k8_tf32(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
  asm("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

#endif

#define ALL_LANES 0xffffffffu
#define NEGATIVE_INFINITY __int_as_float((int)0xff800000u)

typedef unsigned short bf16;

__device__ __forceinline__ float from_bf16(bf16 value) { return __uint_as_float((unsigned)value << 16); }

// To nearest, ties to even; what is no number stays none.
__device__ __forceinline__ bf16 to_bf16(float x) {
  unsigned bits = __float_as_uint(x);
  if ((bits & 0x7fffffffu) > 0x7f800000u) {
    return (bf16)((bits >> 16) | 0x40u);
  }
  return (bf16)((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

// TOGETHER elements at a time of those that are `step` apart: all are read before the first is written, so that reads
// wait together.
template <int TOGETHER, typename Index, typename Read, typename Write>
__device__ __forceinline__ void each(Index first, Index end, Index step, Read read, Write write) {
  typedef decltype(read(first)) Value;
  for (; first < end; first += TOGETHER * step) {
    Value values[TOGETHER];
#pragma unroll
    for (int i = 0; i < TOGETHER; i++) {
      if (first + i * step < end) values[i] = read(first + i * step);
    }
#pragma unroll
    for (int i = 0; i < TOGETHER; i++) {
      if (first + i * step < end) write(first + i * step, values[i]);
    }
  }
}

// The columns of a row that the threads of one row share.
template <typename Read, typename Write>
__device__ __forceinline__ void each_column(int columns, Read read, Write write) {
  each<4, int>(threadIdx.x, columns, blockDim.x, read, write);
}

// The elements of a vector that the whole grid shares.
template <typename Read, typename Write>
__device__ __forceinline__ void each_element(long long n, Read read, Write write) {
  each<4, long long>(blockIdx.x * (long long)blockDim.x + threadIdx.x, n, gridDim.x * (long long)blockDim.x, read,
                     write);
}

struct Pair {
  float a, b;
};

struct Triple {
  float a, b, c;
};

struct Quadruple {
  float a, b, c, d;
};

struct Sum {
  template <typename T>
  static __device__ __forceinline__ T of(T a, T b) {
    return a + b;
  }
};

struct Largest {
  template <typename T>
  static __device__ __forceinline__ T of(T a, T b) {
    return a > b ? a : b;
  }
};

// The reduction of a value of every thread of a block of whole warps, known to all of them. Always in the same order.
template <typename Operation, typename T>
__device__ __forceinline__ T reduced(T value, T* scratch) {
  for (int distance = 16; distance > 0; distance >>= 1) {
    value = Operation::of(value, __shfl_xor_sync(ALL_LANES, value, distance));
  }
  int warp = threadIdx.x >> 5;
  __syncthreads();
  if ((threadIdx.x & 31) == 0) {
    scratch[warp] = value;
  }
  __syncthreads();
  T all = scratch[0];
  for (int i = 1; i < (int)(blockDim.x >> 5); i++) {
    all = Operation::of(all, scratch[i]);
  }
  return all;
}

// The finaliser of SplitMix64.
__device__ __forceinline__ unsigned long long mixed(unsigned long long z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  return z ^ (z >> 31);
}
