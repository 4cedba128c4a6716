# shellcheck shell=sh
# On a machine of the swarm, before `ltsp initrd-bottom` mounts its root: the image is in RAM already, behind the block
# device that the boot script (/scripts/swarmboot) has found. LTSP mounts it, lays its overlay, and puts its init in.

swarm_main() {
	test -r /run/swarmboot/device || return 0
	read -r IMAGE </run/swarmboot/device || die "/run/swarmboot/device names no device"
}
