#!/bin/sh
# enter.sh STATE LOWER KEPT warm|cold CACHE COMMAND...
# Runs COMMAND as a child of process 1, in the root LOWER under a copy-on-write layer in STATE. KEPT
# holds downloaded packages and the compiler cache; CACHE holds the roots of all suites, for tests
# that need one. The network is the caller's.
# Run as: unshare --pid --fork --mount --uts --ipc --cgroup sh enter.sh ...
set -eu
state=$1 lower=$2 kept=$3 temperature=$4 cache=$5
shift 5
mount --make-rprivate /
mount -t overlay overlay -o "lowerdir=$lower,upperdir=$state/upper,workdir=$state/work" "$state/root"
cd "$state/root"
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs run
mount --rbind /dev dev
mkdir -p var/cache/apt/archives root/.cache/ccache ".$cache"
mount --bind "$kept/archives" var/cache/apt/archives
[ "$temperature" = cold ] || mount --bind "$kept/ccache" root/.cache/ccache
mount --bind "$cache" ".$cache"
# Some images make apt delete the packages that it has downloaded.
rm -f etc/apt/apt.conf.d/docker-clean
# The root is thrown away, so dpkg need not sync each file: most of the time of an installation.
echo force-unsafe-io >etc/dpkg/dpkg.cfg.d/unsafe-io
echo 'Binary::apt-get::APT::Keep-Downloaded-Packages "true";' >etc/apt/apt.conf.d/90keep
# pivot_root(8) rather than chroot(1), because the kernel refuses user namespaces inside a chroot.
mkdir -p mnt
pivot_root . mnt
umount -l mnt
# Not exec: process 1 must reap orphans.
"$@"
