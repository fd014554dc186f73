// cuBLAS for the fake card: products of column-major matrices, in fp32, always in the same order.
#include <algorithm>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <vector>

#define FAKE_API extern "C" __attribute__((visibility("default")))

extern "C" void* fakeAddress(unsigned long long address);
extern "C" int fakeCovers(unsigned long long address, unsigned long long bytes);

namespace {

enum Status { SUCCESS = 0, NOT_INITIALIZED = 1, INVALID_VALUE = 7, NOT_SUPPORTED = 15 };
enum Type { R_32F = 0, R_16BF = 14 };
enum Compute { COMPUTE_32F = 68, COMPUTE_32F_PEDANTIC = 69, COMPUTE_32F_FAST_TF32 = 77 };

#ifdef __AVX512F__
constexpr int VECTOR = 16, COLUMNS = 8;
#else
constexpr int VECTOR = 8, COLUMNS = 6;
#endif
constexpr int ROWS = 2 * VECTOR, ROW_BLOCK = 4 * ROWS, DEPTH = 256;  // register tile, and blocks for the caches
typedef float Vector __attribute__((vector_size(VECTOR * sizeof(float)), aligned(4)));

constexpr uint64_t LIVE = 0x63755f6c69766521;

struct Handle {
    uint64_t live;
    void* stream;
};

Status refuse(const char* format, ...) __attribute__((format(printf, 1, 2)));

Status refuse(const char* format, ...) {
    va_list values;
    va_start(values, format);
    fputs("fake cuBLAS: ", stderr);
    vfprintf(stderr, format, values);
    fputs("\n", stderr);
    va_end(values);
    return INVALID_VALUE;
}

float ofBits(uint32_t bits) {
    float value;
    memcpy(&value, &bits, 4);
    return value;
}

// How the elements of an operand become the numbers that are multiplied.
struct Plain {
    typedef float Element;
    static float number(float value) { return value; }
};

struct Tf32 {
    typedef float Element;
    static float number(float value) {
        uint32_t bits;
        memcpy(&bits, &value, 4);
        return (bits & 0x7f800000) == 0x7f800000 ? value : ofBits((bits + 0x1000) & 0xffffe000);
    }
};

struct Bf16 {
    typedef uint16_t Element;
    static float number(uint16_t value) { return ofBits(uint32_t(value) << 16); }
};

// A matrix as the product sees it: element (line, k) stands at line * lineStep + k * depthStep.
template <class Kind>
struct Operand {
    const typename Kind::Element* data;
    int64_t lineStep, depthStep;

