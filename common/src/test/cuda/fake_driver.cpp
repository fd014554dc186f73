// The driver API of a card that is not there. Everything runs in the calling thread; one lock guards it all.
#include "fake_driver.h"

#include <memory>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vector>

using namespace fake;

std::mutex fake::lock;
Counters fake::counters;
thread_local Context* fake::current;

namespace {

bool initialised;
std::vector<std::unique_ptr<Context>> devices;
std::map<void*, size_t> pinned;

Status deviceStatus(int device) {
    return !initialised ? NOT_INITIALIZED : device < 0 || device >= int(devices.size()) ? INVALID_DEVICE : SUCCESS;
}

Memory* memoryOf(uint64_t address) {
    for (auto& device : devices) {
        if (device->memory.inRange(address)) {
            return &device->memory;
        }
    }
    return nullptr;
}

char* checked(uint64_t address, uint64_t bytes, const char* what) {
    Memory* memory = memoryOf(address);
    if (!memory || !memory->covers(address, bytes)) {
        complain("%s: %llu bytes at 0x%llx are not in one live allocation", what, (unsigned long long)bytes, (unsigned long long)address);
        return nullptr;
    }
    return memory->bytesAt(address);
}

Status copyIn(uint64_t to, const void* from, size_t bytes) {
    char* bytesTo = checked(to, bytes, "copy to device");
    if (!bytesTo || !from) {
        return INVALID_VALUE;
    }
    memcpy(bytesTo, from, bytes);
    counters.toDevice += bytes;
    counters.copiesToDevice++;
    return SUCCESS;
}

Status copyOut(void* to, uint64_t from, size_t bytes) {
    char* bytesFrom = checked(from, bytes, "copy to host");
    if (!bytesFrom || !to) {
        return INVALID_VALUE;
    }
    memcpy(to, bytesFrom, bytes);
    counters.toHost += bytes;
    counters.copiesToHost++;
    return SUCCESS;
}

template <class T>
Status fill(uint64_t address, T value, size_t count, void* stream) {
    if (Status status = streamStatus(stream)) {
        return status;
    }
    char* bytes = checked(address, count * sizeof(T), "memset");
    if (!bytes || address % sizeof(T)) {
        return INVALID_VALUE;
    }
    for (size_t i = 0; i < count; i++) {
        reinterpret_cast<T*>(bytes)[i] = value;
    }
    return SUCCESS;
}

Status allocatePinned(void** to, size_t bytes) {
    if (Status status = contextStatus()) {
        return status;
    }
    if (!bytes || posix_memalign(to, 4096, bytes)) {
        return bytes ? OUT_OF_MEMORY : INVALID_VALUE;
    }
    pinned[*to] = bytes;
    return SUCCESS;
}

int capability(bool major) {
    const char* text = getenv("GUILOMO_FAKE_CAPABILITY");
    int first = 9, second = 0;
    if (text) {
        sscanf(text, "%d.%d", &first, &second);
    }
    return major ? first : second;
}

int attribute(int which, int device) {
    switch (which) {
        case 1: case 2: case 3: return MAX_THREADS;  // a block's threads, its x and y
        case 4: return 64;                           // its z
        case 5: return 0x7fffffff;                   // the grid's x, y, z
        case 6: case 7: return 65535;
        case 8: return DEFAULT_SHARED;
        case 10: return 32;                          // warp
        case 16: return 4;                           // multiprocessors
        case 33: return device + 1;                  // PCI bus
        case 39: return 2048;                        // threads of a multiprocessor
        case 41: return 1;                           // unified addresses
        case 75: case 76: return capability(which == 75);
        case 81: return MAX_SHARED + 1024;           // shared memory of a multiprocessor
        case 97: return MAX_SHARED;
        default: return 0;
    }
}

}

Status fake::contextStatus() {
    return !initialised ? NOT_INITIALIZED : !current ? INVALID_CONTEXT : SUCCESS;
}

FAKE_API void* fakeAddress(unsigned long long address) {
    Guard guard(lock);
    Memory* memory = memoryOf(address);
    return memory ? memory->bytesAt(address) : nullptr;
}

// Whether these bytes lie in one live allocation.
FAKE_API int fakeCovers(unsigned long long address, unsigned long long bytes) {
    Guard guard(lock);
    Memory* memory = memoryOf(address);
    return memory && memory->covers(address, bytes);
}

// launches, synchronisations, bytes to device, bytes to host, copies to device, copies to host, allocations, live bytes
FAKE_API void fakeCounters(long long* out) {
    Guard guard(lock);
    const Counters& c = counters;
    long long live = 0;
    for (auto& device : devices) {
        live += device->memory.live();
    }
    for (long long value : {c.launches, c.synchronisations, c.toDevice, c.toHost, c.copiesToDevice, c.copiesToHost, c.allocations, live}) {
        *out++ = value;
    }
}

FAKE_API void fakeResetCounters() {
    Guard guard(lock);
    counters = {};
}

FAKE_API Status cuInit(unsigned flags) {
    Guard guard(lock);
    if (flags) {
        return INVALID_VALUE;
    }
    int count = initialised ? 0 : int(number("GUILOMO_FAKE_DEVICES", 1));
    for (int i = 0; i < count; i++) {
        devices.push_back(std::make_unique<Context>(i));
    }
    initialised = true;
    return devices.empty() ? NO_DEVICE : SUCCESS;
}

FAKE_API Status cuDriverGetVersion(int* version) {
    *version = 13000;
    return SUCCESS;
}

FAKE_API Status cuDeviceGetCount(int* count) {
    Guard guard(lock);
    *count = int(devices.size());
    return initialised ? SUCCESS : NOT_INITIALIZED;
}

