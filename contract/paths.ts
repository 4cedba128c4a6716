/** Where things are on the boot server's HTTP port: the agent and the server must agree on these. */

/** `.../image.torrent` beside a manifest.json of the same directory. */
export const METAINFO_NAME = 'image.torrent';
export const SIGNATURE_SUFFIX = '.sig';

/** Largest .torrent that the agent reads, in bytes: 16 GiB in 1 MiB pieces needs about 0.9 MB. */
export const METAINFO_LIMIT_BYTES = 8 * 1024 * 1024;

export const TELEMETRY_PATH = 'telemetry';

/** Path of stage-1 in the initramfs of the key that manifests must be signed with. */
export const BAKED_KEY_PATH = '/etc/swarmboot/release.pub';

/** URL of the metainfo that belongs to a manifest. */
export const metainfoUrl = (manifestUrl: string): string => new URL(METAINFO_NAME, manifestUrl).href;
export const signatureUrl = (manifestUrl: string): string => {
  const url = new URL(manifestUrl);
  url.pathname += SIGNATURE_SUFFIX;
  return url.href;
};
/** Plain HTTP URL of one file of the release: the agent's last resort, and the webseed's layout (BEP 19). */
export const fileUrl = (manifestUrl: string, torrentName: string, path: string): string =>
  new URL(`files/${encodeURIComponent(torrentName)}/${encodeURIComponent(path)}`, manifestUrl).href;
