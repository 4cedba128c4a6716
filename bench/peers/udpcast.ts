/**
 * udpcast, the multicast of the field (FOG, DRBL and others clone rooms with it): one sender, and receivers that all
 * have to be there before it begins.
 */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Client } from './client.ts';
import { launchOneShot } from './one-shot.ts';

const COMMON = ['--interface', 'eth0', '--portbase', '9000', '--nokbd'];
/** Headers of a full packet: udpcast puts 1456 bytes of the file into 1514 on the wire, see its --blocksize. */
const PAYLOAD_SHARE = 1456 / 1514;
/** Some room below the link's rate: what the switch drops has to be sent again. */
const RATE_SHARE = 0.98;

/** Begins when `receivers` are there. */
export const launchUdpSender = (options: {
  readonly source: string;
  readonly receivers: number;
  readonly rateBitsPerSecond: number;
}): Promise<Client> => {
  const bitrate = Math.floor((options.rateBitsPerSecond * PAYLOAD_SHARE * RATE_SHARE) / 1000);
  return launchOneShot('udp-sender', 'udp-sender', [
    ...COMMON,
    '--full-duplex',
    ...[
      '--file',
      options.source,
      '--min-receivers',
      String(options.receivers),
      '--max-bitrate',
      `${bitrate}k`,
    ],
  ]);
};

export const launchUdpReceiver = async ({ target }: { readonly target: string }): Promise<Client> => {
  mkdirSync(dirname(target), { recursive: true });
  return launchOneShot('udp-receiver', 'udp-receiver', [...COMMON, '--file', target]);
};
