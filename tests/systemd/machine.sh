#!/bin/sh
# machine.sh STATE LOWER...: boots systemd in namespaces of its own over a throw-away copy of the root LOWER; STATE is an empty directory.
# To be run as: unshare --pid --fork --mount --uts --ipc --cgroup sh machine.sh STATE LOWER. The network is the caller's.
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
# systemd's tmpfiles clean /tmp: without one of its own the caller's would be emptied.
mount -t tmpfs tmpfs tmp
mount --rbind /dev dev
rm -f etc/systemd/system/multi-user.target.wants/*
# Not chroot(1), in which nobody may make a user namespace.
pivot_root . mnt
umount -l mnt
# As on a host: credentials reach a service by a mount that propagates. systemd does this itself only outside of containers.
mount --make-rshared /
exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin container=other /lib/systemd/systemd --system --unit=multi-user.target
