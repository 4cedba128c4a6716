# Sourced by scripts/setup: the npm packages of the lock file, the pinned Node among them.

# npm writes node_modules/.package-lock.json last, so it tells that an install was finished, and when.
# A fresh checkout or a touched lock file is newer but may say the same; what was installed is remembered by its hash.
node_modules_are_current() {
	installed="$root/node_modules/.package-lock.json"
	[ -x "$root/node_modules/.bin/node" ] && [ -e "$installed" ] || return 1
	[ -z "$(find "$root/package-lock.json" -newer "$installed")" ] ||
		[ "$(cat "$root/node_modules/.swarmboot-lock" 2>/dev/null)" = "$(lock_hash)" ]
}

lock_hash() { sha256sum <"$root/package-lock.json" | cut -c1-64; }

install_node_modules() {
	if ! node_modules_are_current; then
		say 'Installing the npm packages of package-lock.json'
		# .npmrc keeps install scripts off; said here too, for it is what makes an npm install safe.
		(cd "$root" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2) ||
			fail '"npm ci" failed, see above: check that the npm registry is reachable, then run this again'
		lock_hash >"$root/node_modules/.swarmboot-lock"
	fi
	"$root/node_modules/.bin/node" --version >/dev/null ||
		fail 'the pinned Node (node_modules/.bin/node) does not run here: it needs an x86-64 CPU and glibc 2.28 or later'
}