    // Panels of WIDTH lines, each depth by depth, the last one filled up with zeros.
    template <int WIDTH>
    void pack(int64_t firstLine, int lines, int64_t firstDepth, int depth, float* to) const {
        for (int panel = 0; panel < lines; panel += WIDTH, to += WIDTH * depth) {
            const auto* from = data + (firstLine + panel) * lineStep + firstDepth * depthStep;
            int width = std::min(WIDTH, lines - panel);
            if (width < WIDTH) {
                std::fill(to, to + WIDTH * depth, 0.0f);
            }
            if (lineStep == 1) {
                for (int k = 0; k < depth; k++) {
                    for (int line = 0; line < width; line++) {
                        to[k * WIDTH + line] = Kind::number(from[k * depthStep + line]);
                    }
                }
            } else {
                for (int line = 0; line < width; line++) {
                    for (int k = 0; k < depth; k++) {
                        to[k * WIDTH + line] = Kind::number(from[line * lineStep + k * depthStep]);
                    }
                }
            }
        }
    }
};

void tile(const float* a, const float* b, int depth, float* sums) {
    Vector sum[COLUMNS][2] = {};
    for (int k = 0; k < depth; k++, a += ROWS, b += COLUMNS) {
        Vector upper = *reinterpret_cast<const Vector*>(a), lower = *reinterpret_cast<const Vector*>(a + VECTOR);
#pragma GCC unroll 8
        for (int j = 0; j < COLUMNS; j++) {
            sum[j][0] += upper * b[j];
            sum[j][1] += lower * b[j];
        }
    }
    memcpy(sums, sum, sizeof sum);
}

template <class Kind>
void multiply(int m, int n, int k, float alpha, const Operand<Kind>& a, const Operand<Kind>& b, float beta, float* c, int64_t ldc) {
    for (int j = 0; j < n && beta != 1; j++) {
        for (int i = 0; i < m; i++) {
            c[j * ldc + i] = beta == 0 ? 0 : beta * c[j * ldc + i];
        }
    }
    if (alpha == 0) {
        return;
    }
    static thread_local std::vector<float> packedA, packedB;
    packedA.resize(ROW_BLOCK * DEPTH);
    packedB.resize(size_t(n + COLUMNS) * std::min(k, DEPTH));
    float sums[ROWS * COLUMNS];
    for (int depthFrom = 0; depthFrom < k; depthFrom += DEPTH) {
        int depth = std::min(DEPTH, k - depthFrom);
        b.template pack<COLUMNS>(0, n, depthFrom, depth, packedB.data());
        for (int rowFrom = 0; rowFrom < m; rowFrom += ROW_BLOCK) {
            int rows = std::min(ROW_BLOCK, m - rowFrom);
            a.template pack<ROWS>(rowFrom, rows, depthFrom, depth, packedA.data());
            for (int column = 0; column < n; column += COLUMNS) {
                for (int row = 0; row < rows; row += ROWS) {
                    tile(&packedA[row * depth], &packedB[size_t(column) * depth], depth, sums);
                    for (int j = 0; j < std::min(COLUMNS, n - column); j++) {
                        float* to = c + (column + j) * ldc + rowFrom + row;
                        for (int i = 0; i < std::min(ROWS, rows - row); i++) {
                            to[i] += alpha * sums[j * ROWS + i];
                        }
                    }
                }
            }
        }
    }
}

template <class Kind>
void product(bool transA, bool transB, int m, int n, int k, float alpha, const void* a, int64_t lda, const void* b, int64_t ldb, float beta,
        float* c, int64_t ldc) {
    typedef const typename Kind::Element* Elements;
    multiply<Kind>(m, n, k, alpha, {Elements(a), transA ? lda : 1, transA ? 1 : lda}, {Elements(b), transB ? 1 : ldb, transB ? ldb : 1}, beta,
        c, ldc);
}

char* checked(const char* name, const void* matrix, int rows, int columns, int ld, int64_t stride, int count, int size) {
    if (ld < std::max(1, rows)) {
        refuse("leading dimension %d of %s is less than its %d rows", ld, name, rows);
        return nullptr;
    }
    uint64_t address = reinterpret_cast<uint64_t>(matrix);
    uint64_t elements = uint64_t(count - 1) * stride + (rows && columns ? uint64_t(columns - 1) * ld + rows : 0);
    if (stride < 0 || address % size || !fakeCovers(address, elements * size)) {
        refuse("%s (%d x %d, leading dimension %d, %d of them %lld apart) at %p is not in one live allocation", name, rows, columns, ld, count,
            (long long)stride, matrix);
        return nullptr;
    }
    return static_cast<char*>(fakeAddress(address));
}

}

