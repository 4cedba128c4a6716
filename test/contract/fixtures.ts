import type { Handover } from '../../contract/handover.ts';
import type { Manifest } from '../../contract/manifest.ts';

/** A manifest that is right in every field; tests break one field at a time. */
export const goodManifest: Manifest = {
  format: 1,
  name: 'debian-lab',
  version: '20260131.1',
  arch: 'amd64',
  created: '2026-01-31T12:00:00Z',
  expires: '2026-04-30T12:00:00Z',
  torrent: { infohashV1: 'aa'.repeat(20), infohashV2: 'bb'.repeat(32), pieceLength: 1048576 },
  files: [
    { path: 'vmlinuz', role: 'kernel', length: 12_000_000, sha256: '01'.repeat(32) },
    { path: 'initrd.img', role: 'initrd', length: 30_000_000, sha256: '02'.repeat(32) },
    { path: 'root.squashfs', role: 'root', length: 150_000_000, sha256: '03'.repeat(32) },
  ],
  cmdline: 'console=ttyS0 quiet',
  kernelRelease: '6.12.48+deb13-amd64',
  strategies: ['pmem', 'retain', 'cpio'],
  minimumMemoryBytes: 700_000_000,
};

export const goodHandover: Handover = {
  format: 1,
  mac: '52:54:00:00:00:01',
  boot: '0123456789abcdef',
  server: 'http://10.77.0.1:7080/',
  trackers: ['http://10.77.0.1:7080/announce'],
  port: 6881,
  rateMiB: 5,
  files: [{ path: 'root.squashfs', source: '/dev/pmem0', offset: 0 }],
};
