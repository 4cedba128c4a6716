import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadingOrder, moduleName, parseModuleIndex } from '../../../server/image/modules.ts';

// As in Debian 13: needs are listed from the nearest to the farthest.
const index = parseModuleIndex(
  [
    'kernel/drivers/nvdimm/nd_pmem.ko.xz: kernel/drivers/nvdimm/nd_btt.ko.xz kernel/drivers/nvdimm/libnvdimm.ko.xz',
    'kernel/drivers/nvdimm/nd_btt.ko.xz: kernel/drivers/nvdimm/libnvdimm.ko.xz',
    'kernel/drivers/nvdimm/libnvdimm.ko.xz:',
    'kernel/fs/overlayfs/overlay.ko.xz:',
    '',
  ].join('\n'),
  'kernel/fs/squashfs/squashfs.ko\n',
);

test('needs come before what needs them, each once, built-in modules not at all', () => {
  assert.deepEqual(loadingOrder(index, ['nd_pmem', 'nd_btt', 'squashfs', 'overlay', 'loop']), {
    paths: [
      'kernel/drivers/nvdimm/libnvdimm.ko.xz',
      'kernel/drivers/nvdimm/nd_btt.ko.xz',
      'kernel/drivers/nvdimm/nd_pmem.ko.xz',
      'kernel/fs/overlayfs/overlay.ko.xz',
    ],
    missing: ['loop'],
  });
});

test('a module has one name, however it is packed', () => {
  for (const path of ['a/snd-hda.ko', 'a/snd_hda.ko.xz', 'snd-hda.ko.zst', 'snd_hda.ko.gz'])
    assert.equal(moduleName(path), 'snd_hda');
});
