#!/bin/sh
# Licences, bans and sources of all dependencies by cargo-deny; advisories too where their database can be had.
set -eu
cd "$(dirname "$0")/.."
version=0.20.2
tool=$PWD/target/tools/cargo-deny-$version

if [ ! -x "$tool/bin/cargo-deny" ]; then
  echo "building cargo-deny $version (once, some minutes)" >&2
  cargo install --quiet --locked --root "$tool" --version "$version" cargo-deny
fi
deny=$tool/bin/cargo-deny

"$deny" --workspace check bans licenses sources
# The database is a git repository of its own; a machine that cannot reach it still gets the rest.
if "$deny" fetch db > target/tools/advisory-db.log 2>&1; then
  "$deny" --workspace check --disable-fetch advisories
else
  echo "advisories not checked, the advisory database cannot be fetched: $(tail -n 1 target/tools/advisory-db.log)" >&2
fi
