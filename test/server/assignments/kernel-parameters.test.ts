import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stage1Complaint, systemComplaint } from '../../../server/assignments/kernel-parameters.ts';

test('kernel parameters that a boot script or stage-1 would misunderstand are refused', () => {
  assert.equal(stage1Complaint('console=ttyS0,115200 swarmboot.linger=30'), undefined);
  assert.equal(systemComplaint('nomodeset video=1024x768'), undefined);
  for (const text of ['', 'a;b', 'a\nb', `\${net0/mac}`, 'a"b', 'a||b', 'x'.repeat(201)]) {
    assert.match(stage1Complaint(text) ?? '', /takes kernel parameters/, text);
    assert.match(systemComplaint(text) ?? '', /takes kernel parameters/, text);
  }
  assert.match(stage1Complaint('swarmboot.lingre=30') ?? '', /Unknown parameter "swarmboot.lingre"/);
  assert.match(stage1Complaint('swarmboot.linger=long') ?? '', /takes "auto", seconds/);
  for (const own of ['initrd=x', 'BOOTIF=01-52-54-00-aa-00-06', 'swarmboot.manifest=http://x/'])
    assert.match(stage1Complaint(`a=b ${own}`) ?? '', /is what the server writes itself/, own);
  assert.match(systemComplaint('swarmboot.linger=30') ?? '', /is for stage-1/);
});
