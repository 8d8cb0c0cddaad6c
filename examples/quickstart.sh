#!/bin/bash
# From a fresh clone to a file that has gone through the pipeline: packages, build, start, upload, report, result message.
#   ./examples/quickstart.sh            stops the emulator at the end and leaves nothing but the build
#   ./examples/quickstart.sh --keep     leaves it running on port 4566, data in .headrace
# Made for Debian and Ubuntu; elsewhere install the packages named below yourself and run it again.
set -euo pipefail
cd "$(dirname "$0")/.."

keep=no
case "${1:-}" in
"") ;;
--keep) keep=yes ;;
-h | --help) sed -n '2,5s/^# \{0,1\}//p' "$0"; exit ;;
*) echo "quickstart: no option $1" >&2; sed -n '2,5s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$'\e[1m' plain=$'\e[0m'; else bold= plain=; fi
step() { printf '\n%s==> %s%s\n' "$bold" "$*" "$plain"; }
fail() { printf 'quickstart: %s\n' "$*" >&2; exit 1; }

# --- 1. what the build needs ---------------------------------------------------------------------
declare -A library=([libuv]=libuv1-dev [libmicrohttpd]=libmicrohttpd-dev [jansson]=libjansson-dev [sqlite3]=libsqlite3-dev
    [libcrypto]=libssl-dev [expat]=libexpat1-dev [libcurl]=libcurl4-openssl-dev [libxxhash]=libxxhash-dev)
declare -A program=([cc]=gcc [cmake]=cmake [ninja]=ninja-build [pkg-config]=pkg-config [curl]=curl)
missing=()
for name in "${!program[@]}"; do command -v "$name" >/dev/null || missing+=("${program[$name]}"); done
for name in "${!library[@]}"; do pkg-config --exists "$name" 2>/dev/null || missing+=("${library[$name]}"); done
[ -e /usr/include/stdio.h ] || missing+=(libc6-dev)
mapfile -t missing < <(printf '%s\n' "${missing[@]}" | sed '/^$/d' | sort)

if [ ${#missing[@]} -gt 0 ]; then
    step "Installing ${#missing[@]} packages: ${missing[*]}"
    command -v apt-get >/dev/null || fail "there is no apt-get here; please install what these packages of Debian hold, then run this again"
    root=()
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || fail "this needs root, and there is no sudo; please run as root: apt-get install ${missing[*]}"
        root=(sudo)
        echo "(sudo may ask for your password)"
    fi
    echo "(this can take a minute or two)"
    "${root[@]}" apt-get update -qq
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "${missing[@]}" >/dev/null
else
    step "All packages are here"
fi

# --- 2. build ------------------------------------------------------------------------------------
step "Building (Release) into build/"
[ -f build/build.ninja ] || cmake -S . -B build -G Ninja -DCMAKE_BUILD_TYPE=Release -DHEADRACE_TESTS=OFF >/dev/null
# On a terminal ninja counts on one line; elsewhere only an error is worth reading.
if [ -t 1 ]; then cmake --build build --target headrace
elif ! said=$(cmake --build build --target headrace); then fail "it does not build:"$'\n'"$said"; fi
headrace=$PWD/build/headrace
"$headrace" version

# --- 3. start ------------------------------------------------------------------------------------
scratch=$(mktemp -d)
if [ $keep = yes ]; then port=4566 data=.headrace log=$(mktemp build/headrace-XXXXXX.log); else port=0 data=$scratch/data log=$scratch/log; fi
step "Starting headrace"
"$headrace" --port $port --port-file "$scratch/port" --data-dir "$data" >"$log" 2>&1 &
server=$!
done_with() {
    code=$?
    if [ $keep = no ] || [ $code -ne 0 ]; then
        kill $server 2>/dev/null && wait $server 2>/dev/null || true
        [ $code -eq 0 ] || cat "$log" >&2
        [ $keep = no ] || rm -f "$log"
    fi
    rm -rf "$scratch"
}
trap done_with EXIT
while [ ! -s "$scratch/port" ]; do kill -0 $server 2>/dev/null || fail "headrace did not start:"; read -rt 0.02 <> <(:) || true; done
endpoint=http://127.0.0.1:$(cat "$scratch/port")
"$headrace" wait --endpoint-url "$endpoint" --timeout 20
echo "It listens on $endpoint (pid $server)."

# --- 4. upload -----------------------------------------------------------------------------------
export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1 AWS_PAGER=
unset AWS_PROFILE AWS_SESSION_TOKEN
queue=$endpoint/000000000000/results-queue
if cli=$(aws --version 2>&1); then
    uploader=aws
    step "Uploading LICENSE with the aws-cli: s3://dropzone/incoming/license.txt"
    aws --endpoint-url "$endpoint" s3 cp --only-show-errors LICENSE s3://dropzone/incoming/license.txt
    report() { aws --endpoint-url "$endpoint" s3 cp --only-show-errors s3://processed/processed/license.txt.report.json - 2>/dev/null; }
    result() { aws --endpoint-url "$endpoint" sqs receive-message --queue-url "$queue" --wait-time-seconds 5 --query 'Messages[0].Body' --output text; }
else
    uploader=curl
    step "Uploading LICENSE with curl (no aws-cli here): s3://dropzone/incoming/license.txt"
    curl -fsS -T LICENSE "$endpoint/dropzone/incoming/license.txt"
    report() { curl -fsS "$endpoint/processed/processed/license.txt.report.json" 2>/dev/null; }
    result() {
        curl -fsS "$endpoint/" -H 'X-Amz-Target: AmazonSQS.ReceiveMessage' -H 'Content-Type: application/x-amz-json-1.0' \
            -d "{\"QueueUrl\":\"$queue\",\"WaitTimeSeconds\":5}"
        echo
    }
fi

# --- 5. what came of it --------------------------------------------------------------------------
step "The report: s3://processed/processed/license.txt.report.json"
for ((i = 0; ; i++)); do
    if text=$(report); then break; fi
    [ $i -lt 50 ] || fail "no report came"
done
echo "$text"
step "The result message, received from results-queue"
result
step "What the pipeline logged"
grep '^{' "$log" | tail -3

# --- 6. how to go on -----------------------------------------------------------------------------
if [ $keep = yes ]; then
    step "It is still running (its log: $log). To go on:"
    echo "kill $server                            # stops it; the data stays in .headrace"
    trap - EXIT
    rm -rf "$scratch"
else
    step "Done; the emulator is stopped. To go on:"
    echo "build/headrace                        # starts it again, here; the data stays in .headrace. Then, in another terminal:"
fi
if [ $uploader = aws ]; then
    echo 'eval "$(build/headrace env)"          # aws-cli and SDKs of this shell now mean this machine'
    case $cli in # these do not read AWS_ENDPOINT_URL, or not for SQS
    aws-cli/1.* | aws-cli/2.[0-9].* | aws-cli/2.1[0-2].*) echo "alias aws='aws --endpoint-url \"\$AWS_ENDPOINT_URL\"'" ;;
    esac
    echo "echo 'hello world' > notes.txt"
    echo "aws s3 cp notes.txt s3://dropzone/incoming/"
    echo "aws s3 cp s3://processed/processed/notes.txt.report.json -"
else
    echo "echo 'hello world' > notes.txt"
    echo "curl -T notes.txt http://127.0.0.1:4566/dropzone/incoming/"
    echo "curl http://127.0.0.1:4566/processed/processed/notes.txt.report.json"
fi
cat <<'EOT'
build/headrace trace s3://dropzone/incoming/notes.txt   # what this upload caused, and why
build/headrace --help                 # everything else; examples/ has Python, Node, C and shell
And in a browser: http://127.0.0.1:4566/_headrace/console
EOT
