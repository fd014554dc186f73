#!/bin/sh
# Builds the fake libcuda.so.1, libnvrtc.so.13 and libcublas.so.13 into a folder: build.sh FOLDER
set -eu
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
out=$(cd "$1" && pwd)
cxx=${CXX:-g++}

# Rebuilds if sources, compiler or CPU have changed.
state=$( (cat "$here"/fake_*.h "$here"/fake_*.cpp "$here/build.sh"; $cxx --version; grep -m 1 flags /proc/cpuinfo) | cksum)
if [ -f "$out/built" ] && [ "$(cat "$out/built")" = "$state" ]; then
    exit 0
fi
rm -f "$out/built"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
flags="-std=c++17 -O2 -fPIC -fvisibility=hidden -Wall -Wextra"
pids=
start() {
    "$@" &
    pids="$pids $!"
}
for part in driver memory grid streams launch nvrtc; do
    start $cxx $flags -c "$here/fake_$part.cpp" -o "$work/$part.o"
done
start $cxx $flags -O3 -march=native -c "$here/fake_cublas.cpp" -o "$work/cublas.o"
for pid in $pids; do
    wait "$pid"
done
link="$cxx -shared -pthread -Wl,--no-undefined"
cd "$work"
$link -Wl,-soname,libcuda.so.1 driver.o memory.o grid.o streams.o launch.o -ldl -o libcuda.so.1
$link -Wl,-soname,libnvrtc.so.13 nvrtc.o -ldl -o libnvrtc.so.13
$link -Wl,-soname,libcublas.so.13 cublas.o libcuda.so.1 '-Wl,-rpath,$ORIGIN' -o libcublas.so.13
cp "$here/fake_device.h" "$here/fake_fibre.h" "$here/fake_math.h" .
# Renamed into place, so that a process that has the old libraries open keeps them.
for file in libcuda.so.1 libnvrtc.so.13 libcublas.so.13 fake_device.h fake_fibre.h fake_math.h; do
    cp "$file" "$out/.$file.$$"
    mv -f "$out/.$file.$$" "$out/$file"
done
echo "$state" > "$out/built"
