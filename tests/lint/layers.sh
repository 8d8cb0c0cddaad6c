#!/bin/bash
# The rules of docs/architecture.md and docs/style.md that a script can see. Prints every breach as FILE:LINE: rule; exit 1 if any.
# Usage: tests/lint/layers.sh [libheadrace_core.a]   (with the library it also looks for mutable globals)
cd "$(dirname "$0")/../.." || exit 2
breaches=$(mktemp)
trap 'rm -f "$breaches"' EXIT

# Directory of src/ -> what its files may include: directories, or single headers.
allowed() {
    case $1 in
    base)     echo "base" ;;
    store)    echo "base store" ;;
    sqs)      echo "base store sqs" ;;
    s3)       echo "base store s3" ;;
    pipeline) echo "base store pipeline" ;;
    http)     echo "base http" ;;
    aws)      echo "base http/message.h aws" ;;
    api)      echo "base store http/message.h aws sqs s3 pipeline api" ;;
    remote)   echo "base http/message.h http/client.h aws pipeline remote" ;;
    app)      echo "base store http aws sqs s3 pipeline api remote app" ;;
    packaging) echo "base store sqs s3" ;;
    *)        return 1 ;;
    esac
}

includes() {
    local file=$1 layer=$2 list line header
    list=" $(allowed "$layer") " || { echo "$file:1: unknown layer '$layer': name it in tests/lint/layers.sh" ; return; }
    while IFS=: read -r line header; do
        header=${header#*\"}; header=${header%%\"*}
        [[ $list == *" ${header%%/*} "* || $list == *" $header "* || $header == headrace.h ]] ||
            echo "$file:$line: $layer may not include $header (allowed:$list)"
    done < <(grep -nE '^ *# *include *"' "$file")
}

# found FILE-GLOB-ROOTS... -- PATTERN RULE EXCEPTIONS(regex of paths)
forbid() {
    local pattern=$1 rule=$2 except=$3
    shift 3
    grep -rnE --include='*.c' --include='*.h' --include='*.py' --include='*.mjs' --include='*.sh' "$pattern" "$@" 2>/dev/null |
        { [ -n "$except" ] && grep -vE "$except" || cat; } | cut -d: -f1,2 | sed "s|\$|: $rule|"
}

lengths() {
    awk -v limit=60 '
        FNR == 1 { if (lines > 600) print file ":600: file of " lines " lines (600 at most)"; file = FILENAME; inside = 0 }
        { lines = FNR }
        /^\{/ { start = FNR; inside = 1 }
        /^\}/ && inside { inside = 0; n = FNR - start - 1
            if (n > limit) print FILENAME ":" start ": function of " n " lines (" limit " at most)" }
        END { if (lines > 600) print file ":600: file of " lines " lines (600 at most)" }' "$@"
}

# The log's level is the one exception: it is set once, before the loop runs.
globals() {
    objdump -t "$1" | awk '
        /^[^ ].*\.c?\.o: / || /file format/ { object = $1 }
        $0 ~ / O \.(data|bss)(\.[A-Za-z_0-9]+)?\t/ && $0 !~ /\.data\.rel\.ro/ { print object " mutable global " $NF }' |
        grep -vE ' mutable global (__|\.L)|^log\.c\.o: mutable global (least_level|lost_lines)$' |
        sort -u |
        sed 's/$/: everything hangs on a struct/'
}

mapfile -t sources < <(find src include -name '*.[ch]' 2>/dev/null | sort)
{
    for file in "${sources[@]}"; do
        [[ $file == src/*/* ]] || continue
        layer=${file#src/}
        includes "$file" "${layer%%/*}"
    done
    forbid '# *include *<microhttpd' 'only http/server* talks to libmicrohttpd' '^src/http/server' src
    forbid '# *include *<curl/' 'only http/client* talks to libcurl' '^src/http/client' src
    forbid '# *include *<sqlite3' 'only store talks to SQLite' '^src/store/' src
    forbid '\b(clock_gettime|gettimeofday|timespec_get|uv_hrtime|uv_now|time) ?\(|CURRENT_TIMESTAMP|datetime\(.now' \
        'only app/clock.c reads a clock' '^src/app/clock\.c|: *(\*|/\*|//)' src
    forbid '\b(getrandom|getentropy|arc4random|rand|random|RAND_bytes) ?\(' 'only base/rng.c draws random bytes' '^src/base/rng\.[ch]|: *(\*|/\*|//)' src
    forbid '\b(sleep|usleep|nanosleep|setTimeout) ?\(' 'tests never sleep: they move the clock or wait for an event' '^tests/lint/' tests/unit tests/wire tests/sdk
    forbid '\b(TODO|FIXME|XXX|HACK)\b' 'no markers: file an issue or do it' '^tests/lint/' src include tests examples
    lengths "${sources[@]}" $(find tests -name '*.[ch]') $(find src/console -type f)
    [ -n "$1" ] && globals "$1"
} >"$breaches"
cat "$breaches"
[ -s "$breaches" ] || { echo "layers: ${#sources[@]} files, no breach"; exit 0; }
exit 1
