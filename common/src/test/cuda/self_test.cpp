// Checks the fake libraries: self_test FOLDER_OF_THE_LIBRARIES KERNELS.cu
#include "self_test.h"

static std::mt19937 random_(7);

static std::vector<float> numbers(size_t count) {
    std::normal_distribution<float> normal;
    std::vector<float> values(count);
    for (float& value : values) {
        value = normal(random_);
    }
    return values;
}

static unsigned bits(float value) {
    unsigned result;
    memcpy(&result, &value, 4);
    return result;
}

static float ofBits(unsigned bits) {
    float value;
    memcpy(&value, &bits, 4);
    return value;
}

static float tf32(float value) {
    return ofBits((bits(value) + 0x1000) & 0xffffe000);
}

static std::vector<unsigned short> toBf16(std::vector<float>& values) {
    std::vector<unsigned short> halves;
    for (float& value : values) {
        halves.push_back(bits(value) >> 16);
        value = ofBits(bits(value) & 0xffff0000);
    }
    return halves;
}

static double distance(const std::vector<float>& c, const std::vector<double>& reference) {
    double most = 0;
    for (size_t i = 0; i < c.size(); i++) {
        double error = fabs(c[i] - reference[i]);
        most = error <= most ? most : error == error ? error : INFINITY;
    }
    return most;
}

static void testVectors() {
    int n = 100001;
    std::vector<float> a = numbers(n), b = numbers(n);
    Address da = upload(a), db = upload(b), dc = allocate(n * 4);
    must(launch("addVectors", (n + 255) / 256, 256, 0, da, db, dc, n), "addVectors");
    std::vector<float> sums = download<float>(dc, n);
    bool good = true;
    for (int i = 0; i < n; i++) {
        good &= sums[i] == a[i] + b[i];
    }
    check("vector add", good);
    check("too many threads for the launch bounds refused", launch("addVectors", 1, 512, 0, da, db, dc, n) == 1);
    check("empty grid refused", launch("addVectors", 0, 256, 0, da, db, dc, n) == 1);

    struct alignas(16) {
        int n = 1000;
        struct { float factor; Address summands; } scaling;
        unsigned char odd = 3;
        Address to;
        alignas(16) float shift[4] = {1, 2, 3, 4};
    } packed;
    packed.scaling = {2.5f, da};
    packed.to = allocate(8000);
    must(launchPacked("scale", 4, 256, &packed, sizeof packed), "scale");
    std::vector<double> scaled = download<double>(packed.to, 1000);
    good = true;
    for (int i = 0; i < 1000; i++) {
        good &= fabs(scaled[i] - (2.5 * a[i] + 8)) < 1e-5;
    }
    check("packed parameters, structures by value", good);
    check("short parameter buffer refused", launchPacked("scale", 4, 256, &packed, 24) == 1);
    check("copy past the end refused", call(driver, "cuMemcpyHtoD_v2", da, (const void*)a.data(), size_t(n) * 4 + 4) == 1);
    freeAll({da, db, dc, packed.to});
    check("second free refused", call(driver, "cuMemFree_v2", da) == 1);
}

static void testCollectives() {
    int n = 10007, blocks = 50;
    std::vector<float> values = numbers(n * blocks);
    Address from = upload(values), to = allocate(blocks * 4);
    must(launch("blockSum", blocks, 1024, 0, from, to, n), "blockSum");
    std::vector<double> reference(blocks);
    for (int i = 0; i < n * blocks; i++) {
        reference[i / n] += values[i];
    }
    check("block reduction, 1024 threads", distance(download<float>(to, blocks), reference) < 1e-3);
    freeAll({from, to});

    Address out = allocate(64 * 8 * 4);
    must(launch("shuffles", 1, 64, 0, out), "shuffles");
    std::vector<int> got = download<int>(out, 64 * 8);
    bool good = true;
    for (int i = 0; i < 64; i++) {
        int lane = i % 32, *own = &got[i * 8];
        int expected[] = {21, lane % 8 < 2 ? lane : lane - 2, lane % 16 > 12 ? lane : lane + 3, lane ^ 5, 0x49249249, 1, lane < 16 ? 5 : -1, 16};
        good &= !memcmp(own, expected, sizeof expected);
    }
    check("shuffles and votes", good);
    freeAll({out});
}

