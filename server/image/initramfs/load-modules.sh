# shellcheck shell=sh
# /conf/conf.d/swarmboot: initramfs-tools sources this before udev starts and before the cmdline is parsed.
# Loads the modules that Debian's own initrd lacks, in the order of their names (dependencies first), so that
# /dev/pmem0 exists for whatever boot= script mounts it. What is built in or loaded already is no error; whether
# everything is there shows when the root is mounted.
for swarmboot_module in /swarmboot/modules/*.ko; do
	if [ -f "$swarmboot_module" ]; then insmod "$swarmboot_module" 2>/dev/null || :; fi
done
unset swarmboot_module
