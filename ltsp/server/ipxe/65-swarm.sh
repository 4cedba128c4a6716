# shellcheck shell=sh
# After `ltsp ipxe` has written its menu: entries for the images that are published, and how to get them. The entry
# asks the boot server by HTTP, on the machine that LTSP's files come from.
# @LTSP.CONF: SWARM_PORT SWARM_STATE

SWARMBOOT=${SWARMBOOT:-swarmboot}
SWARM_STATE=${SWARM_STATE:-/var/lib/swarmboot}
SWARM_PORT=${SWARM_PORT:-7080}

swarm_main() {
	local menu img images

	menu=$TFTP_DIR/ltsp/ltsp.ipxe
	# With OVERWRITE=0 the menu may be an administrator's own, with our entries in it or not.
	if [ ! -f "$menu" ] || [ "${OVERWRITE:-}" = 0 ] || grep -q '^:swarm$' "$menu"; then
		return 0
	fi
	if ! is_command "$SWARMBOOT"; then
		warn "There is no command \"$SWARMBOOT\": the menu gets no entries of the swarm"
		return 0
	fi
	images=
	for img in $("$SWARMBOOT" image list --state "$SWARM_STATE" | sed -n 's/^\* \([^ ]*\) .*/\1/p'); do
		test ! -f "$BASE_DIR/images/$img.img" || images="$images $img"
	done
	if [ -z "$images" ]; then
		echo "No LTSP image is published: the menu gets no entries of the swarm (ltsp swarm publish NAME)"
		return 0
	fi
	if ! grep -q '^item --gap *Other options:' "$menu" || ! grep -q '^:memtest$' "$menu"; then
		warn "$menu is not made of LTSP's template, which has \"item --gap Other options:\" and \":memtest\": no entries of the swarm are added"
		return 0
	fi
	if ! swarm_entries "$images" <"$menu" >"$menu.swarm" || ! mv "$menu.swarm" "$menu"; then
		die "Could not add the entries of the swarm to $menu"
	fi
	echo "Added to $menu:$images (over BitTorrent)"
}

# LTSP's menu with ours in it; $1: names of images.
swarm_entries() {
	# iPXE puts in what stands in ${}.
	# shellcheck disable=SC2016
	awk -v images="$1" -v port="$SWARM_PORT" '
		BEGIN { count = split(images, image, " ") }
		/^item --gap *Other options:/ {
			print "item --gap                        Boot an image over BitTorrent in LTSP mode:"
			for (i = 1; i <= count; i++)
				printf("item %-29s %s.img, each machine gives the others what it has\n", "swarm_" image[i], image[i])
			print "item"
		}
		/^:memtest$/ {
			for (i = 1; i <= count; i++)
				printf(":swarm_%s\nset swarm_image %s\ngoto swarm\n\n", image[i], image[i])
			print ":swarm"
			print "# What this machine boots, with the parameters that ltsp.conf has for it, comes from the boot server"
			print "chain --autofree --replace http://${srv}:" port "/ipxe?mac=${mac}&uuid=${uuid}&arch=${buildarch}" \
				"&platform=${platform}&picked=${swarm_image} || goto failed"
			print ""
		}
		{ print }'
}
