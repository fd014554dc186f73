// The CUDA C++ device language for g++, as far as the kernels here use it. Include it before anything else.
#ifndef FAKE_DEVICE_H
#define FAKE_DEVICE_H

namespace fake {
struct Fibre;
}
register fake::Fibre* fakeSelf asm("r15");  // the running thread; must stand before any function

#include "fake_fibre.h"
#include "fake_math.h"

#define __global__
#define __device__
#define __host__
#define __constant__
#define __forceinline__ inline __attribute__((always_inline))
#define __noinline__ __attribute__((noinline))
#define __launch_bounds__(...)
#define __align__(n) __attribute__((aligned(n)))
#define __shared__ static thread_local
#define DYNAMIC_SHARED(type, name) type* const name = reinterpret_cast<type*>(fakeSelf->block->shared)

#define threadIdx (fakeSelf->thread)
#define blockIdx (fakeSelf->block->index)
#define blockDim (fakeSelf->block->size)
#define gridDim (fakeSelf->block->grid)
constexpr int warpSize = 32;

#define FAKE_INLINE __attribute__((always_inline)) inline

namespace fake {

FAKE_INLINE void pause() {
    Warp& warp = *fakeSelf->warp;
    unsigned runnable = warp.runnable();
    if (runnable) {
        void* next = warp.stack[nextLane(runnable, fakeSelf->lane)];
        if (next) {
            change(&warp.stack[fakeSelf->lane], next);
            return;
        }
    }
    fakeSelf->block->reschedule(fakeSelf);
}

// Whether all lanes of the mask wait in the same place; some may still be in an earlier collective of fewer lanes.
FAKE_INLINE bool together(const Warp& warp, unsigned mask, uint64_t site) {
    uint64_t difference = 0;
    if (mask == 0xffffffffu) {
        for (int lane = 0; lane < 32; lane++) {
            difference |= warp.site[lane] ^ site;
        }
    } else {
        for (unsigned left = mask; left; left &= left - 1) {
            difference |= warp.site[__builtin_ctz(left)] ^ site;
        }
    }
    return difference == 0;
}

// Waits for all lanes of the mask; the last to come computes everyone's result.
template <class Finish>
FAKE_INLINE void gather(Operation operation, unsigned mask, int line, Finish finish) {
    Warp& warp = *fakeSelf->warp;
    unsigned lane = fakeSelf->lane, bit = 1u << lane;
    uint64_t site = uint64_t(mask) << 32 | operation << 24 | (line & 0xffffff);
    warp.site[lane] = site;
    if (!(mask & bit)) {
        fakeSelf->block->fail(fakeSelf, lane, "is not in the mask of its warp collective");
    }
    warp.gathered |= bit;
    if ((warp.gathered & mask) == mask && together(warp, mask, site)) {
        finish(warp);
        warp.gathered &= ~mask;
    } else {
        pause();
    }
}

template <class To, class From>
FAKE_INLINE To bitsOf(From from) {
    To to{};
    static_assert(sizeof(From) <= 8 && sizeof(To) <= 8, "at most 8 bytes");
    __builtin_memcpy(&to, &from, sizeof(From) < sizeof(To) ? sizeof(From) : sizeof(To));
    return to;
}

template <class T>
FAKE_INLINE T shuffle(Operation operation, unsigned mask, T value, unsigned source, int line) {
    Warp& own = *fakeSelf->warp;
    own.value[fakeSelf->lane] = bitsOf<uint64_t>(value);
    own.source[fakeSelf->lane] = source;
    gather(operation, mask, line, [mask](Warp& warp) {
        for (unsigned left = mask; left; left &= left - 1) {
            unsigned lane = __builtin_ctz(left), from = warp.source[lane];
            warp.result[lane] = mask >> from & 1 ? warp.value[from] : ~uint64_t(0);  // undefined on a card
        }
    });
    return bitsOf<T>(own.result[fakeSelf->lane]);
}

FAKE_INLINE unsigned vote(Operation operation, unsigned mask, bool predicate, int line) {
    Warp& own = *fakeSelf->warp;
    own.value[fakeSelf->lane] = predicate;
    gather(operation, mask, line, [mask](Warp& warp) {
        unsigned votes = 0;
        for (unsigned left = mask; left; left &= left - 1) {
            votes |= unsigned(warp.value[__builtin_ctz(left)]) << __builtin_ctz(left);
        }
        for (unsigned left = mask; left; left &= left - 1) {
            warp.result[__builtin_ctz(left)] = votes;
        }
    });
    return unsigned(own.result[fakeSelf->lane]);
}

// c (16 x 8) += a (16 x K) b (K x 8), all by rows
template <int K>
__attribute__((noinline, unused)) static void multiply(Warp& warp) {
    typedef float Row __attribute__((vector_size(32)));
    const Row* b = reinterpret_cast<const Row*>(warp.b);
    for (int half = 0; half < 16; half += 8) {
        Row* c = reinterpret_cast<Row*>(warp.c) + half;
        const float* a = warp.a + half * K;
        Row sum[8];
#pragma GCC unroll 8
        for (int row = 0; row < 8; row++) {
            sum[row] = c[row];
        }
        for (int k = 0; k < K; k++) {
#pragma GCC unroll 8
            for (int row = 0; row < 8; row++) {
                sum[row] += a[row * K + k] * b[k];
            }
        }
#pragma GCC unroll 8
        for (int row = 0; row < 8; row++) {
            c[row] = sum[row];
        }
    }
}

// Lanes put their parts of a and b in place beforehand; a lane's two pairs of c are neighbours in its rows.
template <int K>
FAKE_INLINE void multiplyTile(Operation operation, float (&d)[4], int line) {
    float* upper = fakeSelf->warp->c + 2 * fakeSelf->lane;
    float* lower = upper + 64;
    upper[0] = d[0], upper[1] = d[1], lower[0] = d[2], lower[1] = d[3];
    gather(operation, 0xffffffffu, line, multiply<K>);
    d[0] = upper[0], d[1] = upper[1], d[2] = lower[0], d[3] = lower[1];
}

FAKE_INLINE float truncated(unsigned tf32) {
    return bitsOf<float>(tf32 & 0xffffe000u);
}

FAKE_INLINE void setPair(float* to, int step, unsigned pair) {
    to[0] = bitsOf<float>(pair << 16);
    to[step] = bitsOf<float>(pair & 0xffff0000u);
}

FAKE_INLINE unsigned segmentEnd(int width) {
    return fakeSelf->lane | unsigned(width - 1);
}

template <class... P>
struct Layout {
    int offsets[sizeof...(P) + 1] = {}, sizes[sizeof...(P) + 1] = {}, bytes = 0;
    constexpr Layout() {
        int i = 0;
        ((bytes = (bytes + int(alignof(P)) - 1) / int(alignof(P)) * int(alignof(P)), offsets[i] = bytes,
          sizes[i++] = int(sizeof(P)), bytes += int(sizeof(P))), ...);
    }
};

template <class... P>
constexpr Layout<P...> layout{};

template <int... I>
struct Indices {};

template <class... P, int... I>
FAKE_INLINE void call(void (*kernel)(P...), const char* buffer, Indices<I...>) {
    kernel(*reinterpret_cast<const P*>(buffer + layout<P...>.offsets[I])...);
}

template <class... P>
FAKE_INLINE void launch(void (*kernel)(P...), const char* buffer) {
    call(kernel, buffer, Indices<__integer_pack(int(sizeof...(P)))...>());
}

template <class... P>
constexpr Kernel describe(void (*)(P...), int threads, int = 0, int = 0) {
    return {threads, int(sizeof...(P)), layout<P...>.bytes, layout<P...>.offsets, layout<P...>.sizes};
}

}

