# Sourced by the scripts: an environment that is the same under cron, sudo, CI and a login shell.
# Expects $root, the checkout.

# Debian leaves the sbin folders out of a plain user's PATH; sudo and CI sometimes leave out HOME.
PATH="${PATH:-/usr/bin:/bin}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
HOME="${HOME:-$(getent passwd "$(id -u)" | cut -d: -f6)}"
LC_ALL=C.UTF-8
export PATH HOME LC_ALL

# Everything that is downloaded or built and may be thrown away.
cache="$root/.cache"

say() { printf '==> %s\n' "$*" >&2; }

fail() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# Runs a command as root.
as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo -- "$@"
	else
		fail "\"$1\" needs root: run this as root, or install sudo"
	fi
}
