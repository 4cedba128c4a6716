#!/bin/sh
# Boots the Debian at ROOT as a machine: systemd as PID 1, in namespaces of its own but for the network, which is the
# caller's. Usage: boot-tree.sh ROOT    Ends when the machine does; killing this kills it with all that runs in it.
#
# A server in QEMU would share the two emulated cores with the machines that boot from it; this one runs at full speed.
# Not systemd-nspawn: that asks the host's systemd for a cgroup, and a container has none.
set -eu
root=$1
if [ "${2:-}" != inside ]; then
	# A cgroup for systemd to rule over, in the host's v2 hierarchy, which may be mounted anywhere (cgroups(7)).
	groups=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
	if [ "$groups" ]; then
		group="$groups/swb-tree-$$"
		mkdir "$group"
		trap 'find "$group" -depth -type d -exec rmdir {} + 2>/dev/null' EXIT
		trap 'exit 143' TERM INT
		sh -c 'echo $$ >"$1/cgroup.procs"; shift; exec "$@"' sh "$group" \
			setpriv --pdeathsig KILL unshare --mount --pid --uts --ipc --cgroup --fork --kill-child=KILL sh "$0" "$root" inside &
		wait $!
		exit
	fi
	echo "boot-tree: no cgroup2 file system is mounted" >&2
	exit 1
fi
mount --make-rprivate /
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
# systemd takes a read-only /sys for a container's, and leaves the devices alone.
mount -o remount,bind,ro "$root/sys"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
for device in null zero full random urandom tty loop-control; do
	cp -a "/dev/$device" "$root/dev/$device"
done
# Those that the kernel has; one that it makes later would have no node here.
for device in /dev/loop[0-9]*; do
	[ -b "$device" ] && cp -a "$device" "$root/dev/"
done
hostname bootserver
# Not chroot(1): who is in one may make no user namespace, and PrivateUsers= of units would fail.
cd "$root"
mkdir -p .host
pivot_root . .host
umount --lazy /.host
rmdir /.host
exec env -i container=lab PATH=/usr/sbin:/usr/bin:/sbin:/bin TERM=dumb /sbin/init </dev/null
