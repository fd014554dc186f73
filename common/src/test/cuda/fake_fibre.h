// What kernel libraries and the fake driver share: the threads of a block are fibres, each with a stack of its own, and the
// lanes of a warp meet in arrays of the warp. Blocks run one after the other on a host thread (a "machine" in the driver).
#ifndef FAKE_FIBRE_H
#define FAKE_FIBRE_H

#include <stdint.h>

struct uint3 {
    unsigned x, y, z;
};

namespace fake {

struct Block;
struct Warp;

struct Fibre {
    uint3 thread;
    unsigned lane;
    Warp* warp;
    Block* block;
};

enum Operation { SYNCWARP, SHFL, SHFL_UP, SHFL_DOWN, SHFL_XOR, BALLOT, ANY, ALL, MMA_TF32, MMA_BF16, OPERATIONS };

// Every lane owns its slots of the arrays. The last lane to arrive writes all results, so that a lane that runs ahead to the
// next collective disturbs nothing a slower lane has yet to read.
struct alignas(64) Warp {
    unsigned live, gathered, waiting;  // lanes that have not ended; in a warp collective; in __syncthreads
    unsigned index;
    void* stack[32];                   // of a paused lane; null before it starts
    uint64_t site[32];                 // mask << 32 | operation << 24 | source line
    uint64_t value[32], result[32];
    unsigned char source[32];
    alignas(64) float a[16 * 16], b[16 * 8], c[16 * 8];

    unsigned runnable() const { return live & ~(gathered | waiting); }
};

struct Block {
    uint3 index, size, grid;
    unsigned threads, waiting;         // of the block; of these in __syncthreads
    int line;                          // of the __syncthreads they wait in
    char* shared;
    const char* kernel;
    void (*reschedule)(Fibre*);        // pauses this fibre and runs any other of the block
    void (*fail)(Fibre*, unsigned other, const char* what);  // reports divergence and aborts; other: a lane of the warp
};

// How the driver calls a kernel. Parameters lie in the launch buffer at their natural alignment.
struct Kernel {
    int threads;                       // the most that __launch_bounds__ allows
    int parameters, bytes;
    const int* offsets;
    const int* sizes;
};

// Keeps this fibre's stack pointer and goes on where the other one paused. Only what a call must preserve is saved.
__attribute__((naked, noinline, noipa, unused)) static void change(void** /* keep */, void* /* to */) {
    asm("push %rbp\n push %rbx\n push %r12\n push %r13\n push %r14\n push %r15\n"
        "mov %rsp, (%rdi)\n mov %rsi, %rsp\n"
        "pop %r15\n pop %r14\n pop %r13\n pop %r12\n pop %rbx\n pop %rbp\n ret");
}

inline unsigned nextLane(unsigned runnable, unsigned lane) {
    unsigned from = (lane + 1) & 31;
    unsigned turned = runnable >> from | runnable << (-from & 31);
    return (from + __builtin_ctz(turned)) & 31;
}

}

#endif
