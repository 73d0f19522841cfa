#!/bin/sh
# Has the simulation look for mistakes made on purpose: each of tools/mutants/*.patch is applied to a throwaway copy of
# the sources, and `SEEDS` seeds (10000) must find it. With names as arguments: only those.
set -eu
cd "$(dirname "$0")/.."
root=$PWD
copy=$root/target/mutants
# Of its own: cargo would take the one copy for the other.
export CARGO_TARGET_DIR="$root/target/mutants-build"
export SIM_SEEDS="${SEEDS:-10000}"
log=$copy.log

# What is neither built nor tested here, or built by nobody, is left out.
rm -rf "$copy"
mkdir -p "$copy"
git ls-files -z --cached --others --exclude-standard | tar --null --files-from - --create | tar --extract --directory "$copy"
cd "$copy"

if [ $# -eq 0 ]; then
    set -- "$root"/tools/mutants/*.patch
fi
survived=0
for mutant; do
    name=$(basename "$mutant" .patch)
    printf '%-45s ' "$name"
    if ! patch --quiet --strip 1 --force < "$root/tools/mutants/$name.patch" > "$log" 2>&1; then
        echo "does not apply: $log"
        exit 1
    fi
    if ! cargo test --quiet --lib --no-run > "$log" 2>&1; then
        echo "does not build: $log"
        exit 1
    fi
    if timeout 1800 cargo test --quiet --lib sim:: > "$log" 2>&1; then
        echo "NOT FOUND in $SIM_SEEDS seeds"
        survived=$((survived + 1))
    else
        found=$(sed -n 's/^\(seed [0-9]*\), at [0-9.]* s: /\1: /p' "$log" | cut -c 1-100 | head -n 1)
        echo "${found:-found, and not by the simulation: $log}"
        [ -n "$found" ] || survived=$((survived + 1))
    fi
    patch --quiet --strip 1 --force --reverse < "$root/tools/mutants/$name.patch"
done
rm -rf "$copy"
if [ "$survived" -gt 0 ]; then
    echo "$survived not found"
    exit 1
fi
echo "all found"
