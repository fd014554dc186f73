// Inside the fake driver: memory (fake_memory.cpp), running grids (fake_grid.cpp) and the API (fake_driver.cpp).
#ifndef FAKE_DRIVER_H
#define FAKE_DRIVER_H

#include <map>
#include <mutex>
#include <set>
#include <stddef.h>
#include <stdint.h>

#include "fake_fibre.h"

#define FAKE_API extern "C" __attribute__((visibility("default")))

enum Status {
    SUCCESS = 0,
    INVALID_VALUE = 1,
    OUT_OF_MEMORY = 2,
    NOT_INITIALIZED = 3,
    NO_DEVICE = 100,
    INVALID_DEVICE = 101,
    INVALID_IMAGE = 200,
    INVALID_CONTEXT = 201,
    INVALID_HANDLE = 400,
    NOT_FOUND = 500,
    ILLEGAL_ADDRESS = 700
};

namespace fake {

constexpr int MAX_THREADS = 1024;
constexpr unsigned DEFAULT_SHARED = 48 << 10, MAX_SHARED = 232448;

void complain(const char* format, ...) __attribute__((format(printf, 1, 2)));
long long number(const char* variable, long long absent);

// Of one device. Its addresses cannot be touched by the host; the bytes lie at a constant distance from them.
class Memory {
public:
    explicit Memory(int device);
    Status allocate(uint64_t bytes, uint64_t* address);
    Status release(uint64_t address);
    bool covers(uint64_t address, uint64_t bytes) const;  // all in one live allocation
    bool inRange(uint64_t address) const { return address - base < size; }
    char* bytesAt(uint64_t address) const { return backing + (address - base); }
    uint64_t total() const { return size; }
    uint64_t available() const { return size - used; }
    uint64_t live() const { return allocated; }
    const char* overrun() const;  // what a kernel wrote behind an allocation, or null

private:
    bool intact(uint64_t offset, uint64_t bytes) const;

    uint64_t base, size, used = 0, allocated = 0;
    char* backing;
    std::map<uint64_t, uint64_t> allocations;             // offset, bytes asked for
    std::map<uint64_t, uint64_t> holes;                   // offset, bytes
    std::set<std::pair<uint64_t, uint64_t>> holesBySize;  // bytes, offset
};

struct Launch {
    void (*kernel)(const char*);
    const char* buffer;
    const char* name;
    uint3 grid, block;
    unsigned shared;
};

void run(const Launch& launch);

struct Context {
    Memory memory;
    int held = 0;
    explicit Context(int device) : memory(device) {}
};

struct Counters {
    long long launches, synchronisations, toDevice, toHost, copiesToDevice, copiesToHost, allocations;
};

// One lock guards all of the driver.
typedef std::lock_guard<std::mutex> Guard;
extern std::mutex lock;
extern Counters counters;
extern thread_local Context* current;

Status contextStatus();
Status streamStatus(void* stream);
Status synchronise(Status status);  // counts it when all is well

}

#endif
