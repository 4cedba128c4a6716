# shellcheck shell=sh
# /swarmboot/systemd-root: run by swarmboot-root.service in an initrd where systemd is PID 1, as dracut makes them.
#
# Loads the modules that the boot archive carries, then does what the boot script of initramfs-tools does up to the overlay,
# which sysroot.mount is. Only what dracut's modules base, systemd and udev-rules install is used.

# shellcheck source=server/image/initramfs/boot-script.sh
. /scripts/swarmboot

for module in /swarmboot/modules/*.ko; do
	if [ -f "$module" ]; then insmod "$module" 2>/dev/null || :; fi
done

# The kernel makes block devices itself (devtmpfs).
wait_for_udev() { :; }

# There need not be a losetup, and mount(8) of util-linux does without one.
swarmboot_attach() {
	device=$1
	loop_options=",loop,offset=$2"
}

swarmboot_mount_agent() {
	mount -t squashfs -o "ro,loop,offset=$offset" "$attached" /run/swarmboot/agent
}

# There need not be a chroot; this modprobe is the image's own.
swarmboot_load_drivers() { modprobe -d "$SWARMBOOT_IMAGE" -qab "$@"; }

# As initramfs-tools: a reboot after panic=SECONDS, else a shell. FailureAction= of the service does the first.
if ! swarmboot_find || ! swarmboot_seal || ! swarmboot_layers; then
	swarmboot_say "cannot mount the root image: $swarmboot_reason" >&2
	seconds=$(swarmboot_parameter panic)
	if [ "${seconds:-0}" -gt 0 ]; then sleep "$seconds" && exit 1; fi
	systemctl --no-block start emergency.target
	exec sleep infinity
fi
# Nobody waits for it: it has until systemd leaves the initrd, and goes on meanwhile.
swarmboot_wake_network &
swarmboot_say "root is $source, changes stay in RAM"
