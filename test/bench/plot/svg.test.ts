import assert from 'node:assert/strict';
import { test } from 'node:test';
import { element, picture, text } from '../../../bench/plot/svg.ts';

test('words cannot become markup', () => {
  assert.equal(text(1, 2, 'a < b & "c"'), '<text x="1" y="2">a &lt; b &amp; &quot;c&quot;</text>');
  assert.equal(element('g', { id: '"><script>' }), '<g id="&quot;&gt;&lt;script&gt;"/>');
  assert.match(picture(1, 1, '</title>', []), /<title>&lt;\/title&gt;<\/title>/);
});

test('numbers are short, and what is not given is left out', () => {
  assert.equal(element('rect', { x: 1 / 3, y: 2, fill: undefined }), '<rect x="0.33" y="2"/>');
});
