#!/bin/bash
# Starts systemd on a copy of this machine's file system, in its own mount, process and control group namespaces. Changes
# are kept in memory. Run it with: unshare --mount --pid --kill-child machine.sh DIRECTORY
#
# DIRECTORY/shared is /mnt of the copy; DIRECTORY/pid receives the process number of systemd, and DIRECTORY/group the
# control group of the copy.
set -eu
directory=$1
root=$directory/root
if [ $# -eq 1 ]; then
  # /proc is still that of this machine, so this is the process number outside the namespace.
  read -r pid _ < /proc/self/stat
  group=/sys/fs/cgroup
  [ ! -d "$group/systemd" ] || group=$group/systemd
  group=$group/ecoflow-exporter-test-$pid
  mkdir "$group"
  echo "$group" > "$directory/group"
  echo 0 > "$group/cgroup.procs"
  exec unshare --cgroup bash "$0" "$directory" "$pid"
fi
pid=$2
mkdir -p "$root" "$directory/changes" "$directory/shared"
mount --make-rprivate /
mount -t tmpfs tmpfs "$directory/changes"
mkdir "$directory/changes/upper" "$directory/changes/work"
mount -t overlay -o "lowerdir=/,upperdir=$directory/changes/upper,workdir=$directory/changes/work" overlay "$root"
# Units must not change the kernel settings or the devices of this machine.
mount -t proc proc "$root/proc"
mount --bind "$root/proc/sys" "$root/proc/sys"
mount -o remount,bind,ro "$root/proc/sys"
mount --bind /sys "$root/sys"
mount -o remount,bind,ro "$root/sys"
# systemd changes the options of this file system, so it is not the one of this machine.
if [ -d /sys/fs/cgroup/systemd ]; then
  mount -t tmpfs -o mode=755 tmpfs "$root/sys/fs/cgroup"
  mkdir "$root/sys/fs/cgroup/systemd"
  mount -t cgroup -o none,name=systemd cgroup "$root/sys/fs/cgroup/systemd"
else
  mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
fi
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
mkdir "$root/dev/shm" "$root/dev/pts"
mount -t devpts devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
for device in null zero full random urandom tty; do
  touch "$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mount --bind "$directory/shared" "$root/mnt"
printf '[Unit]\nDescription=No other services\n' > "$root/etc/systemd/system/alone.target"
# Policies of the machine, such as those of container images, would prevent the package from restarting its service.
rm -f "$root/usr/sbin/policy-rc.d"
mkdir -p "$root/oldroot"
cd "$root"
pivot_root . oldroot
echo "$pid" > "oldroot$directory/pid"
umount -l /oldroot
# Otherwise, systemd cannot mount credentials.
mount --make-rshared /
export container=other
exec /lib/systemd/systemd --system --unit=alone.target --show-status=no
