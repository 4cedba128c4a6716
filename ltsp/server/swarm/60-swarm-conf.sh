# shellcheck shell=sh
# What ltsp.conf says of the boot menu, as assignments of swarmboot: DEFAULT_IMAGE, MENU_TIMEOUT and KERNEL_PARAMETERS,
# for all machines and in sections of MAC addresses, with what they INCLUDE.
#
# Only what ltsp.conf says differently than the last time is changed: a choice that was made in the console stays until
# ltsp.conf says something else about that machine. What was applied stands in $SWARM_STATE/ltsp.applied, one line for
# each machine: WHO|IMAGE|MENU SECONDS|KERNEL PARAMETERS, WHO being "default" or a MAC address.

# LTSP's own menu stays for 5 seconds if ltsp.conf does not say otherwise.
SWARM_MENU_MS=5000
# The longest that swarmboot shows a menu; LTSP's 0 means for ever.
SWARM_MENU_MOST=3600

swarm_apply() {
	local record applied wanted published line who failed

	record=$SWARM_STATE/ltsp.applied
	published=" $(swarm_published | tr '\n' ' ') "
	wanted=$(swarm_wanted) || die "Could not read what ltsp.conf says of the boot menu"
	applied=
	test ! -f "$record" || applied=$(re cat "$record") || die "Could not read $record"
	failed=
	# First what ltsp.conf does not say any more.
	while IFS= read -r line <&4; do
		who=${line%%|*}
		test -n "$who" || continue
		echo "$wanted" | grep -q "^$who|" || swarm_assign "$line" "$who|||" || failed="$failed $who"
	done 4<<EOF
$applied
EOF
	while IFS= read -r line <&4; do
		who=${line%%|*}
		swarm_assign "$(echo "$applied" | grep "^$who|")" "$line" || failed="$failed $who"
	done 4<<EOF
$wanted
EOF
	# What failed is not noted, so that it is tried again.
	for who in $failed; do
		wanted=$(echo "$wanted" | grep -v "^$who|")
	done
	if ! echo "$wanted" >"$record.new" || ! mv "$record.new" "$record"; then
		die "Could not write $record"
	fi
	test -z "$failed" ||
		die "Not everything in /etc/ltsp/ltsp.conf could be applied, see above; correct it for:$failed, then run \"ltsp swarm update\""
}

# Makes of the line $1 (applied; may be empty) the line $2 (wanted).
swarm_assign() {
	local old new who old_image old_menu old_parameters image menu parameters

	old=$1
	new=$2
	test "$old" != "$new" || return 0
	IFS='|' read -r who old_image old_menu old_parameters <<EOF
$old
EOF
	IFS='|' read -r who image menu parameters <<EOF
$new
EOF
	set --
	test -z "$old_image" || test -n "$image" || set -- "$@" --image
	test -z "$old_menu" || test -n "$menu" || set -- "$@" --menu-seconds
	test -z "$old_parameters" || test -n "$parameters" || set -- "$@" --system-parameters
	if [ "$#" -gt 0 ]; then
		# Somebody may have taken it back by hand already: that is what is wanted.
		rsr swarm_for unset "$who" "$@" || true
	fi
	set --
	test -z "$image" || test "$image" = "$old_image" || set -- "$@" --image "$image"
	test -z "$menu" || test "$menu" = "$old_menu" || set -- "$@" --menu-seconds "$menu"
	test -z "$parameters" || test "$parameters" = "$old_parameters" || set -- "$@" "--system-parameters=$parameters"
	test "$#" = 0 || swarm_for set "$who" "$@"
}

# swarmboot assign $1 for machine $2
swarm_for() {
	local verb who

	verb=$1
	who=$2
	shift 2
	if [ "$who" = default ]; then
		set -- --default "$@"
	else
		set -- --machine "$who" "$@"
	fi
	"$SWARMBOOT" assign "$verb" --state "$SWARM_STATE" "$@"
}

# The lines that ltsp.conf asks for.
swarm_wanted() {
	local section mac

	swarm_line default "${MENU_TIMEOUT:-$SWARM_MENU_MS}" || return 1
	# Without ltsp.conf there is no list.
	is_command section_list || return 0
	for section in $(section_list); do
		case $section in
		section_[0-9a-f][0-9a-f]_[0-9a-f][0-9a-f]_[0-9a-f][0-9a-f]_[0-9a-f][0-9a-f]_[0-9a-f][0-9a-f]_[0-9a-f][0-9a-f])
			mac=$(echo "${section#section_}" | tr _ :)
			# In a subshell, as `ltsp ipxe` does it: one machine's settings are not another's. The marks of
			# sections that were read for the server itself would keep a section that both include from being read.
			(
				unset DEFAULT_IMAGE KERNEL_PARAMETERS MENU_TIMEOUT
				# shellcheck disable=SC2046 # names of variables
				unset $(section_list)
				section_call "$mac"
				test -z "${DEFAULT_IMAGE:-}${KERNEL_PARAMETERS:-}${MENU_TIMEOUT:-}" ||
					swarm_line "$mac" "${MENU_TIMEOUT:-}"
			) || return 1
			;;
		esac
	done
}

# The line for $1 with a menu of $2 milliseconds; image and parameters are LTSP's variables.
swarm_line() {
	local seconds image

	# In LTSP's menu the entries of the swarm are called swarm_NAME.
	image=${DEFAULT_IMAGE:-}
	image=${image#swarm_}
	case "$published" in
	*" $image "*) ;;
	*)
		# Other things that a menu may start (a disk, a chroot) are not ours.
		test -z "$image" ||
			warn "DEFAULT_IMAGE=$DEFAULT_IMAGE ($1 in ltsp.conf) is not published: ltsp swarm publish $image"
		image=
		;;
	esac

	case ${2:-} in
	"") seconds= ;;
	-1) seconds=0 ;;
	0) seconds=$SWARM_MENU_MOST ;;
	*[!0-9]*)
		warn "MENU_TIMEOUT=$2 ($1 in ltsp.conf) is not a number of milliseconds, 0 or -1; it is ignored"
		seconds=
		;;
	*)
		seconds=$((($2 + 999) / 1000))
		test "$seconds" -le "$SWARM_MENU_MOST" || seconds=$SWARM_MENU_MOST
		;;
	esac
	echo "$1|$image|$seconds|${KERNEL_PARAMETERS:-}"
}
