# shellcheck shell=sh
# On a machine of the swarm, before 45-networking needs it: the LTSP server, as `ltsp initrd` has written it down.
# SERVER in ltsp.conf wins.

swarm_main() {
	test -z "${SERVER:-}" || return 0
	test -e /run/swarmboot/device && test -r /etc/ltsp/swarm-server || return 0
	read -r SERVER </etc/ltsp/swarm-server || true
}
