#include "fake_driver.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

namespace fake {

namespace {

constexpr uint64_t UNIT = 256;  // alignment, and the watched gap behind every allocation

// The upper halves of device addresses are values that two neighbouring 32-bit parameters hardly ever hold.
constexpr uint64_t FIRST_ADDRESS = 0x6b1700000000, NEXT_DEVICE = 0x10100000000;

uint64_t roundUp(uint64_t bytes) {
    return (bytes + UNIT - 1) / UNIT * UNIT;
}

uint64_t memorySize() {
    const char* text = getenv("GUILOMO_FAKE_MEMORY");
    if (!text || !*text) {
        return uint64_t(2) << 30;
    }
    char* unit;
    uint64_t size = strtoull(text, &unit, 10);
    int shift = *unit == 'g' || *unit == 'G' ? 30 : *unit == 'm' || *unit == 'M' ? 20 : *unit == 'k' || *unit == 'K' ? 10 : 0;
    return roundUp(size << shift);
}

char* map(void* address, uint64_t size, int protection) {
    void* at = mmap(address, size, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED) {
        complain("cannot map %llu bytes for device memory", (unsigned long long)size);
        abort();
    }
    return static_cast<char*>(at);
}

}

void complain(const char* format, ...) {
    char text[1000];
    va_list values;
    va_start(values, format);
    vsnprintf(text, sizeof text, format, values);
    va_end(values);
    fprintf(stderr, "fake card: %s\n", text);
    fflush(stderr);
}

long long number(const char* variable, long long absent) {
    const char* text = getenv(variable);
    return text && *text ? atoll(text) : absent;
}

Memory::Memory(int device) : size(memorySize()) {
    base = uint64_t(map(reinterpret_cast<void*>(FIRST_ADDRESS + device * NEXT_DEVICE), size, PROT_NONE));
    backing = map(nullptr, size, PROT_READ | PROT_WRITE);
    holes[0] = size;
    holesBySize.insert({size, 0});
}

Status Memory::allocate(uint64_t bytes, uint64_t* address) {
    if (bytes == 0) {
        return INVALID_VALUE;
    }
    if (bytes > size) {
        return OUT_OF_MEMORY;
    }
    uint64_t block = roundUp(bytes) + UNIT;
    auto best = holesBySize.lower_bound({block, 0});
    if (best == holesBySize.end()) {
        return OUT_OF_MEMORY;
    }
    auto [hole, offset] = *best;
    holesBySize.erase(best);
    holes.erase(offset);
    if (hole > block) {
        holes[offset + block] = hole - block;
        holesBySize.insert({hole - block, offset + block});
    }
    memset(backing + offset, 0xff, block);
    allocations[offset] = bytes;
    used += block;
    allocated += bytes;
    *address = base + offset;
    return SUCCESS;
}

Status Memory::release(uint64_t address) {
    auto found = inRange(address) ? allocations.find(address - base) : allocations.end();
    if (found == allocations.end()) {
        complain("no allocation at 0x%llx to free", (unsigned long long)address);
        return INVALID_VALUE;
    }
    uint64_t offset = found->first, bytes = found->second;
    bool whole = intact(offset, bytes);
    if (!whole) {
        complain("something wrote behind the %llu bytes at 0x%llx", (unsigned long long)bytes, (unsigned long long)address);
    }
    allocations.erase(found);
    uint64_t block = roundUp(bytes) + UNIT;
    used -= block;
    allocated -= bytes;
    auto next = holes.lower_bound(offset);
    if (next != holes.end() && next->first == offset + block) {
        block += next->second;
        holesBySize.erase({next->second, next->first});
        next = holes.erase(next);
    }
    if (next != holes.begin()) {
        auto before = std::prev(next);
        if (before->first + before->second == offset) {
            offset = before->first;
            block += before->second;
            holesBySize.erase({before->second, before->first});
            holes.erase(before);
        }
    }
    holes[offset] = block;
    holesBySize.insert({block, offset});
    return whole ? SUCCESS : ILLEGAL_ADDRESS;
}

bool Memory::covers(uint64_t address, uint64_t bytes) const {
    if (!inRange(address)) {
        return false;
    }
    uint64_t offset = address - base;
    auto after = allocations.upper_bound(offset);
    if (after == allocations.begin()) {
        return false;
    }
    auto [start, length] = *std::prev(after);
    return offset - start <= length && bytes <= length - (offset - start);
}

bool Memory::intact(uint64_t offset, uint64_t bytes) const {
    const char* end = backing + offset + roundUp(bytes) + UNIT;
    for (const char* p = backing + offset + bytes; p < end; p++) {
        if (*p != char(0xff)) {
            return false;
        }
    }
    return true;
}

const char* Memory::overrun() const {
    static char text[100];
    for (auto [offset, bytes] : allocations) {
        if (!intact(offset, bytes)) {
            snprintf(text, sizeof text, "wrote behind the %llu bytes at 0x%llx", (unsigned long long)bytes, (unsigned long long)(base + offset));
            return text;
        }
    }
    return nullptr;
}

}
