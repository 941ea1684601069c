#!/bin/sh
# machine.sh STATE LOWER...
# Boots systemd in its own namespaces over a disposable copy of the root LOWER. STATE is an empty
# directory. The network is the caller's.
# Run as: unshare --pid --fork --mount --uts --ipc --cgroup sh machine.sh STATE LOWER
set -eu
state=$1
lower=$2
mount --make-rprivate /
mount -t tmpfs tmpfs "$state"
mkdir "$state/upper" "$state/work" "$state/root"
mount -t overlay overlay -o "lowerdir=$lower,upperdir=$state/upper,workdir=$state/work" "$state/root"
cd "$state/root"
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs tmpfs run
# systemd-tmpfiles cleans /tmp: without a mount here it would empty the caller's.
mount -t tmpfs tmpfs tmp
mount --rbind /dev dev
rm -f etc/systemd/system/multi-user.target.wants/*
# pivot_root(8) rather than chroot(1), which forbids user namespaces.
pivot_root . mnt
umount -l mnt
# As on a host, credentials reach a service through a shared mount. systemd sets this itself only
# outside containers.
mount --make-rshared /
exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin container=other /lib/systemd/systemd --system --unit=multi-user.target
