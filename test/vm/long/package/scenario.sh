#!/bin/sh
# Inside a fresh Debian that has apt and a network: installs the packages, uses them as an administrator does, upgrades,
# purges. Says "ok: WHAT" for each step; ends with status 1 at the first that fails, and says which.
set -u
debs=$1
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
step=start
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null' EXIT
fail() {
	echo "FAILED: $step: $*"
	exit 1
}
ok() { echo "ok: $step"; }

step='installs with what Debian has'
printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d && chmod 755 /usr/sbin/policy-rc.d
apt-get -q update >/dev/null || fail 'apt-get update'
find /etc /usr /var/lib /opt -xdev | sort >/tmp/before
# What debconf asks is answered wrongly: the package says so, and installs all the same.
answer() { echo "swarmboot-server swarmboot-server/interface string $1" | debconf-set-selections; }
apt-get -qy install debconf >/dev/null && answer eth9
apt-get -qy --no-install-recommends install "$debs"/swarmboot-server_*.deb "$debs"/swarmboot-stage1-amd64_*.deb >/tmp/said 2>&1 ||
	fail "apt-get install: $(cat /tmp/said)"
ok

step='a wrong answer to the question is told'
grep -q 'Interface "eth9" does not exist or has no IPv4 address' /tmp/said || fail "$(cat /tmp/said)"
grep -q 'not configured yet; correct what is said above, then run "swarmboot setup"' /tmp/said || fail "$(cat /tmp/said)"
answer ''
ok

step='nothing is half-configured by it'
[ ! -e /etc/dnsmasq.d/swarmboot.conf ] || fail '/etc/dnsmasq.d/swarmboot.conf exists'
[ ! -e /etc/swarmboot/release.sec ] || fail 'there is a key'
ok

step='the daemon has a user of its own'
id swarmboot >/dev/null || fail 'no user swarmboot'
ok

step='a key, and stage-1 with that key'
swarmboot key generate || fail 'key generate'
[ "$(stat -c %a /etc/swarmboot/release.sec)" = 600 ] || fail 'the secret key can be read by others'
swarmboot stage1 install || fail 'stage1 install'
tail -c 1024 /var/lib/swarmboot/stage1/amd64/initrd.img | grep -aqF "$(tail -n 1 /etc/swarmboot/release.pub)" ||
	fail 'the key is not behind the initrd'
ok

step='it serves as its own user'
chown -R swarmboot: /var/lib/swarmboot
setpriv --reuid=swarmboot --regid=swarmboot --clear-groups \
	/usr/bin/swarmboot serve --host 127.0.0.1 --http-port 7081 --seeder-port 7082 >/tmp/serve.log 2>&1 &
server=$!
tries=0
until /usr/lib/swarmboot/node -e 'fetch("http://127.0.0.1:7081/healthz").then((a) => process.exit(a.ok ? 0 : 1), () => process.exit(1))'; do
	tries=$((tries + 1))
	[ $tries -lt 60 ] || fail "no answer: $(cat /tmp/serve.log)"
	sleep 0.5
done
kill "$server" && wait "$server"
server=
ok

step='man pages and completion are there'
[ -e /usr/share/man/man8/swarmboot-serve.8.gz ] || fail 'no page for serve'
[ -e /usr/share/bash-completion/completions/swarmboot ] || fail 'no completion'
ok

step='an upgrade keeps the key and renews stage-1'
cp /etc/swarmboot/release.pub /tmp/release.pub
rm /var/lib/swarmboot/stage1/amd64/initrd.img
apt-get -qy --reinstall install "$debs"/swarmboot-server_*.deb "$debs"/swarmboot-stage1-amd64_*.deb || fail 'reinstall'
cmp /tmp/release.pub /etc/swarmboot/release.pub || fail 'the key has changed'
[ -s /var/lib/swarmboot/stage1/amd64/initrd.img ] || fail 'stage-1 was not put back'
ok

step='a disk that is full during the installation is told, and stops nothing'
mount -t tmpfs -o size=4m tmpfs /var/lib/swarmboot || fail 'mount'
apt-get -qy --reinstall install "$debs"/swarmboot-stage1-amd64_*.deb >/tmp/said 2>&1
status=$?
umount /var/lib/swarmboot
[ $status = 0 ] || fail "apt-get: $(cat /tmp/said)"
grep -q 'swarmboot: The disk is full (ENOSPC.*make room' /tmp/said || fail "$(cat /tmp/said)"
grep -q 'run "swarmboot stage1 install --arch amd64" once this is corrected' /tmp/said || fail "$(cat /tmp/said)"
swarmboot stage1 install --arch amd64 || fail 'stage1 install afterwards'
ok

step='LTSP gets its applet, which says what is missing'
apt-get -qy --no-install-recommends install "$debs"/ltsp-swarmboot_*.deb || fail 'apt-get install'
ltsp swarm publish >/tmp/said 2>&1 && fail 'published without an image'
grep -q 'There is no LTSP image in /srv/ltsp' /tmp/said || fail "$(cat /tmp/said)"
mkdir -p /etc/ltsp
printf '[clients]\nHOSTNAME="pc\n' >/etc/ltsp/ltsp.conf
ltsp swarm publish >/tmp/said 2>&1 && fail 'published with a broken ltsp.conf'
grep -q 'is broken in section \[clients\], from line 2 on' /tmp/said || fail "$(cat /tmp/said)"
rm -r /etc/ltsp
ok

step='a purge leaves nothing of ours, and what another package has'
apt-get -qy --no-install-recommends install "$debs"/swarmboot-seed_*.deb || fail 'apt-get install'
apt-get -qy purge ltsp-swarmboot swarmboot-server swarmboot-stage1-amd64 || fail 'purge'
[ -e /etc/swarmboot/seed.conf ] || fail "the configuration of swarmboot-seed is gone"
apt-get -qy purge swarmboot-seed || fail 'purge'
left=$(find / -xdev -iname '*swarmboot*' -not -path '/proc/*' -not -path "$debs*" -not -path '/var/cache/*' -not -path '/tmp/*')
[ -z "$left" ] || fail "left: $left"
ok
