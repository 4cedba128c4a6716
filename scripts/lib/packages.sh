# Sourced by scripts/setup: which Debian packages (12 and 13) each job needs, and installs those that are missing.
# An entry is PACKAGE:WHAT, WHAT being the command or file that must exist afterwards (empty: trust dpkg).

# The pinned Node links against libatomic, which a small Debian does not have.
packages_base='ca-certificates:/etc/ssl/certs/ca-certificates.crt libatomic1: libstdc++6: git:git util-linux:flock'

# Stage-1 and image builds, the boot server's helpers, the VM lab.
packages_lab='qemu-system-x86:qemu-system-x86_64 ovmf:/usr/share/OVMF/OVMF_CODE_4M.fd
	ipxe-qemu: ipxe:/usr/lib/ipxe/undionly.kpxe dnsmasq-base:dnsmasq
	iproute2:ip mmdebstrap:mmdebstrap debian-archive-keyring:/usr/share/keyrings/debian-archive-keyring.gpg
	arch-test:arch-test squashfs-tools:mksquashfs busybox-static:busybox cryptsetup-bin:/usr/sbin/veritysetup zstd:zstd cpio:cpio xz-utils:xz kmod:modinfo
	binutils:strip'

# The same for ARM64: its emulator, its UEFI, its strip; and its programs on this machine, for image builds.
packages_arm64='qemu-system-arm:qemu-system-aarch64 qemu-efi-aarch64:/usr/share/AAVMF/AAVMF_CODE.fd
	binutils-aarch64-linux-gnu:aarch64-linux-gnu-strip qemu-user-static:qemu-aarch64-static
	binfmt-support:update-binfmts'

# The peers that tests and bench measure us against.
packages_clients='aria2:aria2c transmission-daemon:transmission-daemon transmission-cli:transmission-create
	python3:python3 python3-libtorrent: iproute2:ip curl:curl udpcast:udp-sender'

# Debian packages of ours.
packages_package='binutils-aarch64-linux-gnu:aarch64-linux-gnu-strip dpkg-dev:dpkg-buildpackage debhelper:dh po-debconf:po2debconf lintian:lintian fakeroot:fakeroot'

packages_for() {
	case "$1" in
	demo) echo "$packages_base $packages_lab" ;;
	bench) echo "$packages_base $packages_lab $packages_clients" ;;
	package) echo "$packages_base $packages_lab $packages_package" ;;
	test) echo "$packages_base $packages_lab $packages_arm64 $packages_clients $packages_package nftables:nft signify-openbsd:signify-openbsd file:file tmux:tmux
		shellcheck:shellcheck systemd:systemd-analyze iputils-arping:arping autopkgtest:autopkgtest piuparts:piuparts diffoscope-minimal:diffoscope" ;;
	*) fail "--for takes demo, test, bench or package, not \"$1\"" ;;
	esac
}

is_installed() {
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# Entries of "$@" whose package dpkg does not have.
missing_packages() {
	for entry in "$@"; do
		is_installed "${entry%%:*}" || printf '%s ' "${entry%%:*}"
	done
	# A Node of another source (NodeSource, nvm) brings its own npm; Debian's would conflict with the first.
	command -v npm >/dev/null || printf 'npm '
}

# Makes packages not start their services: nobody wants a running transmission-daemon from a test run.
hold_services() {
	services_held=
	[ -e /usr/sbin/policy-rc.d ] && return
	services_held=yes
	printf '#!/bin/sh\nexit 101\n' | as_root tee /usr/sbin/policy-rc.d >/dev/null
	as_root chmod 755 /usr/sbin/policy-rc.d
	trap 'as_root rm -f /usr/sbin/policy-rc.d' EXIT
	trap 'exit 130' INT TERM HUP
}

release_services() {
	[ "$services_held" ] || return 0
	as_root rm -f /usr/sbin/policy-rc.d
	trap - EXIT INT TERM HUP
}

apt_get() {
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@"
}

# Installs what is missing of the entries "$@"; a machine that has everything is left alone.
install_packages() {
	command -v dpkg-query >/dev/null ||
		fail 'this is not Debian (no dpkg): the demo, tests and bench need Debian 12 or 13, a container will do'
	missing=$(missing_packages "$@")
	if [ "$missing" ]; then
		say "Installing $missing"
		hold_services
		apt_get update >&2 ||
			fail 'apt-get update failed, see above: check the network and /etc/apt/sources.list, then run this again'
		# shellcheck disable=SC2086 # a list of words
		apt_get install -y --no-install-recommends $missing >&2 ||
			fail "apt-get could not install: $missing(see above); install them by hand, then run this again"
		release_services
	fi
	for entry in "$@" npm:npm; do
		what=${entry#*:}
		case "$what" in
		'') ;;
		/*) [ -e "$what" ] || fail "package ${entry%%:*} is installed, yet $what is missing: reinstall it" ;;
		*) command -v "$what" >/dev/null ||
			fail "package ${entry%%:*} is installed, yet there is no command \"$what\": reinstall it" ;;
		esac
	done
}