FAKE_API Status cuDeviceGet(int* device, int ordinal) {
    Guard guard(lock);
    *device = ordinal;
    return deviceStatus(ordinal);
}

FAKE_API Status cuDeviceGetName(char* name, int length, int device) {
    Guard guard(lock);
    snprintf(name, length, "Fake card");
    return deviceStatus(device);
}

FAKE_API Status cuDeviceTotalMem_v2(size_t* bytes, int device) {
    Guard guard(lock);
    if (Status status = deviceStatus(device)) {
        return status;
    }
    *bytes = devices[device]->memory.total();
    return SUCCESS;
}

FAKE_API Status cuDeviceGetAttribute(int* value, int which, int device) {
    Guard guard(lock);
    *value = attribute(which, device);
    return deviceStatus(device);
}

FAKE_API Status cuDeviceGetUuid_v2(char* uuid, int device) {
    Guard guard(lock);
    memcpy(uuid, "fake card uuid ", 15);
    uuid[15] = char(device);
    return deviceStatus(device);
}

FAKE_API Status cuDeviceGetPCIBusId(char* id, int length, int device) {
    Guard guard(lock);
    snprintf(id, length, "0000:%02x:00.0", device + 1);
    return deviceStatus(device);
}

FAKE_API Status cuDevicePrimaryCtxRetain(Context** context, int device) {
    Guard guard(lock);
    if (Status status = deviceStatus(device)) {
        return status;
    }
    *context = devices[device].get();
    (*context)->held++;
    return SUCCESS;
}

FAKE_API Status cuDevicePrimaryCtxRelease_v2(int device) {
    Guard guard(lock);
    if (Status status = deviceStatus(device)) {
        return status;
    }
    return devices[device]->held-- > 0 ? SUCCESS : (devices[device]->held = 0, INVALID_CONTEXT);
}

FAKE_API Status cuCtxSetCurrent(Context* context) {
    Guard guard(lock);
    bool known = !context;
    for (auto& device : devices) {
        known |= device.get() == context && context->held;
    }
    if (!known) {
        return INVALID_CONTEXT;
    }
    current = context;
    return SUCCESS;
}

FAKE_API Status cuCtxGetCurrent(Context** context) {
    *context = current;
    return SUCCESS;
}

FAKE_API Status cuCtxSynchronize() {
    Guard guard(lock);
    return synchronise(contextStatus());
}

FAKE_API Status cuMemGetInfo_v2(size_t* available, size_t* total) {
    Guard guard(lock);
    if (Status status = contextStatus()) {
        return status;
    }
    *available = current->memory.available();
    *total = current->memory.total();
    return SUCCESS;
}

FAKE_API Status cuMemAlloc_v2(uint64_t* address, size_t bytes) {
    Guard guard(lock);
    if (Status status = contextStatus()) {
        return status;
    }
    Status status = current->memory.allocate(bytes, address);
    counters.allocations += status == SUCCESS;
    return status;
}

FAKE_API Status cuMemFree_v2(uint64_t address) {
    Guard guard(lock);
    if (Status status = contextStatus()) {
        return status;
    }
    Memory* memory = memoryOf(address);
    return !address ? SUCCESS : (memory ? memory : &current->memory)->release(address);
}

FAKE_API Status cuMemAllocHost_v2(void** to, size_t bytes) {
    Guard guard(lock);
    return allocatePinned(to, bytes);
}

FAKE_API Status cuMemHostAlloc(void** to, size_t bytes, unsigned) {
    Guard guard(lock);
    return allocatePinned(to, bytes);
}

FAKE_API Status cuMemFreeHost(void* p) {
    Guard guard(lock);
    if (!pinned.erase(p)) {
        complain("no host memory at %p to free", p);
        return INVALID_VALUE;
    }
    free(p);
    return SUCCESS;
}

FAKE_API Status cuMemcpyHtoD_v2(uint64_t to, const void* from, size_t bytes) {
    Guard guard(lock);
    Status status = contextStatus();
    return status ? status : copyIn(to, from, bytes);
}

FAKE_API Status cuMemcpyDtoH_v2(void* to, uint64_t from, size_t bytes) {
    Guard guard(lock);
    Status status = contextStatus();
    return status ? status : copyOut(to, from, bytes);
}

FAKE_API Status cuMemcpyHtoDAsync_v2(uint64_t to, const void* from, size_t bytes, void* stream) {
    Guard guard(lock);
    Status status = streamStatus(stream);
    return status ? status : copyIn(to, from, bytes);
}

FAKE_API Status cuMemcpyDtoHAsync_v2(void* to, uint64_t from, size_t bytes, void* stream) {
    Guard guard(lock);
    Status status = streamStatus(stream);
    return status ? status : copyOut(to, from, bytes);
}

FAKE_API Status cuMemcpyDtoDAsync_v2(uint64_t to, uint64_t from, size_t bytes, void* stream) {
    Guard guard(lock);
    if (Status status = streamStatus(stream)) {
        return status;
    }
    char* bytesTo = checked(to, bytes, "copy on device");
    char* bytesFrom = checked(from, bytes, "copy on device");
    if (!bytesTo || !bytesFrom) {
        return INVALID_VALUE;
    }
    memmove(bytesTo, bytesFrom, bytes);
    return SUCCESS;
}

FAKE_API Status cuMemsetD8Async(uint64_t address, unsigned char value, size_t count, void* stream) {
    Guard guard(lock);
    return fill(address, value, count, stream);
}

FAKE_API Status cuMemsetD16Async(uint64_t address, unsigned short value, size_t count, void* stream) {
    Guard guard(lock);
    return fill(address, value, count, stream);
}

FAKE_API Status cuMemsetD32Async(uint64_t address, unsigned value, size_t count, void* stream) {
    Guard guard(lock);
    return fill(address, value, count, stream);
}
