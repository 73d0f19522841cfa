#!/bin/sh
# Looks for the tools that the build and the test servers need besides Rust. What is missing is installed from the
# system's packages when this runs as root on Debian or Ubuntu; otherwise the line that installs it is printed.
set -eu

have() { command -v "$1" > /dev/null 2>&1; }

java_17() {
  version=$("${JAVA_HOME:+$JAVA_HOME/bin/}java" -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p') || true
  [ "${version:-0}" -ge 17 ]
}

# Debian keeps venv's own pip in another package.
python_venv() { python3 -c 'import ensurepip, venv' > /dev/null 2>&1; }

missing= packages=
want() { missing="$missing, $1" packages="$packages $2"; }

{ have gcc && have g++ && have make; } || want "a C compiler and make" build-essential
have perl || want perl perl
java_17 || want "Java 17 or newer" JAVA
have mvn || want Maven maven
python_venv || want "Python 3 with venv" python3-venv
have flock || want flock util-linux
[ -n "$missing" ] || exit 0

missing=${missing#, }
if ! have apt-get; then
  echo "missing: $missing; install them with your system's package manager" >&2
  exit 1
fi

# The newest of the long-term releases that this system's packages have.
java_package() {
  for release in 25 21 17; do
    # A name that other packages only mention has no candidate.
    if apt-cache policy "openjdk-$release-jre-headless" | grep -q 'Candidate: [0-9]'; then
      echo "openjdk-$release-jre-headless"
      return
    fi
  done
  echo default-jre-headless
}

if [ "$(id -u)" != 0 ]; then
  packages=$(echo "$packages" | sed "s/JAVA/$(java_package)/")
  echo "missing: $missing; install with:" >&2
  echo "  sudo apt-get update && sudo apt-get install -y --no-install-recommends$packages" >&2
  exit 1
fi
echo "missing: $missing; installing from the system's packages" >&2
apt-get update -q > /dev/null
packages=$(echo "$packages" | sed "s/JAVA/$(java_package)/")
echo "apt-get install$packages" >&2
# shellcheck disable=SC2086 # one word a package
DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $packages > /dev/null < /dev/null
