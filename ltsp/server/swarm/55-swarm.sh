# shellcheck shell=sh
# `ltsp swarm`: the images of this LTSP server over BitTorrent, see ltsp-swarm(8). Sourced by ltsp(8), whose functions
# (re, rw, die, warn, usage, list_img_names, section_call) and variables (BASE_DIR, TFTP_DIR) it uses.
#
# What machines get is one signed release: the image, its kernel, and an initrd made of ltsp.img (LTSP's code, ltsp.conf,
# users) and the image's own. So a change of ltsp.conf is a new release, and nothing that a machine runs is unsigned.
# @LTSP.CONF: SWARM_STATE SWARM_CONFIG SWARM_CMDLINE

SWARMBOOT=${SWARMBOOT:-swarmboot}
SWARM_STATE=${SWARM_STATE:-/var/lib/swarmboot}
SWARM_CONFIG=${SWARM_CONFIG:-/etc/swarmboot}
# Names become parts of URLs and of torrents, with the version behind them: server/catalog/layout.ts.
SWARM_NAME='^[a-z0-9][a-z0-9._-]\{0,47\}$'
# An LTSP client needs these, for users' homes too.
SWARM_PACKAGES=ltsp,busybox,openssh-client,sshfs

swarm_cmdline() {
	local args

	# The + leaves what follows a command to the command.
	args=$(getopt -n "ltsp $_APPLET" -o "+" -l "" -- "$@") || usage 1
	eval "set -- $args"
	shift
	run_main_functions "$_SCRIPTS" "$@"
}

swarm_main() {
	case "${1:-}" in
	"")
		re swarm_ready
		exec "$SWARMBOOT" tui --state "$SWARM_STATE"
		;;
	publish)
		shift
		re swarm_ready
		re swarm_publish "$@"
		;;
	build)
		shift
		re swarm_ready
		re swarm_build "$@"
		;;
	update)
		test "$#" = 1 || usage 1
		re swarm_ready
		re swarm_update
		;;
	*) usage 1 ;;
	esac
}

# Nothing is begun before everything that it needs is there.
swarm_ready() {
	is_command "$SWARMBOOT" ||
		die "There is no command \"$SWARMBOOT\": install swarmboot-server"
	test "$(id -u)" = 0 ||
		die "ltsp $_APPLET needs root: it reads images and signs them"
	test -f "$SWARM_CONFIG/release.sec" ||
		die "There is no release key $SWARM_CONFIG/release.sec: run \"swarmboot setup\" first"
}

# Without names: all images of /srv/ltsp, as other applets have it.
swarm_publish() {
	local img names

	if [ "$#" -eq 0 ]; then
		names=$(list_img_names) || die "Could not list the images in $BASE_DIR"
		# shellcheck disable=SC2086 # names of LTSP images have no spaces, LTSP sees to it
		set -- $names
		test "$#" -gt 0 ||
			die "There is no LTSP image in $BASE_DIR: put a chroot or a virtual machine there (man ltsp), or publish this very system with \"ltsp image /\", then run this again"
		if [ "$#" -gt 3 ] && [ "${ALL_IMAGES:-}" != "1" ]; then
			die "Refusing to run ltsp $_APPLET for $# detected images!
Please export ALL_IMAGES=1 if you want to allow this"
		fi
	fi
	for img in "$@"; do
		re swarm_check "$img"
	done
	# Image and initrd are made by LTSP's applets, whose hooks of ours would publish what is being published.
	SWARM_PUBLISHING=1
	export SWARM_PUBLISHING
	for img in "$@"; do
		re swarm_make_parts "$img"
		re swarm_release "$img"
	done
	re swarm_apply
	re swarm_menu
}

# Makes an image without a chroot or a virtual machine: `swarmboot image build` with what an LTSP client needs, and
# with its further options. Its squashfs has no kernel in it, so kernel and initrd go where `ltsp kernel` would put them.
swarm_build() {
	local img tmp

	img=${1:-}
	test -n "$img" || usage 1
	shift
	re swarm_check_name "$img"
	if [ -d "$BASE_DIR/$img/proc" ] || [ -f "$BASE_DIR/$img.img" ]; then
		die "There is a chroot or a virtual machine \"$img\" in $BASE_DIR, which \"ltsp image $img\" makes an image of: take another name"
	fi
	re mkdir -p "$BASE_DIR/images" "$TFTP_DIR/ltsp/$img"
	tmp=$(re mktemp -d "$BASE_DIR/images/.swarm.XXXXXX") || die "Could not make a folder in $BASE_DIR/images"
	exit_command "rw rm -rf '$tmp'"
	"$SWARMBOOT" image build --name "$img" --files "$tmp" --include "$SWARM_PACKAGES" "$@" ||
		die "Image \"$img\" is not built, see above; nothing has changed"
	re mv "$tmp/root.squashfs" "$BASE_DIR/images/$img.img"
	re mv "$tmp/vmlinuz" "$tmp/initrd.img" "$TFTP_DIR/ltsp/$img/"
	# Newer than the image: this kernel belongs to it.
	re touch "$TFTP_DIR/ltsp/$img/vmlinuz"
	re swarm_publish "$img"
}

