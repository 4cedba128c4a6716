# shellcheck shell=sh
# /scripts/swarmboot: initramfs-tools sources this when the cmdline has boot=swarmboot, then calls mountroot.
#
# Mounts the root image that is already in RAM and lays a tmpfs over it. Parameters, written by the handoff:
#   swarmboot.root=pmem:/dev/pmem0                  the squashfs begins at the first byte of the device
#   swarmboot.root=initrd:4096                      the squashfs begins there in the initrd, which retain_initrd keeps
#   swarmboot.root=file:/swarmboot/root.squashfs    the squashfs is a file of this initramfs
# Only what klibc-utils offers is used: an initrd without busybox has nothing else (its losetup has no -r).
# The real system sees the layers below /run/swarmboot, because /run moves there with all that is mounted in it.
#
# An image of LTSP brings its own init-bottom script, which mounts the root, lays an overlay and puts LTSP's init in. It
# is told the device by /run/swarmboot/device; LTSP's init wants the network as klibc's ipconfig leaves it.

mount_top() { :; }
mount_premount() { :; }
mount_bottom() { :; }

SWARMBOOT_DEADLINE=30
SWARMBOOT_DRIVER_SECONDS=10
# Comes with ltsp.img from a server with ltsp-swarmboot.
SWARMBOOT_LTSP=/usr/share/ltsp/client/initrd-bottom/45-swarm.sh
SWARMBOOT_NOTE=/run/swarmboot/device
SWARMBOOT_BUSES=/sys/bus

swarmboot_say() { echo "swarmboot: $*"; }

swarmboot_source() {
	# shellcheck disable=SC2013
	for word in $(cat /proc/cmdline); do
		case $word in
		swarmboot.root=*) echo "${word#swarmboot.root=}" && return ;;
		esac
	done
}

# Waits for a block device; prints what it waits for once a second has passed.
swarmboot_wait() {
	waited=0
	wait_for_udev 10
	while [ ! -b "$1" ]; do
		if [ "$waited" -ge "$SWARMBOOT_DEADLINE" ]; then return 1; fi
		if [ "$waited" = 1 ]; then swarmboot_say "waiting for $1, at most $SWARMBOOT_DEADLINE seconds"; fi
		sleep 1
		waited=$((waited + 1))
	done
}

# For swarmboot-seed.service, which goes on giving the image; /run moves into the real system.
swarmboot_leave_for_seeder() {
	if [ -d /swarmboot/seed ] && mkdir -p /run/swarmboot/seed; then
		for file in /swarmboot/seed/*; do cat "$file" >"/run/swarmboot/seed/${file##*/}" || :; done
	fi
}

# The drivers of the network cards, from the image. udev of the real system would come to them when it has been through
# most other devices, after the login prompt even on a small machine, and till then this machine gives nothing. In the
# root, because modprobe of an initrd need not know how the image's modules are packed. A card that is a virtio device
# shows itself only when its PCI driver is there, hence the second round. coreutils, which timeout is of, is essential in
# Debian; a driver that takes longer goes on loading when udev asks for it.
swarmboot_wake_network() {
	for round in pci virtio; do
		names=
		for card in "$SWARMBOOT_BUSES/$round"/devices/*; do
			if [ "$round" = pci ]; then
				# Class 02: network controllers (PCI Code and ID Assignment Specification).
				case $(cat "$card/class" 2>/dev/null) in 0x02*) ;; *) continue ;; esac
			fi
			if [ -e "$card/modalias" ]; then names="$names $(cat "$card/modalias")"; fi
		done
		# shellcheck disable=SC2086
		if [ "$names" ]; then chroot "${rootmnt:?}" /usr/bin/timeout "$SWARMBOOT_DRIVER_SECONDS" /sbin/modprobe -qab $names || :; fi
	done
}

# One attempt. On failure swarmboot_reason says what is wrong and what to do.
swarmboot_mount() {
	source=$(swarmboot_source)
	case $source in
	pmem:/dev/*)
		device=${source#pmem:}
		if ! swarmboot_wait "$device"; then
			swarmboot_reason="$device has not appeared after $SWARMBOOT_DEADLINE seconds; is memmap= on the command line, and does this kernel have nd_e820 and nd_pmem?"
			return 1
		fi
		;;
	initrd:[0-9]*)
		if [ ! -e /sys/firmware/initrd ]; then
			swarmboot_reason="the kernel shows no /sys/firmware/initrd; is retain_initrd on the command line, and is the kernel 6.8 or newer?"
			return 1
		fi
		device=/dev/loop0
		if ! swarmboot_wait "$device"; then
			swarmboot_reason="$device has not appeared; the kernel module loop is missing"
			return 1
		fi
		# klibc's losetup opens a file for writing and is content with reading only where the file system is read-only.
		mkdir -p /run/swarmboot/sys
		if ! mount -t sysfs -o ro sysfs /run/swarmboot/sys ||
			! losetup -o "${source#initrd:}" "$device" /run/swarmboot/sys/firmware/initrd; then
			swarmboot_reason="cannot attach the initrd to $device"
			return 1
		fi
		;;
	file:/*)
		file=${source#file:}
		if [ ! -f "$file" ]; then
			swarmboot_reason="$file is not in this initramfs; the archive may have been cut off for want of RAM (root= on the command line lifts the limit of half the RAM)"
			return 1
		fi
		device=/dev/loop0
		if ! swarmboot_wait "$device"; then
			swarmboot_reason="$device has not appeared; the kernel module loop is missing"
			return 1
		fi
		# The loop device keeps the file alive when run-init deletes the initramfs.
		if ! losetup -r "$device" "$file" 2>/dev/null && ! losetup "$device" "$file"; then
			swarmboot_reason="cannot attach $file to $device"
			return 1
		fi
		;;
	*)
		swarmboot_reason="swarmboot.root=\"$source\" is none of pmem:/dev/NAME, initrd:OFFSET and file:/PATH"
		return 1
		;;
	esac
	if [ -e "$SWARMBOOT_LTSP" ]; then
		mkdir -p /run/swarmboot && echo "$device" >"$SWARMBOOT_NOTE"
		configure_networking
		swarmboot_leave_for_seeder
		swarmboot_say "root is $source, for LTSP to mount"
		return
	fi
	mkdir -p /run/swarmboot/image /run/swarmboot/changes
	if ! mount -t squashfs -o ro "$device" /run/swarmboot/image; then
		swarmboot_reason="$device holds no squashfs that this kernel can mount; the image was damaged on its way through the kexec"
		[ "$device" = /dev/loop0 ] && losetup -d "$device"
		return 1
	fi
	if ! mount -t tmpfs -o mode=0755,size=50% swarmboot /run/swarmboot/changes ||
		! mkdir -p /run/swarmboot/changes/upper /run/swarmboot/changes/work ||
		! mount -t overlay -o lowerdir=/run/swarmboot/image,upperdir=/run/swarmboot/changes/upper,workdir=/run/swarmboot/changes/work \
			swarmboot "$rootmnt"; then
		swarmboot_reason="cannot lay a tmpfs over the image; is the kernel module overlay missing?"
		umount /run/swarmboot/changes 2>/dev/null
		umount /run/swarmboot/image
		return 1
	fi
	swarmboot_leave_for_seeder
	swarmboot_wake_network
	swarmboot_say "root is $source, changes stay in RAM"
}

mountroot() {
	# panic reboots after panic=N seconds, or opens a shell; after the shell it is worth another try.
	while ! swarmboot_mount; do
		panic "swarmboot: cannot mount the root image: $swarmboot_reason"
	done
}