static void testTiles() {
    std::vector<float> a = numbers(256), b = numbers(128), c = numbers(128);
    std::vector<double> reference(128);
    for (int i = 0; i < 128; i++) {
        reference[i] = c[i];
        for (int k = 0; k < 8; k++) {
            reference[i] += double(tf32(a[i / 8 * 8 + k])) * ofBits(bits(b[k * 8 + i % 8]) & 0xffffe000);
        }
    }
    Address da = upload(a), db = upload(b), dc = upload(c);
    must(launch("tileTf32", 1, 32, 0, da, db, dc, 1), "tileTf32");
    check("mma m16n8k8 tf32", distance(download<float>(dc, 128), reference) < 1e-5);

    Address ha = upload(toBf16(a)), hb = upload(toBf16(b));
    for (int i = 0; i < 128; i++) {
        reference[i] = 0;
        for (int k = 0; k < 16; k++) {
            reference[i] += double(a[i / 8 * 16 + k]) * b[k * 8 + i % 8];
        }
    }
    must(launch("tileBf16", 1, 32, 0, ha, hb, dc), "tileBf16");
    check("mma m16n8k16 bf16", distance(download<float>(dc, 128), reference) < 1e-5);
    freeAll({da, db, dc, ha, hb});
}

static void testShared() {
    int n = 50000, blocks = 3;
    std::vector<float> values = numbers(n * blocks);
    Address from = upload(values), to = allocate(n * blocks * 4);
    check("200 KB of shared memory refused at first", launch("reverse", blocks, 128, n * 4, from, to, n) == 1);
    check("more than 227 KB never allowed", call(driver, "cuFuncSetAttribute", kernel("reverse"), 8, 232449) == 1);
    must(call(driver, "cuFuncSetAttribute", kernel("reverse"), 8, n * 4), "cuFuncSetAttribute");
    must(launch("reverse", blocks, 128, n * 4, from, to, n), "reverse");
    std::vector<float> turned = download<float>(to, n * blocks);
    bool good = true;
    for (int i = 0; i < n * blocks; i++) {
        good &= turned[i] == values[i / n * n + n - 1 - i % n];
    }
    check("200 KB of dynamic shared memory", good);
    must(launch("untouchedShared", 1, 32, 128, to), "untouchedShared");
    check("shared memory starts as NaN", download<unsigned>(to, 32) == std::vector<unsigned>(32, ~0u));
    check("beyond shared memory is a fault", diesBy(SIGSEGV, [&] { launch("untouchedShared", 1, 32, 64, to); }));
    freeAll({from, to});
}

static void testFaults() {
    check("divergent barrier aborts", diesBy(SIGABRT, [] { launch("divergentBarrier", 1, 64, 0); }));
    check("divergent warp collective aborts", diesBy(SIGABRT, [] { launch("divergentWarp", 1, 64, 0); }));
    Address wrong = upload(std::vector<int>(1));
    must(launch("missingBarrier", 2, 64, 0, wrong), "missingBarrier");
    check("missing barrier shows", download<int>(wrong, 1)[0] == 32);
    freeAll({wrong});
    Address address = allocate(400);
    check("host read of device memory is a fault", diesBy(SIGSEGV, [&] { printf("%d", *(volatile char*)address); }));
    must(launch("writeBehind", 1, 1, 0, address, 100), "writeBehind");
    check("write behind an allocation is found at its end", call(driver, "cuMemFree_v2", address) == 700);
    size_t available, total;
    call(driver, "cuMemGetInfo_v2", &available, &total);
    Address big = 0;
    check("out of memory", call(driver, "cuMemAlloc_v2", &big, total + 1) == 2 && call(driver, "cuMemAlloc_v2", &big, total) == 2);
    std::vector<Address> parts;
    for (; !call(driver, "cuMemAlloc_v2", &big, total / 16); parts.push_back(big)) {
    }
    for (size_t i = 0; i < parts.size(); i++) {
        freeAll({parts[i * 7 % parts.size()]});
    }
    size_t after;
    call(driver, "cuMemGetInfo_v2", &after, &total);
    check("holes join again", parts.size() == 15 && after == available && !call(driver, "cuMemAlloc_v2", &big, available / 8 * 7));
    freeAll({big});
}

