#!/bin/bash
# `headrace demo` and every example, as a reader of the README would run them. Last line: "N passed, M failed".
cd "$(dirname "$0")/.." || exit 2
passed=0 failed=0
headrace=${HEADRACE_BIN:-build/headrace}

# try NAME PATTERN COMMAND...: must end with 0 and print PATTERN.
try() {
    local name=$1 pattern=$2 output
    shift 2
    if output=$("$@" 2>&1 </dev/null) && grep -qE "$pattern" <<<"$output"; then
        passed=$((passed + 1))
        echo "ok $name"
    else
        failed=$((failed + 1))
        echo "FAILED $name: wanted $pattern in:"
        tail -20 <<<"$output"
    fi
}
with_server=(python3 tests/sdk/with_server.py --workers 2 --)

try "headrace demo" '"words": ?[0-9]+' "$headrace" demo
try "examples/bash" '"words":8' "${with_server[@]}" sh -c 'AWS_ENDPOINT_URL=$HEADRACE_ENDPOINT examples/bash/pipeline.sh'
if [ -x build/venv-new/bin/python ]; then
    try "examples/python" '.words.: 8' "${with_server[@]}" env AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test \
        AWS_REGION=us-east-1 sh -c 'AWS_ENDPOINT_URL=$HEADRACE_ENDPOINT build/venv-new/bin/python examples/python/pipeline.py'
fi
if [ -d build/js/node_modules ]; then
    cp examples/node/pipeline.mjs build/js/example-pipeline.mjs
    try "examples/node" 'words"?: ?8' "${with_server[@]}" env AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test \
        AWS_REGION=us-east-1 sh -c 'AWS_ENDPOINT_URL=$HEADRACE_ENDPOINT node build/js/example-pipeline.mjs'
fi
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
