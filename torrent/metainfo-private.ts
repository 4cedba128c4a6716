/** The private flag (BEP 27): such a torrent's peers come from its trackers and from nowhere else. */
import { decodeBencode } from './bencode.ts';
import type { Metainfo } from './metainfo-model.ts';

export function isPrivate({ infoBytes }: Pick<Metainfo, 'infoBytes'>): boolean {
  const info = decodeBencode(infoBytes);
  return info instanceof Map && info.get('private') === 1;
}