// The fake NVRTC writes one for every kernel.
#define FAKE_KERNEL(name, ...)                                                        \
    extern "C" __attribute__((visibility("default"))) void name##__launch(const char* buffer) { \
        fake::launch(name, buffer);                                                   \
    }                                                                                 \
    extern "C" __attribute__((visibility("default"))) const fake::Kernel name##__kernel = fake::describe(name, __VA_ARGS__);

#define FAKE_LINE int line = __builtin_LINE()

FAKE_INLINE void __syncthreads(FAKE_LINE) {
    fake::Block& block = *fakeSelf->block;
    if (block.waiting && block.line != line) {
        block.fail(fakeSelf, fakeSelf->lane, "is in another __syncthreads than other threads of its block");
    }
    block.line = line;
    fakeSelf->warp->waiting |= 1u << fakeSelf->lane;
    if (++block.waiting == block.threads) {
        block.waiting = 0;
        fake::Warp* warp = fakeSelf->warp - fakeSelf->warp->index;
        for (unsigned i = 0; i < block.threads; i += 32) {
            warp[i / 32].waiting = 0;
        }
    } else {
        fake::pause();
    }
}

FAKE_INLINE void __syncwarp(unsigned mask = 0xffffffffu, FAKE_LINE) {
    fake::gather(fake::SYNCWARP, mask, line, [](fake::Warp&) {});
}

