#!/bin/bash
# A world with systemd as its first process, over a throw-away copy of this machine's root: what happens in it stays in memory.
# Usage, as root: unit-world.sh FOLDER    with FOLDER/opt, what is installed in /opt; FOLDER/etc, what is in /etc; FOLDER/trial.sh,
# which is run there as root, and ends the world; FOLDER/out, where it writes what it has found (at /run/out).
set -euo pipefail
folder=$(realpath "$1")

if [ "${2-}" != inside ]; then
  # Its own part of the control groups, which goes with it.
  groups=$(findmnt --noheadings --types cgroup2 --output TARGET | head -n 1)
  own=$groups/ossa-unit-$$
  mkdir "$own"
  trap 'find "$own" -depth -type d -exec rmdir {} +' EXIT
  (echo 0 >"$own/cgroup.procs" && exec unshare --mount --pid --net --cgroup --ipc --uts --fork --kill-child "$0" "$folder" inside)
  exit
fi

mount --make-rprivate /
world=$folder/world
mkdir -p "$world"
mount -t tmpfs tmpfs "$world"
mkdir "$world"/{upper,work,root}
mount -t overlay overlay -o "lowerdir=/,upperdir=$world/upper,workdir=$world/work" "$world/root"
cd "$world/root"

# Nothing of the machine's own services, nor of its kernel's log and settings.
rm -rf etc/systemd/system etc/systemd/journald.conf.d var/log/journal
mkdir -p etc/systemd/system opt
cp -a "$folder"/opt/. opt
cp -a "$folder"/etc/. etc
rm -rf usr/lib/systemd/system/*.target.wants
for unit in sysinit basic shutdown network-online; do
  printf '[Unit]\nDefaultDependencies=no\n' >"etc/systemd/system/$unit.target"
done
printf '[Unit]\nDefaultDependencies=no\nWants=trial.service systemd-journald.service\n' >etc/systemd/system/trial.target
cat >etc/systemd/system/trial.service <<'UNIT'
[Unit]
DefaultDependencies=no
After=systemd-journald.service
[Service]
Type=oneshot
ExecStart=/bin/bash /run/trial.sh
UNIT

mount -t tmpfs tmpfs run
mount -t tmpfs tmpfs tmp
mount -t tmpfs tmpfs dev
mkdir run/out dev/shm dev/pts dev/mqueue dev/hugepages
cp "$folder/trial.sh" run/trial.sh
mount --bind "$folder/out" run/out
for node in null zero full random urandom; do
  touch "dev/$node"
  mount --bind "/dev/$node" "dev/$node"
done
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,ro,bind proc/sys
mount -t sysfs sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -o remount,ro,bind sys
ip link set lo up

# Not chroot: from there no user namespaces can be made.
mkdir .before
pivot_root . .before
umount -l .before
# As the manager of a container does it: credentials are mounted by helpers of systemd, and have to arrive here.
mount --make-rshared /
exec env -i container=ossa PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
  /lib/systemd/systemd --unit=trial.target --log-target=journal --show-status=no </dev/null
