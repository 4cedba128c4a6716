# shellcheck shell=sh
# /scripts/swarmboot: initramfs-tools sources this when the cmdline has boot=swarmboot, then calls mountroot.
#
# Mounts the root image that is already in RAM and lays a tmpfs over it. Parameters, written by the handoff:
#   swarmboot.root=pmem:/dev/pmem0                  the squashfs begins at the first byte of the device
#   swarmboot.root=initrd:4096                      the squashfs begins there in the initrd, which retain_initrd keeps
#   swarmboot.root=file:/swarmboot/root.squashfs    the squashfs is a file of this initramfs
#   swarmboot.verity=ROOT_HASH:BLOCKS               the root has so many blocks of 4 KiB, and behind them the tree of dm-verity
# Only what klibc-utils offers is used: an initrd without busybox has nothing else (its losetup has no -r).
# systemd-root.sh sources it too, where systemd is PID 1 of the initrd, and has its own words for what differs there.
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
SWARMBOOT_CARDS=/sys/class/net
SWARMBOOT_LIVE=/bin/live-boot
SWARMBOOT_BROUGHT=/swarmboot/seed/agent-offset
SWARMBOOT_NETWORK=etc/systemd/network/80-swarmboot-wired.network
SWARMBOOT_LEASE=/run/systemd/network
SWARMBOOT_IMAGE=/run/swarmboot/image
SWARMBOOT_CHANGES=/run/swarmboot/changes
SWARMBOOT_SEALED=swarmboot-root

swarmboot_say() { echo "swarmboot: $*"; }

# The first value of a kernel parameter, or nothing.
swarmboot_parameter() {
	# shellcheck disable=SC2013
	for word in $(cat /proc/cmdline); do
		case $word in
		"$1"=*) echo "${word#*=}" && return ;;
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

# The agent of stage-1 behind the image, for an image without a seeder (swarmboot.seed=bring). It runs in a root of its
# own, with its own libraries: any image will do that has systemd.
swarmboot_bring_seeder() {
	if [ ! -e "$SWARMBOOT_BROUGHT" ] || [ -e "$SWARMBOOT_IMAGE/usr/lib/swarmboot/swarmboot-agent" ]; then return; fi
	offset=$(cat "$SWARMBOOT_BROUGHT")
	units=/run/systemd/system
	mkdir -p /run/swarmboot/agent "$units/multi-user.target.wants"
	swarmboot_mount_agent || return
	cat /run/swarmboot/agent/seed/swarmboot-seed.service >"$units/swarmboot-seed.service"
	ln -s ../swarmboot-seed.service "$units/multi-user.target.wants/swarmboot-seed.service"
}

swarmboot_mount_agent() {
	losetup -o "$offset" /dev/loop1 "$attached" && mount -t squashfs -o ro /dev/loop1 /run/swarmboot/agent
}

# The drivers of the network cards, from the image. udev of the real system would come to them when it has been through
# most other devices, after the login prompt even on a small machine, and till then this machine gives nothing. In the
# image, because modprobe of an initrd need not know how the image's modules are packed. A card that is a virtio device
# shows itself only when its PCI driver is there, hence the second round. coreutils, which timeout is of, is essential in
# Debian; a driver that takes longer goes on loading when udev asks for it.
swarmboot_load_drivers() {
	chroot "$SWARMBOOT_IMAGE" /usr/bin/timeout "$SWARMBOOT_DRIVER_SECONDS" /sbin/modprobe -qab "$@"
}

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
		if [ "$names" ]; then swarmboot_load_drivers $names || :; fi
	done
}

# What live-boot's own mountroot, which is not called, would have configured: fstab, and ifupdown's interfaces where
# there is no NetworkManager. The rest is live-config's, in the real system. In a shell of its own, because live-boot has
# a panic of its own too.
swarmboot_configure_live() {
	if [ -e "$SWARMBOOT_LIVE" ] && [ "$(swarmboot_parameter boot)" = live ]; then
		(
			# shellcheck disable=SC2034
			LIVE_BOOT_CMDLINE=$(cat /proc/cmdline)
			# shellcheck source=/dev/null
			. "$SWARMBOOT_LIVE"
			Cmdline_old
			Fstab
			if [ -d "${rootmnt:?}/etc/network" ]; then Netbase; fi
		)
	fi
}