static int gemm(void* handle, int ta, int tb, int m, int n, int k, float alpha, Address a, int type, int lda, Address b, int ldb, float beta, Address c,
        int ldc, int compute, int count = 1, long long sa = 0, long long sb = 0, long long sc = 0) {
    return call(cublas, "cublasGemmStridedBatchedEx", handle, ta, tb, m, n, k, (const float*)&alpha, a, type, lda, sa, b, type, ldb, sb,
        (const float*)&beta, c, 0, ldc, sc, count, compute, -1);
}

static void testProducts(void* handle) {
    double worst = 0;
    for (int variant = 0; variant < 96; variant++) {
        int ta = variant & 1, tb = variant >> 1 & 1, type = variant & 4 ? 14 : 0, compute = variant & 8 ? 77 : 68, count = 1 + 2 * (variant >> 4 & 1);
        float alpha = 0.7f, beta = float(variant / 32 % 3) / 2;
        int m = 3 + random_() % 150, n = 1 + random_() % 60, k = 1 + random_() % 600;
        int lda = (ta ? k : m) + random_() % 5, ldb = (tb ? n : k) + random_() % 5, ldc = m + random_() % 5;
        size_t sa = size_t(lda) * (ta ? m : k), sb = size_t(ldb) * (tb ? k : n), sc = size_t(ldc) * n;
        std::vector<float> a = numbers(sa * count), b = numbers(sb * count), c = numbers(sc * count);
        if (beta == 0) {
            c.assign(c.size(), NAN);
        }
        Address dc = upload(c), da, db;
        if (type) {
            da = upload(toBf16(a)), db = upload(toBf16(b));
        } else {
            da = upload(a), db = upload(b);
        }
        must(gemm(handle, ta, tb, m, n, k, alpha, da, type, lda, db, ldb, beta, dc, ldc, compute, count, sa, sb, sc), "gemm");
        std::vector<float> result = download<float>(dc, sc * count);
        auto number = [&](float value) { return compute == 77 && !type ? tf32(value) : value; };
        for (size_t i = 0; i < sc * count; i++) {
            size_t batch = i / sc, row = i % sc % ldc, column = i % sc / ldc;
            if (row >= size_t(m)) {
                worst = bits(result[i]) == bits(c[i]) ? worst : INFINITY;
                continue;
            }
            double sum = 0;
            for (int x = 0; x < k; x++) {
                sum += double(number(a[batch * sa + (ta ? row * lda + x : x * lda + row)])) * number(b[batch * sb + (tb ? x * ldb + column : column * ldb + x)]);
            }
            double error = fabs(result[i] - (alpha * sum + (beta == 0 ? 0 : beta * double(c[i]))));
            worst = error <= worst ? worst : error == error ? error : INFINITY;
        }
        freeAll({da, db, dc});
    }
    check("96 products of matrices", worst < 2e-4);
    Address a = allocate(4000), c = allocate(4000);
    check("leading dimension too small refused", gemm(handle, 0, 0, 10, 10, 10, 1, a, 0, 9, a, 10, 0, c, 10, 68) == 7);
    check("matrix beyond its allocation refused", gemm(handle, 0, 0, 10, 10, 200, 1, a, 0, 10, a, 200, 0, c, 10, 68) == 7);
    freeAll({a, c});
}

static void testThreads(void* context) {
    std::vector<std::thread> threads;
    bool good[2] = {true, true};
    for (int t = 0; t < 2; t++) {
        threads.emplace_back([&, t] {
            call(driver, "cuCtxSetCurrent", context);
            std::vector<float> ones(64 * 1000, float(t + 1));
            Address from = upload(ones), to = allocate(64 * 4);
            for (int i = 0; i < 20; i++) {
                must(launch("blockSum", 64, 256, 0, from, to, 1000), "blockSum");
                good[t] &= download<float>(to, 64) == std::vector<float>(64, 1000.0f * (t + 1));
            }
            freeAll({from, to});
        });
    }
    for (auto& thread : threads) {
        thread.join();
    }
    check("two host threads launch at once", good[0] && good[1]);
}

