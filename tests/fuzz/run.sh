#!/bin/bash
# Fuzzes with coverage feedback: every driver of this folder, from its kept inputs. Last line: "N passed, M failed".
cd "$(dirname "$0")/../.." || exit 2
ROOT=$PWD
BUILD=build-fuzz

usage() {
    cat <<'TEXT'
Usage: tests/fuzz/run.sh [--minutes N] [--jobs N] [--merge] [--no-build] [NAME ...]

Builds the drivers with clang's libFuzzer, AddressSanitizer, LeakSanitizer and UndefinedBehaviorSanitizer (build-fuzz/) and
runs each NAME (default: all) for N minutes (default 10), starting with tests/fuzz/corpus/NAME and with what earlier runs
found in build-fuzz/corpus/NAME. A driver passes when it ends without a finding.

  --minutes N   minutes for each driver; 0 only replays what is kept
  --jobs N      drivers at a time (default: half of the cores, at least one)
  --merge       afterwards add to tests/fuzz/corpus/NAME the fewest and smallest inputs that reach something new
  --no-build    take the drivers as they are
  CLANG         the compiler (default: the newest clang found)

Findings: build-fuzz/findings/NAME-*; replay one with build-fuzz/fuzz_NAME FILE. Mend it, then keep the input under a
speaking name in tests/fuzz/corpus/NAME: from then on every `ctest` replays it. Logs: build-fuzz/logs/NAME.log.
TEXT
}

minutes=10 jobs=$((($(nproc) + 1) / 2)) merge='' build=1 names=()
while [ $# -gt 0 ]; do
    case $1 in
    -h | --help) usage; exit 0 ;;
    --minutes) minutes=$2; shift ;;
    --jobs) jobs=$2; shift ;;
    --merge) merge=1 ;;
    --no-build) build='' ;;
    -*) echo "run.sh: no option '$1' (see --help)" >&2; exit 2 ;;
    *) [ -f "tests/fuzz/fuzz_$1.c" ] || { echo "run.sh: no driver '$1' in tests/fuzz" >&2; exit 2; }
       names+=("$1") ;;
    esac
    shift
