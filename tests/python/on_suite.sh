#!/bin/bash
# on_suite.sh SUITE|ROOT [PYTEST ARGUMENT...]: the Python tests with the Python, Django and REST framework of a Debian suite.
#
#   sudo tests/python/on_suite.sh trixie
#   sudo tests/python/on_suite.sh forky tests/python/test_permissions.py -x
#
# SUITE names a Debian suite, whose root is made once under /var/cache/claimsd-tests/; ROOT is a directory with such a root. The package and its extension are
# built inside. claimsd and claimsctl are those of CLAIMSD_BUILD_DIR (default: build/release) on this machine, run with this machine's libraries, so
# that only the Python side differs. Needs root, debootstrap and git. Exits with pytest's status.
set -euo pipefail

readonly CACHE=/var/cache/claimsd-tests
readonly MIRROR=http://deb.debian.org/debian
readonly PACKAGES=(
  python3 python3-dev python3-pip python3-setuptools python3-wheel python3-venv python3-build g++ libssl-dev pkgconf git binutils openssl gettext
  python3-django python3-djangorestframework python3-djangorestframework-simplejwt python3-djangorestframework-spectacular python3-django-channels
  python3-django-redis python3-redis redis-server daphne uvicorn gunicorn python3-gevent python3-cryptography python3-jsonschema python3-yaml
  python3-requests python3-pytest python3-hypothesis mypy)
readonly OPTIONAL_PACKAGES=(python3-sentry-sdk) # not in every suite; its tests are skipped without it
HERE=$(dirname "$(realpath "$0")")
CHECKOUT=$(realpath "$HERE/../..")
readonly HERE CHECKOUT

make_root() { # SUITE ROOT
  local suite=$1 new=$2.new
  rm -rf "$new"
  debootstrap --variant=minbase "$suite" "$new" "$MIRROR" /usr/share/debootstrap/scripts/sid
  printf 'Types: deb\nURIs: %s\nSuites: %s\nComponents: main\n' "$MIRROR" "$suite" >"$new/etc/apt/sources.list.d/debian.sources"
  : >"$new/etc/apt/sources.list"
  # This machine's way to the mirror, if it has one.
  cp /etc/apt/apt.conf.d/99* "$new/etc/apt/apt.conf.d/" 2>/dev/null || true
  mkdir -p "$new/etc/apt/auth.conf.d" "$new/etc/ssl/certs"
  cp -a /etc/apt/auth.conf.d/. "$new/etc/apt/auth.conf.d/" 2>/dev/null || true
  cp -L /etc/ssl/certs/ca-certificates.crt "$new/etc/ssl/certs/" 2>/dev/null || true
  cp -L /etc/resolv.conf "$new/etc/resolv.conf"
  in_root "$new" apt-get update
  in_root "$new" apt-get install -y --no-install-recommends "${PACKAGES[@]}"
  in_root "$new" apt-get install -y --no-install-recommends "${OPTIONAL_PACKAGES[@]}" || echo "without ${OPTIONAL_PACKAGES[*]}"
  mv "$new" "$2"
}

in_root() { # ROOT COMMAND...
  local root=$1
  shift
  # shellcheck disable=SC2016 # the inner shell expands it
  unshare --mount --pid --fork --kill-child bash -c '
    root=$1; shift
    mount --make-rprivate /
    mount -t proc proc "$root/proc" && mount --rbind /dev "$root/dev"
    exec chroot "$root" /usr/bin/env DEBIAN_FRONTEND=noninteractive "$@"' in_root "$root" "$@"
}

wrapper() { # FILE PROGRAM: runs a program of this machine with its own libraries
  mkdir -p "$(dirname "$1")"
  printf '#!/bin/sh\nexec /host/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2 --library-path /host/lib/x86_64-linux-gnu:/host/build/client/src /host/build/%s "$@"\n' "$2" >"$1"
  chmod 755 "$1"
}

run_tests() { # ROOT PYTEST_ARGUMENT...
  local root=$1 build=${CLAIMSD_BUILD_DIR:-$CHECKOUT/build/release}
  shift
  [[ -x $build/daemon/claimsd && -x $build/client/claimsctl/claimsctl ]] || { echo "no claimsd and claimsctl in $build: build them first" >&2; exit 2; }
  mount --make-rprivate /
  mount -t proc proc "$root/proc"
  mount --rbind /dev "$root/dev"
  mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
  mkdir -p "$root/host"
  mount -t tmpfs tmpfs "$root/host"
  mkdir -p "$root/host/lib" "$root/host/build"
  mount --bind /usr/lib "$root/host/lib"
  mount --bind "$build" "$root/host/build"
  mkdir -p "$root/tmp/claimsd"
  (cd "$CHECKOUT" && git ls-files -z -co --exclude-standard | tar --create --null --ignore-failed-read --files-from=- 2>/dev/null) | tar --extract --directory "$root/tmp/claimsd"
  wrapper "$root/tmp/claimsd/build/suite/daemon/claimsd" daemon/claimsd
  wrapper "$root/tmp/claimsd/build/suite/client/claimsctl/claimsctl" client/claimsctl/claimsctl
  ip link set lo up 2>/dev/null || true
  exec chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 CLAIMSD_BUILD_DIR=/tmp/claimsd/build/suite /bin/sh -c '
    cd /tmp/claimsd &&
    python3 -B tests/python/install_for_tests.py build/suite build/suite/python &&
    exec python3 -B -W ignore -m pytest -p no:cacheprovider "$@"' pytest "$@"
}

if [[ ${1:-} == --inside ]]; then
  shift
  run_tests "$@"
fi
[[ $# -ge 1 ]] || { sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 2; }
root=$1
shift
if [[ $root != /* ]]; then
  mkdir -p "$CACHE"
  [[ -d $CACHE/py-$root ]] || make_root "$root" "$CACHE/py-$root"
  root=$CACHE/py-$root
fi
[[ $# -ge 1 ]] || set -- -q tests/python
exec unshare --mount --pid --fork --kill-child "$0" --inside "$root" "$@"
