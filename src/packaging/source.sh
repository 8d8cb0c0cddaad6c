#!/bin/bash
# src/packaging/source.sh PACKAGE FOLDER - unpacks the source of a Debian or Ubuntu source package, with the distribution's
# patches, into FOLDER. Needs no root and changes nothing on the machine: where its lists name no sources (the usual
# case), the same lists are read anew, with deb-src, in a folder of our own. apt checks the signatures.
set -euo pipefail
package=$1 folder=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    cat >&2 <<TEXT
source.sh: cannot get the source of $package: $*
Name a folder that holds it instead: cmake -DHEADRACE_STATIC=ON -DHEADRACE_MHD_SOURCE=DIR -DHEADRACE_CURL_SOURCE=DIR ...
TEXT
    exit 1
}
for program in apt-get dpkg-source; do
    command -v $program >/dev/null || fail "no $program here (Debian: apt-get install dpkg-dev)"
done

# The lists of the machine that the distribution itself is in, asking for sources.
mkdir -p "$work"/{parts,lists/partial,cache/archives/partial}
for list in /etc/apt/sources.list /etc/apt/sources.list.d/*; do
    [ -f "$list" ] && grep -qE 'debian|ubuntu' "$list" || continue
    sed -E 's/^Types:.*/Types: deb-src/; s/^(deb|deb-src)[[:space:]]/deb-src /' "$list" | awk '!/^deb-src / || !seen[$0]++' \
        >"$work/parts/$(basename "$list")"
done
sources=(-o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$work/parts" -o Dir::State::Lists="$work/lists"
    -o Dir::Cache="$work/cache" -o APT::Sandbox::User=)
# A list that cannot be read matters only when it is the one that is needed.
apt-get "${sources[@]}" -q update >"$work/log" 2>&1 || true
cd "$work"
apt-get "${sources[@]}" -q source "$package" >>"$work/log" 2>&1 || { tail -5 "$work/log" >&2; fail "apt-get source"; }
rm -rf "$folder"
mkdir -p "$(dirname "$folder")"
mv "$work/$(ls -d "$package"-[0-9]*/ | head -1)" "$folder"