template <class T>
FAKE_INLINE T __shfl_sync(unsigned mask, T value, int source, int width = 32, FAKE_LINE) {
    unsigned lane = fakeSelf->lane;
    return fake::shuffle(fake::SHFL, mask, value, (lane & -width) | (source & (width - 1)), line);
}

template <class T>
FAKE_INLINE T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32, FAKE_LINE) {
    unsigned lane = fakeSelf->lane;
    return fake::shuffle(fake::SHFL_UP, mask, value, (lane & (width - 1)) < delta ? lane : lane - delta, line);
}

template <class T>
FAKE_INLINE T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32, FAKE_LINE) {
    unsigned lane = fakeSelf->lane;
    return fake::shuffle(fake::SHFL_DOWN, mask, value, delta > fake::segmentEnd(width) - lane ? lane : lane + delta, line);
}

template <class T>
FAKE_INLINE T __shfl_xor_sync(unsigned mask, T value, int bits, int width = 32, FAKE_LINE) {
    unsigned lane = fakeSelf->lane, other = lane ^ bits;
    return fake::shuffle(fake::SHFL_XOR, mask, value, other > fake::segmentEnd(width) ? lane : other, line);
}

FAKE_INLINE unsigned __ballot_sync(unsigned mask, int predicate, FAKE_LINE) {
    return fake::vote(fake::BALLOT, mask, predicate, line);
}

FAKE_INLINE int __any_sync(unsigned mask, int predicate, FAKE_LINE) {
    return fake::vote(fake::ANY, mask, predicate, line) != 0;
}

FAKE_INLINE int __all_sync(unsigned mask, int predicate, FAKE_LINE) {
    return fake::vote(fake::ALL, mask, predicate, line) == mask;
}

FAKE_INLINE unsigned to_tf32(float value) {
    unsigned bits = fake::bitsOf<unsigned>(value);
    return value != value ? 0x7fffffffu : (bits & 0x7fffffffu) == 0x7f800000u ? bits : (bits + 0x1000u) & 0xffffe000u;
}

FAKE_INLINE void mma_m16n8k8_tf32(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2], FAKE_LINE) {
    unsigned g = fakeSelf->lane >> 2, t = fakeSelf->lane & 3;
    float* toA = fakeSelf->warp->a + g * 8 + t;
    toA[0] = fake::truncated(a[0]);
    toA[64] = fake::truncated(a[1]);
    toA[4] = fake::truncated(a[2]);
    toA[68] = fake::truncated(a[3]);
    float* toB = fakeSelf->warp->b + t * 8 + g;
    toB[0] = fake::truncated(b[0]);
    toB[32] = fake::truncated(b[1]);
    fake::multiplyTile<8>(fake::MMA_TF32, d, line);
}

FAKE_INLINE void mma_m16n8k16_bf16(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2], FAKE_LINE) {
    unsigned g = fakeSelf->lane >> 2, t = fakeSelf->lane & 3;
    float* toA = fakeSelf->warp->a + g * 16 + 2 * t;
    fake::setPair(toA, 1, a[0]);
    fake::setPair(toA + 128, 1, a[1]);
    fake::setPair(toA + 8, 1, a[2]);
    fake::setPair(toA + 136, 1, a[3]);
    float* toB = fakeSelf->warp->b + 2 * t * 8 + g;
    fake::setPair(toB, 8, b[0]);
    fake::setPair(toB + 64, 8, b[1]);
    fake::multiplyTile<16>(fake::MMA_BF16, d, line);
}

#endif
