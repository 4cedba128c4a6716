/**
 * dnsmasq 2.91, Debian 13's, never comes back from the second request of an iPXE where a proxy range has a tag: its list of
 * tags has become a ring. `ltsp dnsmasq` writes such a range (github.com/ltsp/ltsp/issues/952). 2.90 does come back, and
 * 2.91 does without the tag; both were tried.
 */
const AFFECTED = /^Dnsmasq version 2\.91\b/m;
const TAGGED_PROXY = /^[ \t]*dhcp-range[ \t]*=[ \t]*set:[^,\n]+,[^\n]*\bproxy\b/m;

/** Whether dnsmasq, which says `version` for `--version`, hangs with `configuration`. */
export const hangsOnProxyTag = (configuration: string, version: string): boolean =>
  AFFECTED.test(version) && TAGGED_PROXY.test(configuration);
