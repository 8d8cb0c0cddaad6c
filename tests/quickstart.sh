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
# What it advises is run as it stands, but for the port, the folder, and a wait between upload and report.
advice=$(sed -n '/To go on:/,$p' <<<"$output" | grep -E '^(echo .* > |curl|aws|alias|eval|build/headrace trace)' | sed -E 's/ +#.*//
    s/:4566/:$HEADRACE_PORT/
    /incoming\/$/a until build/headrace trace s3://dropzone/incoming/notes.txt 2>/dev/null | grep -q PROCESSED; do :; done')
folder=$(mktemp -d)
ln -s "$PWD/build" "$folder/build"
advised=$(timeout 120 python3 tests/sdk/with_server.py -- bash -O expand_aliases -c "cd $folder; export HEADRACE_PORT=\${HEADRACE_ENDPOINT##*:}
$advice" 2>&1)
rm -r "$folder"
grep -q '"words":2' <<<"$advised" && grep -q 'PutObject' <<<"$advised"
check "its advice works: $advised" $?
examples/quickstart.sh --help | grep -q -- --keep
check "--help" $?
examples/quickstart.sh --nonsense >/dev/null 2>&1
[ $? -eq 2 ]
check "an unknown option is wrong usage" $?
[ $failed -eq 0 ] || echo "$output"
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
