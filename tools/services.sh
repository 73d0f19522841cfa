#!/bin/sh
# Fetches the servers that tests and demo run, pinned, into target/services; what is there already is left alone.
#   kafka/lib     a Kafka broker, by Maven (tools/kafka/pom.xml)
#   milvus        Milvus 2.3.5 standalone, the newest full server on PyPI, unpacked into server/
#   milvus-lite   Milvus Lite and the official client, which it does not start without
#   milvus-lite25 Milvus Lite 2.5.1, the last one on Milvus's own C++ core: the program and its libraries alone
set -eu
cd "$(dirname "$0")/.."
services=$PWD/target/services
mkdir -p "$services"
tools/prerequisites.sh

# Two of us at once (CI fetches in the background) take turns; the second finds everything there.
exec 9> "$services/.lock"
flock 9

kafka() {
  mvn -q -B -f tools/kafka/pom.xml -Dkafka.lib="$1/lib" package
}

# The package's own launcher would unpack 250 MB into every data folder and fix etcd's ports for the whole machine;
# the testkit starts the server in it directly.
milvus() {
  venv "$1" milvus==2.3.5 && "$1/bin/python" - "$1/server" << 'PYTHON'
import os, shutil, sys, milvus
data = os.path.join(os.path.dirname(milvus.__file__), "data")
milvus._initialize_data_files(sys.argv[1])
for name in "config.yaml.template", "glog.conf":
    shutil.copy(os.path.join(data, name), sys.argv[1])
shutil.rmtree(data)
PYTHON
}

# check-jsonschema carries the Compose specification's schema.
milvus_lite() {
  venv "$1" milvus-lite==3.2.2 pymilvus==3.0.2 check-jsonschema==0.39.0
}

# The package around the program only starts it, and the testkit does that itself.
milvus_lite25() {
  venv "$1/venv" --no-deps milvus-lite==2.5.1 &&
    mv "$1"/venv/lib/python*/site-packages/milvus_lite/lib "$1/server" && rm -r "$1/venv"
}

venv() { # DIR PACKAGE...
  dir=$1
  shift
  python3 -m venv "$dir" && "$dir/bin/python" -m pip install --quiet --disable-pip-version-check --no-input "$@"
}

# Anew from nothing each time: half a download is never taken for a whole one.
once() { # NAME FUNCTION
  rm -rf "${services:?}/$1"
  mkdir -p "$services/$1"
  "$2" "$services/$1"
}

# The stamp is the recipe itself: this file, the project file and the interpreter.
recipe=$(cat tools/services.sh tools/kafka/pom.xml | cksum | tr ' ' -)-$(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')

fetch() { # NAME FUNCTION
  stamp=$services/$1/.stamp log=$services/$1.log
  [ "$(cat "$stamp" 2> /dev/null)" != "$recipe" ] || return 0
  echo "fetching $1" >&2
  started=$(date +%s)
  if ! once "$1" "$2" > "$log" 2>&1; then
    echo "fetching $1 failed, once more" >&2
    if ! once "$1" "$2" > "$log" 2>&1; then
      echo "fetching $1 failed; the end of $log:" >&2
      tail -n 20 "$log" >&2
      return 1
    fi
  fi
  echo "$recipe" > "$stamp"
  echo "fetched $1 in $(($(date +%s) - started)) s" >&2
}

fetch kafka kafka & kafka=$!
fetch milvus milvus & milvus=$!
fetch milvus-lite milvus_lite & lite=$!
fetch milvus-lite25 milvus_lite25 & lite25=$!
failed=0
for fetching in $kafka $milvus $lite $lite25; do
  wait "$fetching" || failed=1
done
exit $failed
