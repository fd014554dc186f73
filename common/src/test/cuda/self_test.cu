// Kernels of the self-test. nvcc compiles them too.
#ifndef GUILOMO_FAKE
#define DYNAMIC_SHARED(type, name) extern __shared__ __align__(16) type name[]

__device__ __forceinline__ unsigned to_tf32(float value) {
    unsigned result;
    asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(result) : "f"(value));
    return result;
}

__device__ __forceinline__ void mma_m16n8k8_tf32(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
    asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3]) : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

__device__ __forceinline__ void mma_m16n8k16_bf16(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3]) : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}
#endif

#define BLOCK 256

struct Scaling {
    float factor;
    const float* summands;
};

extern "C" __global__ void __launch_bounds__(BLOCK) addVectors(const float* __restrict__ a, const float* b, float* sum, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) {
        sum[i] = __ldg(a + i) + b[i];
    }
}

extern "C" __global__ void scale(int n, Scaling scaling, unsigned char odd, double* to, float4 shift) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) {
        to[i] = scaling.factor * scaling.summands[i] + odd + shift.x + shift.w;
    }
}

__device__ __forceinline__ float warpSum(float value) {
#pragma unroll
    for (int distance = 16; distance > 0; distance >>= 1) {
        value += __shfl_xor_sync(0xffffffffu, value, distance);
    }
    return value;
}

extern "C" __global__ void blockSum(const float* values, float* sums, int n) {
    __shared__ float partial[32];
    int lane = threadIdx.x & 31, warp = threadIdx.x >> 5;
    float sum = 0;
    for (int i = threadIdx.x; i < n; i += blockDim.x) {
        sum += values[blockIdx.x * n + i];
    }
    sum = warpSum(sum);
    if (lane == 0) {
        partial[warp] = sum;
    }
    __syncthreads();
    if (warp == 0) {
        sum = warpSum(lane < blockDim.x / 32 ? partial[lane] : 0.0f);
        if (lane == 0) {
            sums[blockIdx.x] = sum;
        }
    }
}

extern "C" __global__ void shuffles(int* out) {
    unsigned lane = threadIdx.x & 31;
    int* own = out + 8 * threadIdx.x;
    own[0] = __shfl_sync(0xffffffffu, (int)lane * 3, 7);
    own[1] = __shfl_up_sync(0xffffffffu, lane, 2, 8);
    own[2] = (int)__shfl_down_sync(0xffffffffu, (double)lane, 3, 16);
    own[3] = (int)(__shfl_xor_sync(0xffffffffu, (1ULL << 40) + lane, 5) - (1ULL << 40));
    own[4] = __ballot_sync(0xffffffffu, lane % 3 == 0);
    own[5] = __any_sync(0xffffffffu, lane == 31) + 2 * __all_sync(0xffffffffu, lane < 31);
    unsigned half = lane < 16 ? 0xffffu : 0xffff0000u;
    own[6] = lane < 16 ? __shfl_sync(half, (int)lane, 5) : -1;
    own[7] = __popc(__ballot_sync(half, 1));
    __syncwarp();
}

// a is 16 x 8, b 8 x 8 and c 16 x 8, by rows
extern "C" __global__ void tileTf32(const float* a, const float* b, float* c, int repeats) {
    int g = (threadIdx.x & 31) >> 2, t = threadIdx.x & 3;
    unsigned fragmentA[4] = {to_tf32(a[g * 8 + t]), to_tf32(a[(g + 8) * 8 + t]), to_tf32(a[g * 8 + t + 4]), to_tf32(a[(g + 8) * 8 + t + 4])};
    unsigned fragmentB[2] = {__float_as_uint(b[t * 8 + g]), __float_as_uint(b[(t + 4) * 8 + g])};
    float d[4] = {c[g * 8 + 2 * t], c[g * 8 + 2 * t + 1], c[(g + 8) * 8 + 2 * t], c[(g + 8) * 8 + 2 * t + 1]};
    for (int i = 0; i < repeats; i++) {
        mma_m16n8k8_tf32(d, fragmentA, fragmentB);
    }
    c[g * 8 + 2 * t] = d[0], c[g * 8 + 2 * t + 1] = d[1], c[(g + 8) * 8 + 2 * t] = d[2], c[(g + 8) * 8 + 2 * t + 1] = d[3];
}

__device__ unsigned pairOf(const unsigned short* values, int first, int step) {
    return values[first] | (unsigned)values[first + step] << 16;
}

// a is 16 x 16, b 16 x 8 and c 16 x 8, by rows
extern "C" __global__ void tileBf16(const unsigned short* a, const unsigned short* b, float* c) {
    int g = threadIdx.x >> 2, t = threadIdx.x & 3;
    unsigned fragmentA[4] = {pairOf(a, g * 16 + 2 * t, 1), pairOf(a, (g + 8) * 16 + 2 * t, 1), pairOf(a, g * 16 + 2 * t + 8, 1),
        pairOf(a, (g + 8) * 16 + 2 * t + 8, 1)};
    unsigned fragmentB[2] = {pairOf(b, 2 * t * 8 + g, 8), pairOf(b, (2 * t + 8) * 8 + g, 8)};
    float d[4] = {};
    mma_m16n8k16_bf16(d, fragmentA, fragmentB);
    c[g * 8 + 2 * t] = d[0], c[g * 8 + 2 * t + 1] = d[1], c[(g + 8) * 8 + 2 * t] = d[2], c[(g + 8) * 8 + 2 * t + 1] = d[3];
}

// Turns n numbers of every block around.
extern "C" __global__ void reverse(const float* from, float* to, int n) {
    DYNAMIC_SHARED(float, line);
    for (int i = threadIdx.x; i < n; i += blockDim.x) {
        line[i] = from[blockIdx.x * n + i];
    }
    __syncthreads();
    for (int i = threadIdx.x; i < n; i += blockDim.x) {
        to[blockIdx.x * n + i] = line[n - 1 - i];
    }
}

extern "C" __global__ void untouchedShared(unsigned* to) {
    DYNAMIC_SHARED(unsigned, words);
    to[threadIdx.x] = words[threadIdx.x];
}

extern "C" __global__ void barriers(int count) {
    for (int i = 0; i < count; i++) {
        __syncthreads();
    }
}

// Every thread of the second warp reads what the first one wrote, with no barrier in between.
extern "C" __global__ void missingBarrier(int* wrong) {
    __shared__ int values[64];
    values[threadIdx.x] = blockIdx.x + 1;
    if (threadIdx.x >= 32 && values[threadIdx.x - 32] != (int)blockIdx.x + 1) {
        atomicAdd(wrong, 1);
    }
    __syncthreads();
    values[threadIdx.x] = -1;
}

extern "C" __global__ void divergentBarrier() {
    if (threadIdx.x != 37) {
        __syncthreads();
    }
}

extern "C" __global__ void divergentWarp() {
    if (threadIdx.x < 20) {
        __shfl_sync(0xffffffffu, 1, 0);
    } else {
        __syncthreads();
    }
}

extern "C" __global__ void writeBehind(float* to, int n) {
    to[n] = 1;
}
