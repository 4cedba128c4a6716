# shellcheck shell=sh
# Before ltsp.img is packed: the address of this server. LTSP's clients take the other end of their first TCP connection
# for it, NFS being there before anything else; a machine of a swarm is connected to many, or to none any more.
# It rides in ltsp.img, and so under the release's signature: users' passwords go to that address.
# @LTSP.CONF: SWARM_SERVER

swarm_main() {
	local server

	server=${SWARM_SERVER:-}
	if [ -z "$server" ] && [ -f /etc/dnsmasq.d/swarmboot.conf ]; then
		server=$(sed -n 's|^dhcp-boot=tag:ipxe,http://\([0-9.]*\):.*|\1|p' /etc/dnsmasq.d/swarmboot.conf | head -n 1)
	fi
	# Else the address on LTSP's network.
	server=${server:-$IP_ADDRESS}
	if [ -z "$server" ]; then
		warn "This server has no address yet: set SWARM_SERVER in ltsp.conf, or machines of the swarm will not know where users are"
		return 0
	fi
	re mkdir -p "$_DST_DIR/etc/ltsp"
	echo "$server" >"$_DST_DIR/etc/ltsp/swarm-server" || die "Could not write $_DST_DIR/etc/ltsp/swarm-server"
}
