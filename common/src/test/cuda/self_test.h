// What the self-test calls the fake libraries with.
#include <dlfcn.h>
#include <functional>
#include <math.h>
#include <random>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <string>
#include <sys/wait.h>
#include <thread>
#include <time.h>
#include <unistd.h>
#include <vector>

typedef unsigned long long Address;

static void *driver, *nvrtc, *cublas;
static int failures;

// Calls a C function of a library; the caller's argument types must be the real ones.
template <class... P>
static int call(void* library, const char* name, P... arguments) {
    auto function = reinterpret_cast<int (*)(P...)>(dlsym(library, name));
    if (!function) {
        printf("no %s\n", name);
        exit(1);
    }
    return function(arguments...);
}

static void check(const char* what, bool good) {
    printf("%-60s %s\n", what, good ? "ok" : "FAILED");
    failures += !good;
}

static void must(int status, const char* what) {
    if (status) {
        printf("%s: status %d\n", what, status);
        exit(1);
    }
}

static Address allocate(size_t bytes) {
    Address address = 0;
    must(call(driver, "cuMemAlloc_v2", &address, bytes), "cuMemAlloc_v2");
    return address;
}

template <class T>
static Address upload(const std::vector<T>& values) {
    Address address = allocate(values.size() * sizeof(T));
    must(call(driver, "cuMemcpyHtoD_v2", address, (const void*)values.data(), values.size() * sizeof(T)), "cuMemcpyHtoD_v2");
    return address;
}

template <class T>
static std::vector<T> download(Address address, size_t count) {
    std::vector<T> values(count);
    must(call(driver, "cuMemcpyDtoH_v2", (void*)values.data(), address, count * sizeof(T)), "cuMemcpyDtoH_v2");
    return values;
}

static void freeAll(std::initializer_list<Address> addresses) {
    for (Address address : addresses) {
        must(call(driver, "cuMemFree_v2", address), "cuMemFree_v2");
    }
}

static void* module;

static void* kernel(const char* name) {
    void* function = nullptr;
    must(call(driver, "cuModuleGetFunction", &function, module, name), name);
    return function;
}

template <class... P>
static int launch(const char* name, unsigned grid, unsigned block, unsigned shared, P... arguments) {
    void* parameters[] = {&arguments..., nullptr};
    return call(driver, "cuLaunchKernel", kernel(name), grid, 1u, 1u, block, 1u, 1u, shared, (void*)nullptr, parameters, (void**)nullptr);
}

static int launchPacked(const char* name, unsigned grid, unsigned block, const void* buffer, size_t bytes) {
    void* extra[] = {(void*)1, (void*)buffer, (void*)2, &bytes, nullptr};
    return call(driver, "cuLaunchKernel", kernel(name), grid, 1u, 1u, block, 1u, 1u, 0u, (void*)nullptr, (void**)nullptr, extra);
}

static int compile(const std::string& source, std::vector<char>& image, std::string& log) {
    void* program;
    const char* options[] = {"--gpu-architecture=sm_90", "--std=c++17", "-DUNUSED=1", "--use_fast_math"};
    must(call(nvrtc, "nvrtcCreateProgram", &program, source.c_str(), "kernels.cu", 0, (const char* const*)nullptr, (const char* const*)nullptr), "create");
    int status = call(nvrtc, "nvrtcCompileProgram", program, 4, (const char* const*)options);
    size_t size = 0;
    call(nvrtc, "nvrtcGetProgramLogSize", program, &size);
    log.resize(size);
    call(nvrtc, "nvrtcGetProgramLog", program, log.data());
    if (!status) {
        call(nvrtc, "nvrtcGetCUBINSize", program, &size);
        image.resize(size);
        call(nvrtc, "nvrtcGetCUBIN", program, image.data());
    }
    call(nvrtc, "nvrtcDestroyProgram", &program);
    return status;
}

static bool diesBy(int signal, const std::function<void()>& work) {
    fflush(stdout);
    pid_t child = fork();
    if (!child) {
        work();
        _exit(0);
    }
    int status;
    waitpid(child, &status, 0);
    return WIFSIGNALED(status) && WTERMSIG(status) == signal;
}

// Of processor time, which other processes disturb less.
static double seconds() {
    timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return time.tv_sec + time.tv_nsec * 1e-9;
}
