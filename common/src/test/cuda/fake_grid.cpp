// Runs grids: blocks are spread over a few host threads, the threads of a block are fibres of one host thread.
#include "fake_driver.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <string>
#include <sys/mman.h>
#include <thread>
#include <time.h>
#include <vector>

namespace fake {

namespace {

constexpr size_t PAGE = 4096, STACK = 256 << 10, SLOT = STACK + PAGE;
constexpr size_t COLOUR = 320;       // shifts stacks against each other, so that their tops fall on different cache sets
constexpr long long ALONE = 20000;   // nanoseconds before other host threads are asked to help

const char* const OPERATION_NAMES[OPERATIONS] = {"__syncwarp", "__shfl_sync", "__shfl_up_sync", "__shfl_down_sync", "__shfl_xor_sync",
    "__ballot_sync", "__any_sync", "__all_sync", "mma_m16n8k8_tf32", "mma_m16n8k16_bf16"};

long long now() {
    timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

char* reserve(size_t size) {
    void* at = mmap(nullptr, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED) {
        complain("cannot map %zu bytes for the threads of a block", size);
        abort();
    }
    return static_cast<char*>(at);
}

char* open(char* pages, size_t size) {
    if (mprotect(pages, size, PROT_READ | PROT_WRITE)) {
        complain("cannot map %zu bytes for the threads of a block", size);
        abort();
    }
    return pages;
}

// What one host thread runs blocks with.
struct Machine : Block {
    Machine();
    void prepare(const Launch& next);
    void runBlock(uint64_t block);
    char* takeStack();
    void* begin(Fibre* fibre);
    Fibre* next(Fibre* fibre);
    std::string describe(const Warp& warp, unsigned lane) const;

    Launch launch{};
    void* home = nullptr;    // the host thread's stack pointer while fibres run
    char* sharedEnd;         // followed by a page that nobody can touch
    char* stacks;
    std::vector<char*> spare;
    int made = 0;
    bool backwards = false;  // every second block goes through its warps backwards, which shows barriers that are missing
    const bool flip = number("GUILOMO_FAKE_ORDER", 0);
    Warp warps[MAX_THREADS / 32];
    Fibre fibres[MAX_THREADS];
};

__attribute__((naked, noinline, noipa)) void enter(void (*)(const char*), const char*, Fibre*) {
    asm("push %r15\n mov %rdx, %r15\n mov %rdi, %rax\n mov %rsi, %rdi\n call *%rax\n pop %r15\n ret");
}

// Runs one thread of the block after the other on this stack as long as they end without a pause.
__attribute__((used, noreturn)) void runFibres(Fibre* fibre, char* stack) {
    Machine& machine = *static_cast<Machine*>(fibre->block);
    for (;;) {
        enter(machine.launch.kernel, machine.launch.buffer, fibre);
        fibre->warp->live &= ~(1u << fibre->lane);
        Fibre* next = machine.next(fibre);
        void* to = next ? next->warp->stack[next->lane] : machine.home;
        if (to) {
            machine.spare.push_back(stack);
            void* unused;
            change(&unused, to);
            __builtin_unreachable();
        }
        fibre = next;
    }
}

__attribute__((naked, used)) void firstFrame() {
    asm("mov %r15, %rdi\n mov %r14, %rsi\n call *%rbx\n ud2");
}

void rescheduleFibre(Fibre* fibre) {
    Machine& machine = *static_cast<Machine*>(fibre->block);
    Fibre* next = machine.next(fibre);
    void*& to = next->warp->stack[next->lane];
    change(&fibre->warp->stack[fibre->lane], to ? to : machine.begin(next));
}

void failFibre(Fibre* fibre, unsigned other, const char* what) {
    Machine& machine = *static_cast<Machine*>(fibre->block);
    const uint3 &b = machine.index, &t = fibre->thread;
    complain("kernel %s, block (%u,%u,%u), thread (%u,%u,%u) %s%s", machine.kernel, b.x, b.y, b.z, t.x, t.y, t.z, what,
        other == fibre->lane ? "" : (", " + machine.describe(*fibre->warp, other)).c_str());
    abort();
}

Machine::Machine() {
    size_t size = (MAX_SHARED + PAGE - 1) / PAGE * PAGE;
    sharedEnd = open(reserve(size + PAGE), size) + size;
    stacks = reserve(SLOT * MAX_THREADS);
    spare.reserve(MAX_THREADS);
    reschedule = rescheduleFibre;
    fail = failFibre;
    for (unsigned i = 0; i < MAX_THREADS; i++) {
        warps[i / 32].index = i / 32;
        fibres[i] = {{}, i % 32, &warps[i / 32], this};
    }
}

void Machine::prepare(const Launch& next) {
    launch = next;
    size = next.block;
    grid = next.grid;
    kernel = next.name;
    threads = size.x * size.y * size.z;
    shared = sharedEnd - (next.shared + 15) / 16 * 16;
    for (unsigned i = 0; i < threads; i++) {
        fibres[i].thread = {i % size.x, i / size.x % size.y, i / size.x / size.y};
    }
}

void Machine::runBlock(uint64_t block) {
    index = {unsigned(block % grid.x), unsigned(block / grid.x % grid.y), unsigned(block / grid.x / grid.y)};
    waiting = 0;
    memset(shared, 0xff, sharedEnd - shared);
    for (unsigned first = 0; first < threads; first += 32) {
        Warp& warp = warps[first / 32];
        warp.live = threads - first >= 32 ? ~0u : (1u << (threads - first)) - 1;
        warp.gathered = warp.waiting = 0;
        memset(warp.stack, 0, sizeof warp.stack);
    }
    backwards = (block + flip) % 2;
    change(&home, begin(&fibres[backwards ? (threads - 1) / 32 * 32 : 0]));
}

char* Machine::takeStack() {
    if (spare.empty()) {
        spare.push_back(open(stacks + SLOT * made + PAGE, STACK));
        made++;
    }
    char* stack = spare.back();
    spare.pop_back();
    return stack;
}

void* Machine::begin(Fibre* fibre) {
    char* stack = takeStack();
    void** top = reinterpret_cast<void**>(stack + STACK - (stack - stacks) / SLOT * COLOUR % PAGE);
    *--top = nullptr;
    *--top = nullptr;
    *--top = reinterpret_cast<void*>(firstFrame);
    *--top = nullptr;                                // rbp
    *--top = reinterpret_cast<void*>(runFibres);     // rbx
    top -= 2;                                        // r12, r13
    *--top = stack;                                  // r14
    *--top = fibre;                                  // r15
    return top;
}

// The next fibre that can run, or null when the block is done.
Fibre* Machine::next(Fibre* fibre) {
    Warp& own = *fibre->warp;
    if (unsigned runnable = own.runnable()) {
        return &fibres[own.index * 32 + nextLane(runnable, fibre->lane)];
    }
    if (own.gathered) {
        unsigned lane = __builtin_ctz(own.gathered);
        unsigned missing = 0;
        for (unsigned left = unsigned(own.site[lane] >> 32); left; left &= left - 1) {
            unsigned other = __builtin_ctz(left);
            missing |= own.gathered >> other & 1 && own.site[other] == own.site[lane] ? 0 : 1u << other;
        }
        Fibre* stuck = &fibres[own.index * 32 + lane];
        std::string what = "is stuck in a divergent warp collective: " + describe(own, lane);
        failFibre(stuck, missing ? __builtin_ctz(missing) : lane, what.c_str());
    }
    unsigned count = (threads + 31) / 32, waitingWarp = count;
    for (unsigned i = 1; i <= count; i++) {
        Warp& warp = warps[(own.index + (backwards ? count - i : i)) % count];
        if (unsigned runnable = warp.runnable()) {
            return &fibres[warp.index * 32 + __builtin_ctz(runnable)];
        }
        if (warp.waiting) {
            waitingWarp = warp.index;
        }
    }
    if (waitingWarp == count) {
        return nullptr;
    }
    unsigned lane = __builtin_ctz(warps[waitingWarp].waiting);
    std::string what = "is stuck in a divergent barrier: " + describe(warps[waitingWarp], lane) + ", " + std::to_string(threads - waiting) + " of "
        + std::to_string(threads) + " threads of the block have ended";
    failFibre(&fibres[waitingWarp * 32 + lane], lane, what.c_str());
    return nullptr;
}

std::string Machine::describe(const Warp& warp, unsigned lane) const {
    std::string name = "lane " + std::to_string(lane) + " of warp " + std::to_string(warp.index) + " ";
    if (warp.index * 32 + lane >= threads) {
        return name + "does not exist";
    }
    unsigned bit = 1u << lane;
    if (warp.gathered & bit) {
        uint64_t site = warp.site[lane];
        return name + "waits in " + OPERATION_NAMES[site >> 24 & 0xff] + " at line " + std::to_string(site & 0xffffff);
    }
    return name + (warp.waiting & bit ? "waits in __syncthreads at line " + std::to_string(line) : warp.live & bit ? "runs" : "has ended");
}

// The launching thread takes blocks at once; helpers join when a launch turns out to be long.
class Pool {
public:
    void run(const Launch& launch) {
        Job job{launch, uint64_t(launch.grid.x) * launch.grid.y * launch.grid.z};
        long long started = helpers ? now() : 0;
        bool alone = helpers && job.blocks > 1;
        main.prepare(launch);
        for (uint64_t number; (number = job.taken++) < job.blocks;) {
            main.runBlock(number);
            if (alone && now() - started > ALONE) {
                alone = false;
                callHelpers(&job);
            }
        }
        std::unique_lock<std::mutex> lock(mutex);
        current = nullptr;
        idle.wait(lock, [this] { return busy == 0; });
    }

private:
    struct Job {
        const Launch& launch;
        uint64_t blocks;
        std::atomic<uint64_t> taken{0};
    };

    void callHelpers(Job* job) {
        std::lock_guard<std::mutex> lock(mutex);
        current = job;
        for (; started < helpers; started++) {
            std::thread([this] { help(); }).detach();
        }
        called.notify_all();
    }

    void help() {
        Machine& machine = *new Machine;
        std::unique_lock<std::mutex> lock(mutex);
        for (;;) {
            called.wait(lock, [this] { return current && current->taken < current->blocks; });
            Job& job = *current;
            busy++;
            lock.unlock();
            machine.prepare(job.launch);
            for (uint64_t number; (number = job.taken++) < job.blocks;) {
                machine.runBlock(number);
            }
            lock.lock();
            busy--;
            idle.notify_all();
        }
    }

    Machine main;
    const int helpers = int(std::clamp(number("GUILOMO_FAKE_THREADS", 2), 1LL, 64LL)) - 1;
    int started = 0, busy = 0;
    Job* current = nullptr;
    std::mutex mutex;
    std::condition_variable called, idle;
};

}

void run(const Launch& launch) {
    static Pool& pool = *new Pool;  // outlives the helpers
    pool.run(launch);
}

}
