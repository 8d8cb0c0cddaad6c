#!/bin/bash
# Builds Release and measures; bench.py --help says what can be chosen. --peers first installs the peers that can be had (install.sh).
cd "$(dirname "$0")/../.." || exit 2
if [ "$1" = --peers ]; then
    shift
    tests/bench/install.sh || exit 1
fi
mkdir -p build
{ cmake -S . -B build -G Ninja -DCMAKE_BUILD_TYPE=Release && ninja -C build headrace hrload hrnull hrstack; } >build/bench-build.log 2>&1 ||
    { tail -20 build/bench-build.log; exit 1; }
exec python3 tests/bench/bench.py "$@"
