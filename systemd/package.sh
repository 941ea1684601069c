#!/usr/bin/env bash
# package.sh OUT [BUILD]: makes the Debian packages of this checkout in OUT, from a copy of the sources there. With BUILD (configured for
# the prefix /usr) they hold what has been built there, and nothing is compiled but the Python extension.
set -euo pipefail
source=$(dirname "$(dirname "$(readlink -f "$0")")")
out=$(readlink -m "$1")
if [[ -n ${2:-} ]]; then
  CLAIMSD_PREBUILT=$(readlink -e "$2")
  export CLAIMSD_PREBUILT
fi
copy=$out/claimsd
mkdir -p "$copy"
# What is no longer there must not stay in the copy; what was compiled there may.
find "$copy" -mindepth 1 -maxdepth 1 ! -name 'obj-*' -exec rm -rf {} +
rm -f "$out"/*.deb "$out"/*.ddeb "$out"/*.changes "$out"/*.buildinfo
cd "$source"
find . -mindepth 1 -maxdepth 1 ! -name build ! -name '.git' ! -name '.*_cache' -exec cp -a -t "$copy" {} +
cp -a systemd/debian "$copy/debian"
cd "$copy"
# debhelper gives the build a home of its own; the cache of compilations is that of the caller.
CCACHE_DIR=${CCACHE_DIR:-$(ccache -k cache_dir)}
export CCACHE_DIR CLAIMSD_CMAKE_OPTIONS="-DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache"
exec dpkg-buildpackage --build=binary --unsigned-source --unsigned-changes --no-pre-clean
