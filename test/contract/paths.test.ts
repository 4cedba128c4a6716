import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileUrl, metainfoUrl, signatureUrl } from '../../contract/paths.ts';

const manifest = 'http://10.0.0.1:7080/images/lab/manifest.json?x=1';

test('signature, metainfo and files stand beside the manifest', () => {
  assert.equal(signatureUrl(manifest), 'http://10.0.0.1:7080/images/lab/manifest.json.sig?x=1');
  assert.equal(metainfoUrl(manifest), 'http://10.0.0.1:7080/images/lab/image.torrent');
  assert.equal(
    fileUrl(manifest, 'lab-1', 'root.squashfs'),
    'http://10.0.0.1:7080/images/lab/files/lab-1/root.squashfs',
  );
});