# The lease that stage-1 had, for an image of `swarmboot image build`: systemd-networkd gives the card that address at once,
# before DHCP has said it again, which goes on asking so that the lease does not run out.
swarmboot_keep_lease() {
	lease=$(swarmboot_parameter swarmboot.lease)
	card=$(swarmboot_parameter BOOTIF)
	if [ -z "$lease" ] || [ ! -e "$SWARMBOOT_IMAGE/$SWARMBOOT_NETWORK" ] || ! mkdir -p "$SWARMBOOT_LEASE"; then return; fi
	(
		IFS=,
		# shellcheck disable=SC2086
		set -- $lease
		printf '[Match]\nMACAddress=%s\nKind=!*\n' "${card#01-}"
		printf '[Network]\nDHCP=yes\nAddress=%s\n' "$1"
		if [ "${2-}" ]; then printf 'Gateway=%s\n' "$2"; fi
		shift
		if [ $# -gt 0 ]; then shift; fi
		for server in "$@"; do printf 'DNS=%s\n' "$server"; done
		printf '[DHCPv4]\nClientIdentifier=mac\n'
	) >"$SWARMBOOT_LEASE/79-swarmboot-lease.network"
}

# That address on the card at once, for the seeder: on a small machine systemd-networkd starts a minute after it, and finds
# what it would have set. Once udev has named the card, which before Linux 6.2 needs it down.
swarmboot_set_address() {
	if [ ! -e "$SWARMBOOT_LEASE/79-swarmboot-lease.network" ]; then return; fi
	wait_for_udev 5
	wanted=$(swarmboot_parameter BOOTIF)
	wanted=$(
		IFS=-
		# shellcheck disable=SC2086
		set -- ${wanted#01-}
		IFS=:
		echo "$*"
	)
	for folder in "$SWARMBOOT_CARDS"/*; do
		# Not a VLAN or a bridge, which have the MAC address of their card.
		if [ ! -e "$folder/device" ] || [ "$(cat "$folder/address")" != "$wanted" ]; then continue; fi
		chroot "$SWARMBOOT_IMAGE" /bin/ip link set dev "${folder##*/}" up &&
			chroot "$SWARMBOOT_IMAGE" /bin/ip address add "${lease%%,*}" dev "${folder##*/}"
		return
	done
}

# The name of this very machine, if stage-1 was told one; the image's is the same on all.
swarmboot_name_machine() {
	name=$(swarmboot_parameter swarmboot.hostname)
	if [ "$name" ] && mkdir -p "$SWARMBOOT_CHANGES/upper/etc"; then
		echo "$name" >"$SWARMBOOT_CHANGES/upper/etc/hostname"
		{
			echo "127.0.1.1 $name"
			cat "$SWARMBOOT_IMAGE/etc/hosts"
		} >"$SWARMBOOT_CHANGES/upper/etc/hosts" 2>/dev/null || :
	fi
}

# Makes /dev/loop0 of the file $1 from byte $2 on, or tells mount by $loop_options to do so.
swarmboot_attach() {
	device=/dev/loop0
	if ! swarmboot_wait "$device"; then
		swarmboot_reason="$device has not appeared; the kernel module loop is missing"
		return 1
	fi
	# klibc's losetup has no -r. It opens a file for writing, and is content with reading where the file system is read-only.
	# The loop device keeps a file alive when run-init deletes the initramfs.
	if ! losetup -r -o "$2" "$device" "$1" 2>/dev/null && ! losetup -o "$2" "$device" "$1"; then
		swarmboot_reason="cannot attach $1 to $device"
		return 1
	fi
}

# Finds the root image and names it in $device. On failure swarmboot_reason says what is wrong and what to do.
swarmboot_find() {
	loop_options=
	source=$(swarmboot_parameter swarmboot.root)
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
		mkdir -p /run/swarmboot/sys
		if ! mount -t sysfs -o ro sysfs /run/swarmboot/sys; then
			swarmboot_reason="cannot mount a second, read-only sysfs"
			return 1
		fi
		swarmboot_attach /run/swarmboot/sys/firmware/initrd "${source#initrd:}" || return 1
		;;
	file:/*)
		file=${source#file:}
		if [ ! -f "$file" ]; then
			swarmboot_reason="$file is not in this initramfs; the archive may have been cut off for want of RAM (root= on the command line lifts the limit of half the RAM)"
			return 1
		fi
		swarmboot_attach "$file" 0 || return 1
		;;
	*)
		swarmboot_reason="swarmboot.root=\"$source\" is none of pmem:/dev/NAME, initrd:OFFSET and file:/PATH"
		return 1
		;;
	esac
}

# From here on each block of $device is checked when it is read, if the handoff says against what. Nobody waits for udev, which
# makes the node in /dev/mapper when it comes to it: the kernel's own is there at once.
swarmboot_seal() {
	attached=$device
	sealed=$(swarmboot_parameter swarmboot.verity)
	if [ ! "$sealed" ]; then return; fi
	blocks=${sealed#*:}
	table="0 $((blocks * 8)) verity 1 $device $device 4096 4096 $blocks $blocks sha256 ${sealed%:*} -"
	if ! dmsetup create "$SWARMBOOT_SEALED" --readonly --noudevrules --noudevsync --table "$table"; then
		swarmboot_reason="dm-verity does not take $device; are dmsetup and the kernel module dm-verity in this initramfs?"
		swarmboot_detach
		return 1
	fi
	device=/dev/$(dmsetup info -c --noheadings -o blkdevname "$SWARMBOOT_SEALED")
}

# As if the device had never been looked at, for another attempt.
swarmboot_detach() {
	if [ "$device" != "$attached" ]; then dmsetup remove --noudevsync "$SWARMBOOT_SEALED" || :; fi
	if [ "$attached" = /dev/loop0 ]; then losetup -d "$attached" || :; fi
}

# The image read-only, a tmpfs for what changes, and what stage-1 has left for the real system. The root is an overlay of
# the two, which is mounted when this is done.
swarmboot_layers() {
	mkdir -p "$SWARMBOOT_IMAGE" "$SWARMBOOT_CHANGES"
	if ! mount -t squashfs -o "ro$loop_options" "$device" "$SWARMBOOT_IMAGE"; then
		swarmboot_reason="$device holds no squashfs that this kernel can mount; the image was damaged on its way through the kexec"
		swarmboot_detach
		return 1
	fi
	size=$(swarmboot_parameter swarmboot.overlay)
	if ! mount -t tmpfs -o "mode=0755,size=${size:-50%}" swarmboot "$SWARMBOOT_CHANGES" ||
		! mkdir -p "$SWARMBOOT_CHANGES/upper" "$SWARMBOOT_CHANGES/work"; then
		swarmboot_reason="cannot mount a tmpfs for what the real system changes"
		swarmboot_undo
		return 1
	fi
	swarmboot_name_machine
	swarmboot_keep_lease
	swarmboot_leave_for_seeder
	swarmboot_bring_seeder || :
}

swarmboot_undo() {
	umount "$SWARMBOOT_CHANGES" 2>/dev/null
	umount "$SWARMBOOT_IMAGE"
	swarmboot_detach
}

# One attempt.
swarmboot_mount() {
	if ! swarmboot_find || ! swarmboot_seal; then return 1; fi
	if [ -e "$SWARMBOOT_LTSP" ]; then
		mkdir -p /run/swarmboot && echo "$device" >"$SWARMBOOT_NOTE"
		configure_networking
		swarmboot_leave_for_seeder
		swarmboot_say "root is $source, for LTSP to mount"
		return
	fi
	swarmboot_layers || return 1
	if ! mount -t overlay -o "lowerdir=$SWARMBOOT_IMAGE,upperdir=$SWARMBOOT_CHANGES/upper,workdir=$SWARMBOOT_CHANGES/work" swarmboot "$rootmnt"; then
		swarmboot_reason="cannot lay a tmpfs over the image; is the kernel module overlay missing?"
		swarmboot_undo
		return 1
	fi
	swarmboot_wake_network
	swarmboot_set_address || :
	swarmboot_configure_live
	swarmboot_say "root is $source, changes stay in RAM${sealed:+, each block is checked when it is read}"
}

mountroot() {
	# panic reboots after panic=N seconds, or opens a shell; after the shell it is worth another try.
	while ! swarmboot_mount; do
		panic "swarmboot: cannot mount the root image: $swarmboot_reason"
	done
}