static void measure(void* handle) {
    auto time = [](const std::function<void()>& work, double count) {
        work();
        double start = seconds();
        work();
        return (seconds() - start) / count * 1e9;
    };
    Address a = upload(numbers(1 << 20)), b = upload(numbers(1 << 20)), c = allocate(4 << 20);
    printf("\nnanoseconds of processor time: an empty launch %.0f", time([&] { for (int i = 0; i < 10000; i++) launch("barriers", 1, 1, 0, 0); }, 10000));
    printf(", a thread of an element-wise kernel %.1f", time([&] { launch("addVectors", 4096, 256, 0, a, b, c, 1 << 20); }, 1 << 20));
    printf(", a switch at a barrier of 256 threads %.1f", time([&] { launch("barriers", 1, 256, 0, 10000); }, 2560000));
    printf(" and of 1024 %.1f", time([&] { launch("barriers", 1, 1024, 0, 2000); }, 2048000));
    printf(", an mma of one warp %.0f", time([&] { launch("tileTf32", 1, 32, 0, a, b, c, 100000); }, 100000));
    printf(", of eight warps %.0f each", time([&] { launch("tileTf32", 1, 256, 0, a, b, c, 10000); }, 80000));
    for (int type : {0, 14}) {
        double each = time([&] { gemm(handle, 1, 0, 1024, 1024, 1024, 1, a, type, 1024, b, 1024, 0, c, 1024, 68); }, 1);
        printf(", %s 1024 x 1024 x 1024: %.0f GFLOP/s", type ? "bf16" : "fp32", 2147.483648e6 / each);
    }
    printf("\n");
    freeAll({a, b, c});
}

int main(int, char** arguments) {
    std::string folder = arguments[1];
    driver = dlopen((folder + "/libcuda.so.1").c_str(), RTLD_LAZY | RTLD_LOCAL);
    nvrtc = dlopen((folder + "/libnvrtc.so.13").c_str(), RTLD_LAZY | RTLD_LOCAL);
    cublas = dlopen((folder + "/libcublas.so.13").c_str(), RTLD_LAZY | RTLD_LOCAL);
    if (!driver || !nvrtc || !cublas) {
        printf("%s\n", dlerror());
        return 1;
    }
    void *context, *handle;
    int device;
    must(call(driver, "cuInit", 0u), "cuInit");
    must(call(driver, "cuDeviceGet", &device, 0), "cuDeviceGet");
    must(call(driver, "cuDevicePrimaryCtxRetain", &context, device), "retain");
    must(call(driver, "cuCtxSetCurrent", context), "current");
    must(call(cublas, "cublasCreate_v2", &handle), "cublasCreate_v2");

    std::string source, log;
    std::vector<char> image;
    FILE* file = fopen(arguments[2], "r");
    for (int c; (c = fgetc(file)) != EOF;) {
        source += char(c);
    }
    check("compile error is reported", compile("extern \"C\" __global__ void k() { nonsense(); }", image, log) == 6 && log.find("kernels.cu:1") != std::string::npos);
    must(compile(source, image, log), log.c_str());
    must(call(driver, "cuModuleLoadData", &module, (const void*)image.data()), "cuModuleLoadData");
    void* none;
    check("unknown kernel is not found", call(driver, "cuModuleGetFunction", &none, module, "none") == 500);

    testVectors();
    testCollectives();
    testTiles();
    testShared();
    testFaults();
    testProducts(handle);
    testThreads(context);
    long long counters[8];
    reinterpret_cast<void (*)(long long*)>(dlsym(driver, "fakeCounters"))(counters);
    check("no memory left over", counters[7] == 0 && counters[0] > 40);
    measure(handle);
    must(call(driver, "cuModuleUnload", module), "cuModuleUnload");
    return failures != 0;
}
