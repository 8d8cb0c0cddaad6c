#!/bin/bash
# Builds Headrace and tests all of it. Last line: "N passed, M failed".
cd "$(dirname "$0")/.." || exit 2
ROOT=$PWD

usage() {
    cat <<'TEXT'
Usage: tests/run.sh [--help] [STAGE ...]

Without a STAGE all run, in this order:
  unit      unit tests, lints and kept fuzz inputs, in a Release build (build/)
  asan      the same under AddressSanitizer and UndefinedBehaviorSanitizer (build-asan/)
  wire      pages of HTTP messages and their exact answers, against both builds
  sdk       the newest boto3 (SQS as JSON) and aws-cli, the pipeline end to end, the console (in a Chromium where there is one), against both builds
  query     a boto3 and aws-cli from before November 2023 (SQS as Query), against the sanitizer build
  js        @aws-sdk v3 from npm on Node, against both builds
  crash     kill -9 under load, power loss, all that can be used up, damaged files
  demo      `headrace demo` and the examples
  quickstart  examples/quickstart.sh, as a newcomer runs it
and only when named:
  tsan      unit tests and the SDK tests of the pipeline, events, state and uploads under ThreadSanitizer (build-tsan/)
  valgrind  unit tests, and short SDK tests against a server, under memcheck: errors and lost memory (about twenty minutes)
  fuzz      tests/fuzz/run.sh: every driver with coverage feedback, FUZZ_MINUTES (10) each; needs clang
  clients   aws-cli 1 and 2, boto3, rclone, s3cmd, s3fs (where there is /dev/fuse) and Go's SDK (where there is Go) at their everyday work,
            signatures checked and not, path style and virtual hosts, against the sanitizer build (about ten minutes: they are slow starters)
  large     5 GiB up, down and copied in constant memory (tests/bench/large.py; needs 11 GiB of disk)
  package   the static build, the .deb and the .tar.gz, in a bare Debian and in an empty root (needs root or sudo)

Installs what is missing: Debian packages by apt (with sudo only when not root), Python and npm packages into the build
folders. Nothing is installed elsewhere. HEADRACE_JOBS sets the build's parallelism (default: number of cores).
Logs: build/test-logs/STAGE.log. Exit code 0 only when something ran and nothing failed.
TEXT
}

ALL=(unit asan wire sdk query js crash demo quickstart)
BY_NAME=(tsan valgrind fuzz clients large package)
stages=()
for argument in "$@"; do
    case $argument in
    -h | --help) usage; exit 0 ;;
    *) [[ " ${ALL[*]} ${BY_NAME[*]} " == *" $argument "* ]] || { echo "run.sh: no stage '$argument' (see --help)" >&2; exit 2; }
       stages+=("$argument") ;;
    esac
