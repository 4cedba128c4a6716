# shellcheck shell=sh
# After `ltsp image` has made an image that is published: publishes it again. SWARM_PUBLISH=1 in ltsp.conf publishes
# every image that is made.
# @LTSP.CONF: SWARM_PUBLISH SWARM_STATE

SWARMBOOT=${SWARMBOOT:-swarmboot}
SWARM_STATE=${SWARM_STATE:-/var/lib/swarmboot}

swarm_main() {
	# `ltsp swarm publish` itself has asked for the image.
	test "${SWARM_PUBLISHING:-}" != 1 || return 0
	is_command "$SWARMBOOT" || return 0
	if [ "${SWARM_PUBLISH:-}" = 1 ] ||
		"$SWARMBOOT" image list --state "$SWARM_STATE" | grep -q "^\* $_IMG_NAME "; then
		echo "Running: ltsp swarm publish $_IMG_NAME"
		re "$0" --base-dir "$BASE_DIR" --tftp-dir "$TFTP_DIR" swarm publish "$_IMG_NAME"
	fi
}
