/** Piece layers (BEP 52): outside of the info dictionary, so nothing of them is believed until its root fits. */
import type { BencodeValue } from './bencode.ts';
import { MERKLE_BLOCK, merkleRoot, paddingNode, SHA256_BYTES } from './merkle.ts';
import { expectBytes, expectDictionary } from './metainfo-files.ts';
import { MetainfoError, type MetainfoFile } from './metainfo-model.ts';

/** Files longer than a piece have a layer; the others are their own only piece, with `pieces root` as its hash. */
export const needsLayer = (file: MetainfoFile, pieceLength: number): boolean =>
  file.piecesRoot !== undefined && file.length > pieceLength;

/**
 * The layers of `files` by hex root, each verified. Layers that no file asks for are dropped. Throws `MetainfoError`
 * `piece-layers` or `malformed`.
 */
export function verifiedLayers(
  value: BencodeValue | undefined,
  files: readonly MetainfoFile[],
  pieceLength: number,
): Map<string, Buffer> {
  const given =
    value === undefined ? new Map<string, BencodeValue>() : expectDictionary(value, '"piece layers"');
  const padding = paddingNode(pieceLength / MERKLE_BLOCK);
  const layers = new Map<string, Buffer>();
  for (const file of files) {
    if (!needsLayer(file, pieceLength)) continue;
    const root = file.piecesRoot!;
    const key = root.toString('hex');
    const found = given.get(root.toString('latin1'));
    const name = JSON.stringify(file.path);
    if (found === undefined) throw new MetainfoError('piece-layers', `The piece layer of ${name} is missing`);
    const layer = expectBytes(found, 'a piece layer');
    const expected = Math.ceil(file.length / pieceLength) * SHA256_BYTES;
    if (layer.length !== expected) {
      throw new MetainfoError(
        'piece-layers',
        `The piece layer of ${name} has ${layer.length} bytes, it must be ${expected}`,
      );
    }
    if (!layers.has(key) && !merkleRoot(layer, padding).equals(root)) {
      throw new MetainfoError(
        'piece-layers',
        `The piece layer of ${name} does not lead to its "pieces root"`,
      );
    }
    layers.set(key, layer);
  }
  return layers;
}