done
[ ${#stages[@]} -gt 0 ] || stages=("${ALL[@]}")

if [ -t 1 ]; then bold=$'\e[1m' red=$'\e[31m' green=$'\e[32m' plain=$'\e[0m'; else bold='' red='' green='' plain=''; fi
LOGS=$ROOT/build/test-logs
JOBS=${HEADRACE_JOBS:-$(nproc)}
total_passed=0 total_failed=0
mkdir -p "$LOGS"
for name in $(compgen -v AWS_) $(compgen -v HEADRACE_ | grep -v HEADRACE_JOBS); do unset "$name"; done
export AWS_EC2_METADATA_DISABLED=true PYTHONDONTWRITEBYTECODE=1 PIP_DISABLE_PIP_VERSION_CHECK=1

say() { printf '%s\n' "${bold}== $*${plain}"; }

# tally NAME PASSED FAILED SECONDS LOG
tally() {
    total_passed=$((total_passed + $2)) total_failed=$((total_failed + $3))
    if [ "$3" -eq 0 ]; then
        printf '   %s%s: %d passed%s (%d s)\n' "$green" "$1" "$2" "$plain" "$4"
    else
        printf '   %s%s: %d passed, %d FAILED%s (%d s), see %s\n' "$red" "$1" "$2" "$3" "$plain" "$4" "${5#"$ROOT/"}"
        grep -aE 'FAILED|^not ok|\*\*\*Failed|ERROR|got |want ' "$5" | grep -vE '^\[  FAILED  \] [0-9]' | head -40 | sed 's/^/      /'
        [ -s "$5" ] && ! grep -qaE 'FAILED|^not ok|\*\*\*Failed' "$5" && tail -15 "$5" | sed 's/^/      /'
    fi
}

# check NAME COUNTER COMMAND...: runs it into a log; COUNTER prints "PASSED FAILED" from that log.
check() {
    local name=$1 counter=$2 log=$LOGS/${1// /-}.log started=$SECONDS passed failed code
    shift 2
    "$@" >"$log" 2>&1 </dev/null
    code=$?
    read -r passed failed < <("$counter" "$log")
    passed=${passed:-0} failed=${failed:-0}
    if [ $code -ne 0 ] || [ "$passed" -eq 0 ]; then
        [ "$failed" -gt 0 ] || failed=1
    fi
    tally "$name" "$passed" "$failed" $((SECONDS - started)) "$log"
}

# Counters. cmocka tests one by one, other ctest tests as one each.
count_ctest() {
    awk '/^[0-9]+: \[  PASSED  \] [0-9]+ test/ { good += $5 }
         /^[0-9]+: \[  FAILED  \] [0-9]+ test/ { bad += $5; split($1, t, ":"); had[t[1]] = 1 }
         /^[0-9]+: \[==========\] .*test\(s\) run/ { split($1, t, ":"); had[t[1]] = 1 }
         /Test +#[0-9]+: .* Passed/ { split($0, a, "#"); n = a[2] + 0; if (!had[n]) good++ }
         /Test +#[0-9]+: .*\*\*\*/ { split($0, a, "#"); n = a[2] + 0; if (!had[n]) bad++ }
         END { print good + 0, bad + 0 }' "$1"
}
count_plain() { sed -nE 's/^([0-9]+) passed, ([0-9]+) failed.*/\1 \2/p' "$1" | tail -1; }
count_rows() { awk '/^\| .* MB|^\| .* s \|/ { if (/TOO MUCH/) bad++; else good++ } END { print good + 0, bad + 0 }' "$1"; }
count_pytest() {
    local line
    line=$(grep -aE '^(=+ )?[0-9]+ (passed|failed|skipped|error).* in [0-9.]+s' "$1" | tail -1)
    echo "$(grep -oE '[0-9]+ passed' <<<"$line" | cut -d' ' -f1 | grep . || echo 0)" \
        "$(grep -oE '[0-9]+ (failed|error)' <<<"$line" | awk '{ n += $1 } END { print n + 0 }')"
}
count_node() { awk '/^(#|ℹ) pass / { p = $3 } /^(#|ℹ) fail / { f = $3 } END { print p + 0, f + 0 }' "$1"; }

missing_packages() {
    local row tool
    for row in gcc:build-essential cmake:cmake ninja:ninja-build pkg-config:pkg-config python3:python3 node:nodejs npm:npm \
        curl:curl objdump:binutils; do
        command -v "${row%%:*}" >/dev/null || echo "${row##*:}"
    done
    python3 -c 'import venv, ensurepip' 2>/dev/null || echo python3-venv
    for row in libuv:libuv1-dev libmicrohttpd:libmicrohttpd-dev jansson:libjansson-dev sqlite3:libsqlite3-dev \
        libcrypto:libssl-dev expat:libexpat1-dev libcurl:libcurl4-openssl-dev libxxhash:libxxhash-dev cmocka:libcmocka-dev; do
        pkg-config --exists "${row%%:*}" 2>/dev/null || echo "${row##*:}"
    done
}

apt_install() {
    local as_root=()
    command -v apt-get >/dev/null || { echo "run.sh: please install: $*" >&2; exit 1; }
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || { echo "run.sh: this needs root, and there is no sudo; please run as root: apt-get install $*" >&2; exit 1; }
        as_root=(sudo)
    fi
    say "installing $*"
    { "${as_root[@]}" apt-get update -q && "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -qy --no-install-recommends "$@"; } >"$LOGS/apt.log" 2>&1 ||
        { tail -5 "$LOGS/apt.log"; echo "run.sh: apt-get could not install them (build/test-logs/apt.log)" >&2; exit 1; }
}

install_packages() {
    local list
    mapfile -t list < <(missing_packages)
    [ ${#list[@]} -eq 0 ] || apt_install "${list[@]}"
}

PLAIN=(-DHEADRACE_TESTS=ON -DHEADRACE_ASAN=OFF -DHEADRACE_UBSAN=OFF -DHEADRACE_TSAN=OFF -DHEADRACE_STATIC=OFF -DHEADRACE_FUZZ=OFF)

# build FOLDER FLAGS...: whatever the folder was configured for before; the quickstart builds without tests.
build() {
    local folder=$1
    shift
    say "building $folder"
    { cmake -S . -B "$folder" -G Ninja -DCMAKE_BUILD_TYPE=Release "${PLAIN[@]}" "$@" &&
        ninja -C "$folder" -j "$JOBS"; } >"$LOGS/$folder.log" 2>&1 </dev/null && return
    grep -aE 'error|FAILED|CMake Error' "$LOGS/$folder.log" | head -20
    echo "run.sh: $folder does not build (build/test-logs/$folder.log)"
    total_failed=$((total_failed + 1))
    finish
}
release() { [ -n "$have_release" ] || build build; have_release=1; }
sanitized() { [ -n "$have_asan" ] || build build-asan -DHEADRACE_ASAN=ON -DHEADRACE_UBSAN=ON; have_asan=1; }

# venv FOLDER PACKAGES...: a Python environment with these packages.
venv() {
    local folder=$1 mark="$1/$(echo "${*:2}" | cksum | cut -d' ' -f1).ready"
    shift
    [ -e "$mark" ] && return
    say "Python packages for $(basename "$folder"): $*"
    rm -rf "$folder"
    python3 -m venv "$folder" && "$folder/bin/pip" install -q "$@" >"$LOGS/pip.log" 2>&1 && touch "$mark" && return
    tail -5 "$LOGS/pip.log"
    echo "run.sh: pip could not install them"
    return 1
}

npm_packages() {
    local folder=build/js version
    mkdir -p "$folder"
    cp tests/sdk/js/*.mjs tests/sdk/js/package.json "$folder/"
    version=$(node -p 'process.versions.node.split(".")[0]')
    # The SDK's releases of 2026 need Node 20; Debian 12 has Node 18.
    [ "$version" -ge 20 ] || sed -i 's/\^3\.1100\.0/~3.900.0/' "$folder/package.json"
    [ -d "$folder/node_modules/@aws-sdk/s3-presigned-post" ] && return
    say "npm packages: @aws-sdk/client-s3, client-sqs, lib-storage, s3-presigned-post, s3-request-presigner"
    npm install --prefix "$folder" --no-audit --no-fund --loglevel=error >"$LOGS/npm.log" 2>&1 </dev/null && return
    tail -5 "$LOGS/npm.log"
    return 1
}

sanitizer_options() {
    export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0:exitcode=99 UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
}

run_ctest() { (cd "$1" && ctest -V -j "$JOBS" --timeout 300 "${@:2}"); }
run_pytest() { HEADRACE_BIN=$ROOT/$2/headrace AWS_CLI=$ROOT/$1/bin/aws "$ROOT/$1/bin/python" -m pytest -q -rfE -p no:cacheprovider "${@:3}"; }

# One server for all of Node's files; the tests of a sanitizer build fail when its log holds a report.
run_node() {
    HEADRACE_BIN=$ROOT/$1/headrace python3 tests/sdk/with_server.py --no-pipeline "${@:2}" -- \
        node --test --test-reporter=tap build/js/
}

stage_unit() { release; say "unit tests, lints, fuzz corpora"; check unit count_ctest run_ctest build; }
stage_asan() { sanitized; sanitizer_options; say "the same under sanitizers"; check asan count_ctest run_ctest build-asan; }
stage_wire() {
    release; sanitized; sanitizer_options
    say "wire pages"
    check wire count_plain env HEADRACE_BIN="$ROOT/build/headrace" python3 tests/wire/run.py
    check "wire asan" count_plain env HEADRACE_BIN="$ROOT/build-asan/headrace" python3 tests/wire/run.py
}
stage_sdk() {
    release; sanitized; sanitizer_options
    venv build/venv-new boto3 awscli pytest prometheus_client || { total_failed=$((total_failed + 1)); return; }
    say "boto3 $(build/venv-new/bin/python -c 'import boto3; print(boto3.__version__)') and its aws-cli"
    check sdk count_pytest run_pytest build/venv-new build tests/sdk
    check "sdk asan" count_pytest run_pytest build/venv-new build-asan tests/sdk
}
stage_query() {
    sanitized; sanitizer_options
    venv build/venv-query 'botocore<1.31.81' 'boto3<1.28.81' 'awscli<1.29.81' 'urllib3<2' setuptools pytest prometheus_client ||
        { total_failed=$((total_failed + 1)); return; }
    say "boto3 $(build/venv-query/bin/python -c 'import boto3; print(boto3.__version__)'): SQS as Query"
    check "query asan" count_pytest run_pytest build/venv-query build-asan tests/sdk
}
stage_js() {
    release; sanitized; sanitizer_options
    npm_packages || { total_failed=$((total_failed + 1)); return; }
    say "@aws-sdk/client-s3 $(node -p 'require("./build/js/node_modules/@aws-sdk/client-s3/package.json").version') on Node $(node --version)"
    check js count_node run_node build
    check "js asan" count_node run_node build-asan --auth verify
}
stage_crash() {
    release
    say "crash, power loss, exhaustion, damage"
    check crash count_plain env HEADRACE_BIN="$ROOT/build/headrace" python3 tests/crash/run.py
    check exhaustion count_plain env HEADRACE_BIN="$ROOT/build/headrace" python3 tests/crash/exhaust.py
    check soak count_plain env HEADRACE_BIN="$ROOT/build/headrace" python3 tests/crash/soak.py --minutes 0.1 --warm-up 200 --every 3
    check damage count_plain env HEADRACE_BIN="$ROOT/build/headrace" python3 tests/crash/damage.py
    check "power loss" count_plain env HEADRACE_BIN="$ROOT/build/headrace" python3 tests/crash/powerloss.py
}
stage_demo() {
    release
    say "headrace demo and examples"
    check demo count_plain tests/demo.sh
}
stage_quickstart() {
    release
    say "examples/quickstart.sh"
    check quickstart count_plain tests/quickstart.sh
}
# What only this stage needs comes with it: archives for the static build, debootstrap, lintian, man.
stage_clients() {
    local row list=()
    for row in rclone:rclone s3cmd:s3cmd s3fs:s3fs fusermount3:fuse3; do
        command -v "${row%%:*}" >/dev/null || list+=("${row##*:}")
    done
    [ -x /usr/bin/aws ] || list+=(awscli)
    [ ${#list[@]} -eq 0 ] || apt_install "${list[@]}"
    sanitized; sanitizer_options
    venv build/venv-new boto3 awscli pytest || { total_failed=$((total_failed + 1)); return; }
    say "$(/usr/bin/aws --version | cut -d' ' -f1), $(build/venv-new/bin/aws --version | cut -d' ' -f1), $(rclone version | head -1), $(s3cmd --version), $(
        s3fs --version | grep -oE 'V[0-9.]+' | sed 's/V/s3fs /')"
    CLIENTS_AWS1=$ROOT/build/venv-new/bin/aws check clients count_pytest run_pytest build/venv-new build-asan -rs tests/clients
    grep -aE '^SKIPPED' "$LOGS/clients.log" | sed 's/^SKIPPED/   skipped:/'
}
stage_large() {
    release
    say "5 GiB through"
    check large count_rows env HEADRACE_BIN="$ROOT/build/headrace" python3 tests/bench/large.py
    cat "$LOGS/large.log"
}
stage_package() {
    local row list=()
    for row in debootstrap:debootstrap lintian:lintian man:man-db dpkg-source:dpkg-dev file:file; do
        command -v "${row%%:*}" >/dev/null || list+=("${row##*:}")
    done
    pkg-config --exists libcares || list+=(libc-ares-dev)
    [ ${#list[@]} -eq 0 ] || apt_install "${list[@]}"
    build build
    build build-static -DHEADRACE_STATIC=ON
    say "packages"
    rm -f build/headrace_*.deb build-static/headrace-*.tar.gz
    { cmake --build build --target package && cmake --build build-static --target package; } >"$LOGS/cpack.log" 2>&1 ||
        { tail -5 "$LOGS/cpack.log"; total_failed=$((total_failed + 1)); return; }
    check package count_plain python3 tests/package/run.py
}

stage_tsan() {
    build build-tsan -DHEADRACE_TSAN=ON
    export TSAN_OPTIONS=exitcode=66
    say "unit tests under ThreadSanitizer"
    check tsan count_ctest run_ctest build-tsan -E '^(sdk|slow|lint)'
    venv build/venv-new boto3 awscli pytest || { total_failed=$((total_failed + 1)); return; }
    say "SDK tests against a server under ThreadSanitizer"
    check "tsan sdk" count_pytest run_pytest build/venv-new build-tsan tests/sdk/test_{pipeline,events,s3_multipart,state}.py
}
MEMCHECK="valgrind --quiet --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite --show-leak-kinds=definite --child-silent-after-fork=yes"
# memcheck PROGRAM: a line of its verdict. Its output only when it failed.
memcheck() {
    local out
    if out=$(timeout 1800 $MEMCHECK "$1" 2>&1 </dev/null); then echo "ok ${1##*/}"; else printf '%s\nFAILED %s\n' "$out" "${1##*/}"; fi
}
run_memcheck() {
    export -f memcheck
    export MEMCHECK
    printf '%s\n' build/test_* | xargs -P "$JOBS" -I{} bash -c 'memcheck {}' | tee build/test-logs/memcheck.txt
    echo "$(grep -c '^ok ' build/test-logs/memcheck.txt) passed, $(grep -c '^FAILED ' build/test-logs/memcheck.txt) failed"
    ! grep -q '^FAILED ' build/test-logs/memcheck.txt
}
stage_valgrind() {
    release
    command -v valgrind >/dev/null || { echo "run.sh: please install valgrind" >&2; total_failed=$((total_failed + 1)); return; }
    say "unit tests under valgrind"
    check valgrind count_plain run_memcheck
    venv build/venv-new boto3 awscli pytest || { total_failed=$((total_failed + 1)); return; }
    say "SDK tests against a server under valgrind"
    export TEST_WRAPPER=$MEMCHECK
    check "valgrind sdk" count_pytest run_pytest build/venv-new build tests/sdk/test_{sqs,s3_multipart,s3_objects}.py
    unset TEST_WRAPPER
}
stage_fuzz() {
    say "coverage-guided fuzzing"
    check fuzz count_plain tests/fuzz/run.sh --minutes "${FUZZ_MINUTES:-10}"
}

finish() {
    echo "$total_passed passed, $total_failed failed"
    [ "$total_failed" -eq 0 ] && [ "$total_passed" -gt 0 ]
    exit
}

install_packages
for stage in "${stages[@]}"; do
    "stage_$stage"
done
finish