swarm_check_name() {
	echo "$1" | grep -q "$SWARM_NAME" ||
		die "LTSP image \"$1\" cannot be published under that name: it must be 1 to 48 of a-z 0-9 . _ - and begin with a letter or digit; give it another name in $BASE_DIR"
}

# Can this image be published at all?
swarm_check() {
	local img

	img=$1
	re swarm_check_name "$img"
	test -f "$BASE_DIR/images/$img.img" || test -d "$BASE_DIR/$img/proc" || test -f "$BASE_DIR/$img.img" ||
		die "There is no LTSP image \"$img\" in $BASE_DIR; there are: $(list_img_names | tr '\n' ' ')"
}

# Sees to it that image, kernel, initrd and ltsp.img are there and belong together.
swarm_make_parts() {
	local img root boot

	img=$1
	root=$BASE_DIR/images/$img.img
	boot=$TFTP_DIR/ltsp/$img
	if [ ! -f "$root" ]; then
		echo "Running: ltsp image $img"
		re swarm_ltsp image "$img"
	fi
	test -f "$root" || die "\"ltsp image $img\" made no $root"
	if [ ! -f "$boot/vmlinuz" ] || [ ! -f "$boot/initrd.img" ] || [ "$(find "$root" -newer "$boot/vmlinuz")" ]; then
		echo "Running: ltsp kernel $root"
		re swarm_ltsp kernel "$root"
	fi
	if [ ! -f "$boot/vmlinuz" ] || [ ! -f "$boot/initrd.img" ]; then
		die "$root has no kernel and initrd that LTSP finds: install a kernel in $img, then run \"ltsp image $img\""
	fi
	# install(1) keeps the file's time, which may be older than the image: note that this kernel belongs to it.
	rw touch "$boot/vmlinuz"
	if ! swarm_is_ltsp_img_current; then
		echo "Running: ltsp initrd"
		re swarm_ltsp initrd
	fi
	swarm_is_ltsp_img_current ||
		die "$TFTP_DIR/ltsp/ltsp.img is without the swarm's scripts, although \"ltsp initrd\" has run: is ltsp-swarmboot installed in $_LTSP_DIR?"
}

# Another applet of LTSP, for the same folders as this one.
swarm_ltsp() {
	"$0" --base-dir "$BASE_DIR" --tftp-dir "$TFTP_DIR" "$@"
}

# Is ltsp.img newer than what it is made from, and has it the client's part of this plugin?
swarm_is_ltsp_img_current() {
	local ltsp_img from

	ltsp_img=$TFTP_DIR/ltsp/ltsp.img
	test -f "$ltsp_img" || return 1
	cpio -it <"$ltsp_img" 2>/dev/null | grep -q 'client/initrd-bottom/45-swarm\.sh$' || return 1
	for from in /etc/ltsp /etc/passwd /etc/group /etc/dnsmasq.d/swarmboot.conf; do
		test -e "$from" || continue
		test -z "$(find "$from" -newer "$ltsp_img" | head -n 1)" || return 1
	done
}

# Signs and publishes.
swarm_release() {
	local img tmp got

	img=$1
	tmp=$(re mktemp) || die "Could not make a temporary file"
	exit_command "rw rm -f '$tmp'"
	# The kernel unpacks one archive after the other; LTSP's comes first, as in its own iPXE menu.
	cat "$TFTP_DIR/ltsp/ltsp.img" "$TFTP_DIR/ltsp/$img/initrd.img" >"$tmp" ||
		die "Could not join ltsp.img and the initrd of $img in $tmp: is the disk full?"
	set -- image import --state "$SWARM_STATE" --config "$SWARM_CONFIG" --name "$img" --kernel "$TFTP_DIR/ltsp/$img/vmlinuz" \
		--initrd "$tmp" --root "$BASE_DIR/images/$img.img" --link-root
	test -z "${SWARM_CMDLINE+set}" || set -- "$@" --cmdline "$SWARM_CMDLINE"
	got=0
	"$SWARMBOOT" "$@" || got=$?
	rw rm -f "$tmp"
	test "$got" = 0 || die "Image \"$img\" is not published, see above; what machines got before stays"
}

# The images that are published and that this LTSP has.
swarm_published() {
	local img

	for img in $("$SWARMBOOT" image list --state "$SWARM_STATE" | sed -n 's/^\* \([^ ]*\) .*/\1/p'); do
		test ! -f "$BASE_DIR/images/$img.img" || echo "$img"
	done
}

# After `ltsp initrd`: what is published gets the new ltsp.img.
swarm_update() {
	local names

	names=$(swarm_published) || die "Could not list the published images"
	if [ -z "$names" ]; then
		echo "No LTSP image is published yet: ltsp swarm publish NAME"
		return 0
	fi
	# shellcheck disable=SC2086 # a list of words
	ALL_IMAGES=1 swarm_publish $names
}

# Says what is left to do for LTSP's own menu, in LTSP's words.
swarm_menu() {
	local img

	test -f "$TFTP_DIR/ltsp/ltsp.ipxe" || return 0
	for img in $(swarm_published); do
		grep -q "^:swarm_$img\$" "$TFTP_DIR/ltsp/ltsp.ipxe" && continue
		echo "To update the iPXE menu, run: ltsp ipxe"
		return 0
	done
}