done
[[ $minutes =~ ^[0-9]+$ && $jobs =~ ^[1-9][0-9]*$ ]] || { usage >&2; exit 2; }
if [ ${#names[@]} -eq 0 ]; then
    for source in tests/fuzz/fuzz_*.c; do
        source=${source##*/fuzz_}
        names+=("${source%.c}")
    done
fi

newest_clang() {
    local tool
    for tool in clang clang-{22..11}; do
        command -v "$tool" && return
    done
}

CLANG=${CLANG:-$(newest_clang)}
if [ -n "$build" ]; then
    [ -n "$CLANG" ] || { echo "run.sh: no clang found (Debian: apt install clang)" >&2; exit 1; }
    mkdir -p $BUILD
    { cmake -S . -B $BUILD -G Ninja -DCMAKE_C_COMPILER="$CLANG" -DHEADRACE_FUZZ=ON -DHEADRACE_ASAN=ON \
        -DHEADRACE_UBSAN=ON -DHEADRACE_TESTS=OFF && ninja -C $BUILD -j "${HEADRACE_JOBS:-$(nproc)}"; } >$BUILD/build.log 2>&1 ||
        { grep -E 'error|FAILED' $BUILD/build.log | head; echo "0 passed, 1 failed"; exit 1; }
fi
mkdir -p $BUILD/{corpus,findings,logs}

# Leaks are findings; what a driver keeps for its whole life it holds by a pointer.
export ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=0 UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1

options_of() {
    local dictionary=none
    case $1 in
    address | codec | dispatch | document | form | headers | sigv4) dictionary=tests/fuzz/dictionary/requests ;;
    doctor | snapshot) dictionary=tests/fuzz/dictionary/sql ;;
    esac
    echo "-timeout=20 -rss_limit_mb=3000 -print_final_stats=1 -max_len=8192 -artifact_prefix=$BUILD/findings/$1-"
    [ ! -f "$dictionary" ] || echo "-dict=$dictionary"
}

# fuzz NAME: leaves the exit code in logs/NAME.code.
fuzz() {
    local options how
    mapfile -t options < <(options_of "$1" | tr ' ' '\n')
    mkdir -p "$BUILD/corpus/$1" "tests/fuzz/corpus/$1"
    if [ "$minutes" -eq 0 ]; then how=-runs=0; else how=-max_total_time=$((minutes * 60)); fi
    "$BUILD/fuzz_$1" "${options[@]}" "$how" "$BUILD/corpus/$1" "tests/fuzz/corpus/$1" \
        >"$BUILD/logs/$1.log" 2>&1 </dev/null &
    echo $! >"$BUILD/logs/$1.pid"
    wait $!
    echo $? >"$BUILD/logs/$1.code"
}

# The fewest inputs that reach everything, after those already kept (libFuzzer prefers small ones).
merge() {
    local options
    mapfile -t options < <(options_of "$1" | tr ' ' '\n')
    "$BUILD/fuzz_$1" "${options[@]}" -merge=1 "tests/fuzz/corpus/$1" "$BUILD/corpus/$1" \
        >"$BUILD/logs/$1.merge.log" 2>&1 </dev/null || echo "   $1: merging failed, see $BUILD/logs/$1.merge.log"
}

stat_of() { sed -nE "s/^stat::$2: +//p" "$BUILD/logs/$1.log" | tail -1; }

passed=0 failed=0
# verdict NAME
verdict() {
    local edges runs
    edges=$(grep -oE 'cov: [0-9]+' "$BUILD/logs/$1.log" | tail -1 | cut -d' ' -f2)
    runs=$(stat_of "$1" number_of_executed_units)
    if [ "$(cat "$BUILD/logs/$1.code")" = 0 ]; then
        passed=$((passed + 1))
        printf '   %-16s no finding: %s runs, %s a second, %s edges, %s MB\n' "$1" "${runs:-?}" \
            "$(stat_of "$1" average_exec_per_sec)" "${edges:-?}" "$(stat_of "$1" peak_rss_mb)"
    else
        failed=$((failed + 1))
        printf '   %-16s FINDING after %s runs: %s\n' "$1" "${runs:-?}" \
            "$(grep -aE 'ERROR: |SUMMARY: |Test unit written' "$BUILD/logs/$1.log" | tail -3 | tr '\n' ' ')"
    fi
}

stop() {
    trap - INT TERM
    for name in "${running[@]}"; do kill "$(cat "$BUILD/logs/$name.pid")" 2>/dev/null; done
    wait
    echo "stopped"
    exit 130
}
trap stop INT TERM

echo "== ${#names[@]} drivers, $minutes minutes each, $jobs at a time"
waiting=("${names[@]}") running=()
while [ ${#waiting[@]} -gt 0 ] || [ ${#running[@]} -gt 0 ]; do
    while [ ${#waiting[@]} -gt 0 ] && [ ${#running[@]} -lt "$jobs" ]; do
        rm -f "$BUILD/logs/${waiting[0]}.code"
        fuzz "${waiting[0]}" &
        running+=("${waiting[0]}") waiting=("${waiting[@]:1}")
    done
    wait -n
    still=()
    for name in "${running[@]}"; do
        if [ -s "$BUILD/logs/$name.code" ]; then verdict "$name"; else still+=("$name"); fi
    done
    running=("${still[@]}")
done
if [ -n "$merge" ]; then
    for name in "${names[@]}"; do merge "$name"; done
    echo "   kept inputs: $(find tests/fuzz/corpus -type f | wc -l) files, $(du -s --apparent-size -k tests/fuzz/corpus | cut -f1) KiB"
fi
echo "$passed passed, $failed failed"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
