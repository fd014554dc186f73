// Modules, functions and launches.
#include "fake_driver.h"

#include <dlfcn.h>
#include <memory>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <string>
#include <unistd.h>
#include <vector>

using namespace fake;

namespace {

struct Function {
    std::string name;
    void (*launch)(const char*);
    const Kernel* kernel;
    unsigned maxShared;
};

struct Module {
    void* library;
    std::map<std::string, std::unique_ptr<Function>> functions;
};

std::set<void*> modules, functions;

// A kernel library is a magic, its length and an ELF image.
void* load(const char* image) {
    uint64_t length;
    if (memcmp(image, "FAKECUBI", 8)) {
        return nullptr;
    }
    memcpy(&length, image + 8, 8);
    const char* folder = getenv("TMPDIR");
    std::string path = std::string(folder && *folder ? folder : "/tmp") + "/fake-kernels-XXXXXX";
    int file = mkstemp(path.data());
    if (file < 0) {
        complain("cannot write %s", path.c_str());
        return nullptr;
    }
    uint64_t written = 0;
    for (ssize_t n; written < length && (n = write(file, image + 16 + written, length - written)) > 0;) {
        written += n;
    }
    close(file);
    void* library = written == length ? dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL) : nullptr;
    if (!library) {
        complain("cannot load kernels: %s", written == length ? dlerror() : "disk full");
    }
    unlink(path.c_str());
    return library;
}

bool inLimits(const Function& function, uint3 grid, uint3 block, unsigned shared) {
    uint64_t threads = uint64_t(block.x) * block.y * block.z;
    return grid.x && grid.y && grid.z && grid.x <= 0x7fffffff && grid.y <= 65535 && grid.z <= 65535
        && threads && block.x <= 1024 && block.y <= 1024 && block.z <= 64 && threads <= unsigned(function.kernel->threads)
        && threads <= MAX_THREADS && shared <= function.maxShared;
}

// Parameters as one buffer, device addresses turned into those of the bytes behind them.
bool pack(const Kernel& kernel, void** parameters, void** extra, std::vector<uint64_t>& buffer, const Memory& memory) {
    if (!extra == !parameters && kernel.parameters) {
        return false;
    }
    buffer.assign(kernel.bytes / 8 + 1, 0);
    uint64_t* start = buffer.data();
    if (parameters) {
        for (int i = 0; i < kernel.parameters; i++) {
            memcpy(reinterpret_cast<char*>(start) + kernel.offsets[i], parameters[i], kernel.sizes[i]);
        }
    } else if (extra) {
        const void* from = nullptr;
        size_t size = 0;
        for (; *extra; extra += 2) {
            uint64_t key = reinterpret_cast<uint64_t>(*extra);
            if (key == 1) {
                from = extra[1];
            } else if (key == 2) {
                size = *static_cast<size_t*>(extra[1]);
            } else {
                return false;
            }
        }
        if ((size + 7) / 8 != size_t(kernel.bytes + 7) / 8 || (!from && size)) {
            complain("the kernel takes %d bytes of parameters, not %zu", kernel.bytes, size);
            return false;
        }
        memcpy(start, from, kernel.bytes);
    }
    for (int i = 0; i < kernel.bytes / 8; i++) {
        if (memory.inRange(start[i])) {
            start[i] = reinterpret_cast<uint64_t>(memory.bytesAt(start[i]));
        }
    }
    return true;
}
}

FAKE_API Status cuModuleLoadData(Module** module, const void* image) {
    Guard guard(lock);
    if (Status status = contextStatus()) {
        return status;
    }
    void* library = load(static_cast<const char*>(image));
    if (!library) {
        return INVALID_IMAGE;
    }
    *module = new Module{library, {}};
    modules.insert(*module);
    return SUCCESS;
}

FAKE_API Status cuModuleUnload(Module* module) {
    Guard guard(lock);
    if (!modules.erase(module)) {
        return INVALID_HANDLE;
    }
    for (auto& function : module->functions) {
        functions.erase(function.second.get());
    }
    dlclose(module->library);
    delete module;
    return SUCCESS;
}

FAKE_API Status cuModuleGetFunction(Function** function, Module* module, const char* name) {
    Guard guard(lock);
    if (!modules.count(module)) {
        return INVALID_HANDLE;
    }
    auto& kept = module->functions[name];
    if (!kept) {
        void* launch = dlsym(module->library, (std::string(name) + "__launch").c_str());
        void* kernel = dlsym(module->library, (std::string(name) + "__kernel").c_str());
        if (!launch || !kernel) {
            module->functions.erase(name);
            return NOT_FOUND;
        }
        kept = std::make_unique<Function>(Function{name, reinterpret_cast<void (*)(const char*)>(launch),
            static_cast<const Kernel*>(kernel), DEFAULT_SHARED});
        functions.insert(kept.get());
    }
    *function = kept.get();
    return SUCCESS;
}

FAKE_API Status cuFuncSetAttribute(Function* function, int which, int value) {
    Guard guard(lock);
    if (!functions.count(function)) {
        return INVALID_HANDLE;
    }
    if (which == 8) {
        if (value < 0 || unsigned(value) > MAX_SHARED) {
            return INVALID_VALUE;
        }
        function->maxShared = value;
    }
    return SUCCESS;
}

FAKE_API Status cuFuncGetAttribute(int* value, int which, Function* function) {
    Guard guard(lock);
    if (!functions.count(function)) {
        return INVALID_HANDLE;
    }
    *value = which == 0 ? function->kernel->threads : which == 4 ? 32 : which == 8 ? int(function->maxShared) : 0;
    return SUCCESS;
}

FAKE_API Status cuLaunchKernel(Function* function, unsigned gridX, unsigned gridY, unsigned gridZ, unsigned blockX, unsigned blockY,
        unsigned blockZ, unsigned shared, void* stream, void** parameters, void** extra) {
    static const bool check = number("GUILOMO_FAKE_CHECK", 0);
    static std::vector<uint64_t>& buffer = *new std::vector<uint64_t>;
    Guard guard(lock);
    if (Status status = streamStatus(stream)) {
        return status;
    }
    if (!functions.count(function)) {
        return INVALID_HANDLE;
    }
    uint3 grid{gridX, gridY, gridZ}, block{blockX, blockY, blockZ};
    if (!inLimits(*function, grid, block, shared) || !pack(*function->kernel, parameters, extra, buffer, current->memory)) {
        complain("launch of %s refused: grid (%u,%u,%u), block (%u,%u,%u), %u bytes of shared memory of at most %u", function->name.c_str(),
            gridX, gridY, gridZ, blockX, blockY, blockZ, shared, function->maxShared);
        return INVALID_VALUE;
    }
    counters.launches++;
    run({function->launch, reinterpret_cast<const char*>(buffer.data()), function->name.c_str(), grid, block, shared});
    if (check && current->memory.overrun()) {
        complain("kernel %s %s", function->name.c_str(), current->memory.overrun());
        return ILLEGAL_ADDRESS;
    }
    return SUCCESS;
}
