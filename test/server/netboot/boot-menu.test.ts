import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { menuScript, menuText } from '../../../server/netboot/boot-menu.ts';
import { assertGolden } from '../golden.ts';

const menu = {
  ...{
    baseUrl: 'http://10.77.0.1:7080',
    machine: 'pc01',
    image: 'debian-lab',
    reason: 'group lab1',
    seconds: 10,
  },
  images: [
    { name: 'debian-exam', version: '20260131.1' },
    { name: 'debian-lab', version: '20260131.2' },
  ],
};

test('the menu is as the golden file has it', () => assertGolden('menu.ipxe', menuScript(menu)));

test('no text can put a line, a command or a setting into the script', () => {
  const lines = menuScript(menu).split('\n').length;
  const settings = menuScript(menu).split('${').length;
  const nasty = fc.array(
    fc.constantFrom('$', '{', '}', '|', '&', '\n', '\r', '#', ';', 'a', ' ', 'é', '\0', '"'),
  );
  fc.assert(
    fc.property(nasty, nasty, (machine, reason) => {
      const script = menuScript({ ...menu, machine: machine.join(''), reason: reason.join('') });
      assert.equal(script.split('${').length, settings);
      assert.equal(script.split('\n').length, lines);
      assert.doesNotMatch(script, /[^\x0a\x20-\x7e]/);
    }),
  );
  assert.equal(menuText(`x\${net0/mac} || reboot && \n#!`), 'x??net0/mac? ?? reboot ?? ???');
});

test('of many images the decided one is shown, whatever its place', () => {
  const images = Array.from({ length: 100 }, (_, index) => ({ name: `i${index}`, version: '1' }));
  const script = menuScript({ ...menu, images, image: 'i99' });
  assert.equal(script.match(/^item /gm)?.length, 20);
  assert.match(script, /^item i99 i99 1 \(group lab1\)$/m);
});
