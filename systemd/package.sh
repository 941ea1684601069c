#!/usr/bin/env bash
# package.sh OUT [BUILD]: builds the Debian packages of this checkout in OUT, from a copy of the
# sources. With BUILD (configured for prefix /usr) it packages that build and compiles only the
# Python extension.
set -euo pipefail
source=$(dirname "$(dirname "$(readlink -f "$0")")")
out=$(readlink -m "$1")
if [[ -n ${2:-} ]]; then
  CLAIMSD_PREBUILT=$(readlink -e "$2")
  export CLAIMSD_PREBUILT
fi
copy=$out/claimsd
mkdir -p "$copy"
# Remove deleted sources from the copy, but keep build output.
find "$copy" -mindepth 1 -maxdepth 1 ! -name 'obj-*' -exec rm -rf {} +
rm -f "$out"/*.deb "$out"/*.ddeb "$out"/*.changes "$out"/*.buildinfo
cd "$source"
find . -mindepth 1 -maxdepth 1 ! -name build ! -name '.git' ! -name '.*_cache' -exec cp -a -t "$copy" {} +
cp -a systemd/debian "$copy/debian"
cd "$copy"
# debhelper sets its own HOME. Use the caller's ccache.
CCACHE_DIR=${CCACHE_DIR:-$(ccache -k cache_dir)}
export CCACHE_DIR CLAIMSD_CMAKE_OPTIONS="-DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache"
exec dpkg-buildpackage --build=binary --unsigned-source --unsigned-changes --no-pre-clean
