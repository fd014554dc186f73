#!/bin/sh
# Builds the fake libraries and checks them; if nvcc is available, also checks that the kernels are valid CUDA.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$here/build.sh" "$work"
"${CXX:-g++}" -std=c++17 -O2 -Wall -Wextra "$here/self_test.cpp" -ldl -pthread -o "$work/self_test"
GUILOMO_FAKE_MEMORY=256m "$work/self_test" "$work" "$here/self_test.cu"
if command -v nvcc > /dev/null; then
    nvcc -arch=sm_90 -cubin -o "$work/self_test.cubin" "$here/self_test.cu"
    echo "nvcc: ok"
fi
