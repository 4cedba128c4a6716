# shellcheck shell=sh
# After `ltsp initrd` has made ltsp.img: the images that are published get it.

swarm_update_main() {
	# On the way of `ltsp swarm publish`, which uses ltsp.img next.
	test "${SWARM_PUBLISHING:-}" != 1 || return 0
	test -d "$_LTSP_DIR/server/swarm" || return 0
	is_command "${SWARMBOOT:-swarmboot}" || return 0
	# A server that has no key yet has nothing published.
	test -f "${SWARM_CONFIG:-/etc/swarmboot}/release.sec" || return 0
	echo "Running: ltsp swarm update"
	re "$0" --base-dir "$BASE_DIR" --tftp-dir "$TFTP_DIR" swarm update
}
