# shellcheck shell=sh
# Says in sentences what makes any applet of LTSP stop on the server a moment later, with words of the shell: a broken
# ltsp.conf, which LTSP evaluates before an applet is even looked for, and a machine without network.

swarm_check_main() {
	# Clients run these scripts too, and their initramfs has neither the tools nor a reader.
	if [ -d /run/ltsp/client ] || [ "$$" = 1 ] || [ ! -d "$_LTSP_DIR/server" ]; then
		return 0
	fi
	test ! -r /etc/ltsp/ltsp.conf || swarm_check_conf /etc/ltsp/ltsp.conf
	if [ -z "${DEVICE:-}" ] && ! ip -o route get 192.168.67.1 >/dev/null 2>&1 &&
		[ -z "$(find /sys/class/net/*/ -maxdepth 1 -name device 2>/dev/null)" ]; then
		warn "This machine has no network interface that LTSP could use: give one an address and a default route, then run this again"
	fi
}

# Names the section of $1 that the shell cannot read.
swarm_check_conf() {
	local said line section

	said=$(ini2sh "$1" | sh -n 2>&1) && return 0
	# LTSP's translation of a file without sections is not shell.
	grep -q '^[ ]*\[[^]]*\]' "$1" ||
		die "$1 has no section, and LTSP cannot read it without one: put [server] or [clients] above its settings, or remove the file"
	# One section after the other: the shell counts lines of what ltsp.conf is translated to, and finds a quote that
	# was not closed at the very end.
	for line in 0 $(sed -n '/^[ ]*\[[^]]*\]/=' "$1"); do
		section="before the first section"
		test "$line" = 0 || section="in section $(sed -n "$line{s/#.*//;p;q}" "$1")"
		sed -n "$((line + 1)),\${/^[ ]*\[[^]]*\]/q;p}" "$1" | sed 's/^\([a-zA-Z0-9_]*\) *= */\1=/' | sh -n 2>/dev/null ||
			die "$1 is broken $section, from line $((line + 1)) on: a quote or a bracket is not closed, or a value with spaces is not in quotes. Correct it; nothing has been done"
	done
	die "$1 is broken: $said. Correct it; nothing has been done"
}
