#!/bin/bash
# Builds Release and measures; see bench.py --help. --peers first installs the peers that pip has, into build/venv-bench.
cd "$(dirname "$0")/../.." || exit 2
if [ "$1" = --peers ]; then
    shift
    [ -x build/venv-bench/bin/moto_server ] || { python3 -m venv build/venv-bench &&
        build/venv-bench/bin/pip install -q 'moto[server,s3,sqs]' ministack; } || exit 1
fi
{ cmake -S . -B build -G Ninja -DCMAKE_BUILD_TYPE=Release && ninja -C build; } >build/bench-build.log 2>&1 ||
    { tail -20 build/bench-build.log; exit 1; }
exec python3 tests/bench/bench.py "$@"
