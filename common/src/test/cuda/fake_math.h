// CUDA's vector types, conversions and fast functions on top of math.h.
#ifndef FAKE_MATH_H
#define FAKE_MATH_H

#include <math.h>

#define FAKE_VECTORS(T, name)                                                             \
    struct alignas(2 * sizeof(T)) name##2 {                                               \
        T x, y;                                                                           \
    };                                                                                    \
    struct alignas(sizeof(T) < 4 ? 4 * sizeof(T) : 16) name##4 {                          \
        T x, y, z, w;                                                                     \
    };                                                                                    \
    inline name##2 make_##name##2(T x, T y) {                                             \
        return {x, y};                                                                    \
    }                                                                                     \
    inline name##4 make_##name##4(T x, T y, T z, T w) {                                   \
        return {x, y, z, w};                                                              \
    }

FAKE_VECTORS(unsigned char, uchar)
FAKE_VECTORS(short, short)
FAKE_VECTORS(unsigned short, ushort)
FAKE_VECTORS(int, int)
FAKE_VECTORS(unsigned, uint)
FAKE_VECTORS(float, float)
FAKE_VECTORS(double, double)
FAKE_VECTORS(long long, longlong)
FAKE_VECTORS(unsigned long long, ulonglong)

#define FAKE_BITS(name, To, From)               \
    inline To name(From value) {                \
        To to;                                  \
        __builtin_memcpy(&to, &value, sizeof to); \
        return to;                              \
    }

FAKE_BITS(__float_as_uint, unsigned, float)
FAKE_BITS(__float_as_int, int, float)
FAKE_BITS(__uint_as_float, float, unsigned)
FAKE_BITS(__int_as_float, float, int)
FAKE_BITS(__double_as_longlong, long long, double)
FAKE_BITS(__longlong_as_double, double, long long)

// math.h declares names such as __expf for itself, hence macros
#define __expf(x) expf(x)
#define __exp10f(x) exp10f(x)
#define __logf(x) logf(x)
#define __log2f(x) log2f(x)
#define __log10f(x) log10f(x)
#define __powf(x, y) powf(x, y)
#define __sinf(x) sinf(x)
#define __cosf(x) cosf(x)
#define __sincosf(x, s, c) sincosf(x, s, c)
#define rsqrtf(x) (1.0f / sqrtf(x))
#define rsqrt(x) (1.0 / sqrt(double(x)))

inline float __fdividef(float a, float b) { return a / b; }
inline float __fdiv_rn(float a, float b) { return a / b; }
inline float __fsqrt_rn(float a) { return sqrtf(a); }
inline float __frcp_rn(float a) { return 1.0f / a; }
inline float __fmaf_rn(float a, float b, float c) { return fmaf(a, b, c); }

// never contracted into a fused multiply-add, as on a card
__attribute__((noinline, noipa, unused)) static float __fmul_rn(float a, float b) { return a * b; }
__attribute__((noinline, noipa, unused)) static float __fadd_rn(float a, float b) { return a + b; }

inline unsigned __umulhi(unsigned a, unsigned b) { return unsigned((unsigned long long)a * b >> 32); }
inline int __mulhi(int a, int b) { return int((long long)a * b >> 32); }
inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
    return (unsigned long long)((unsigned __int128)a * b >> 64);
}
inline int __popc(unsigned a) { return __builtin_popcount(a); }
inline int __clz(int a) { return a ? __builtin_clz(a) : 32; }
inline int __ffs(int a) { return __builtin_ffs(a); }
inline float __int2float_rn(int a) { return float(a); }
inline float __uint2float_rn(unsigned a) { return float(a); }
inline float __double2float_rn(double a) { return float(a); }
inline int __float2int_rn(float a) { return int(rintf(a)); }
inline int __float2int_rz(float a) { return int(a); }
inline void __threadfence() {}
inline void __threadfence_block() {}

extern "C" int printf(const char*, ...);
#define __trap() __builtin_trap()

template <class T, class Change>
inline T fakeAtomic(T* p, Change changed) {
    T old;
    __atomic_load(p, &old, __ATOMIC_RELAXED);
    for (T next = changed(old); !__atomic_compare_exchange(p, &old, &next, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED); next = changed(old)) {
    }
    return old;
}

template <class T>
inline T atomicAdd(T* p, T value) {
    return fakeAtomic(p, [value](T old) { return T(old + value); });
}

template <class T>
inline T atomicMax(T* p, T value) {
    return fakeAtomic(p, [value](T old) { return old < value ? value : old; });
}

template <class T>
inline T __ldg(const T* p) { return *p; }

inline float min(float a, float b) { return fminf(a, b); }
inline float max(float a, float b) { return fmaxf(a, b); }
inline double min(double a, double b) { return fmin(a, b); }
inline double max(double a, double b) { return fmax(a, b); }

template <class A, class B>
constexpr auto min(A a, B b) -> decltype(a + b) { return b < a ? b : a; }
template <class A, class B>
constexpr auto max(A a, B b) -> decltype(a + b) { return a < b ? b : a; }

#endif