FAKE_API Status cublasGemmStridedBatchedEx(Handle* handle, int transA, int transB, int m, int n, int k, const float* alpha, const void* a,
        int typeA, int lda, long long strideA, const void* b, int typeB, int ldb, long long strideB, const float* beta, void* c, int typeC,
        int ldc, long long strideC, int count, int compute, int) {
    if (!handle || handle->live != LIVE) {
        return NOT_INITIALIZED;
    }
    if (m < 0 || n < 0 || k < 0 || count < 0 || transA < 0 || transA > 2 || transB < 0 || transB > 2 || !alpha || !beta) {
        return refuse("m %d, n %d, k %d, %d products, transposition %d and %d", m, n, k, count, transA, transB);
    }
    bool known = compute == COMPUTE_32F || compute == COMPUTE_32F_PEDANTIC || compute == COMPUTE_32F_FAST_TF32;
    if (typeA != typeB || (typeA != R_32F && typeA != R_16BF) || typeC != R_32F || !known) {
        refuse("types %d, %d, %d, compute type %d are not supported", typeA, typeB, typeC, compute);
        return NOT_SUPPORTED;
    }
    if (m == 0 || n == 0 || count == 0) {
        return SUCCESS;
    }
    int size = typeA == R_32F ? 4 : 2;
    const char* fromA = checked("A", a, transA ? k : m, transA ? m : k, lda, strideA, count, size);
    const char* fromB = checked("B", b, transB ? n : k, transB ? k : n, ldb, strideB, count, size);
    char* toC = checked("C", c, m, n, ldc, strideC, count, 4);
    if (!fromA || !fromB || !toC) {
        return INVALID_VALUE;
    }
    if (count > 1 && strideC == 0) {
        return refuse("%d products into the same C", count);
    }
    auto run = typeA == R_16BF ? product<Bf16> : compute == COMPUTE_32F_FAST_TF32 ? product<Tf32> : product<Plain>;
    for (int64_t i = 0; i < count; i++) {
        run(transA, transB, m, n, k, *alpha, fromA + i * strideA * size, lda, fromB + i * strideB * size, ldb, *beta,
            reinterpret_cast<float*>(toC) + i * strideC, ldc);
    }
    return SUCCESS;
}

FAKE_API Status cublasGemmEx(Handle* handle, int transA, int transB, int m, int n, int k, const float* alpha, const void* a, int typeA, int lda,
        const void* b, int typeB, int ldb, const float* beta, void* c, int typeC, int ldc, int compute, int algorithm) {
    return cublasGemmStridedBatchedEx(handle, transA, transB, m, n, k, alpha, a, typeA, lda, 0, b, typeB, ldb, 0, beta, c, typeC, ldc, 0, 1,
        compute, algorithm);
}

FAKE_API Status cublasCreate_v2(Handle** handle) {
    *handle = new Handle{LIVE, nullptr};
    return SUCCESS;
}

FAKE_API Status cublasDestroy_v2(Handle* handle) {
    if (!handle || handle->live != LIVE) {
        return NOT_INITIALIZED;
    }
    handle->live = 0;
    delete handle;
    return SUCCESS;
}

FAKE_API Status cublasSetStream_v2(Handle* handle, void* stream) {
    handle->stream = stream;
    return SUCCESS;
}

FAKE_API Status cublasGetVersion_v2(Handle*, int* version) {
    *version = 130000;
    return SUCCESS;
}

FAKE_API Status cublasSetWorkspace_v2(Handle*, void* workspace, size_t bytes) {
    uint64_t address = reinterpret_cast<uint64_t>(workspace);
    bool good = !bytes || (address % 256 == 0 && fakeCovers(address, bytes));
    return good ? SUCCESS : refuse("workspace of %zu bytes at %p", bytes, workspace);
}

FAKE_API Status cublasSetMathMode(Handle*, int) {
    return SUCCESS;
}

FAKE_API const char* cublasGetStatusString(Status status) {
    switch (status) {
        case SUCCESS: return "CUBLAS_STATUS_SUCCESS";
        case NOT_INITIALIZED: return "CUBLAS_STATUS_NOT_INITIALIZED";
        case INVALID_VALUE: return "CUBLAS_STATUS_INVALID_VALUE";
        case NOT_SUPPORTED: return "CUBLAS_STATUS_NOT_SUPPORTED";
        default: return "CUBLAS_STATUS unknown";
    }
}
