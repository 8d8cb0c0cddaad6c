#!/bin/bash
# Runs examples/quickstart.sh as a newcomer does and checks what it shows. Last line: "N passed, M failed".
cd "$(dirname "$0")/.." || exit 2
passed=0 failed=0
output=$(examples/quickstart.sh 2>&1 </dev/null)
code=$?
check() {
    if [ "$2" = 0 ]; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAILED $1"; fi
}
check "exit code $code" $code
words=$(wc -w <LICENSE)
grep -q "\"words\":$words" <<<"$output"
check "the report counts $words words, as wc does" $?
grep -q '"durationMs\|durationMs' <<<"$output"
check "the result message is shown" $?
grep -q '"action":"PROCESSED"' <<<"$output"
check "the log shows PROCESSED" $?
[ $failed -eq 0 ] || echo "$output"
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
