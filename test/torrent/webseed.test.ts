import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { suite, test } from 'node:test';
import { type Metainfo, pieceLengthOf } from '../../torrent/metainfo-model.ts';
import { checkPiece } from '../../torrent/piece-check.ts';
import { createWebseed, type WebseedErrorCode, webseedUrl } from '../../torrent/webseed.ts';
import { makeSample, PIECE, type Sample } from './sample-torrent.ts';

interface Request {
  readonly path: string;
  readonly from: number;
  readonly to: number;
  readonly port: number;
}
interface Server extends AsyncDisposable {
  readonly url: string;
  readonly requests: Request[];
}
type Serve = (response: http.ServerResponse, bytes: Buffer, request: Request, index: number) => void;

/** The honest answer to a range. */
const honest: Serve = (response, bytes, { from, to }) => {
  response.writeHead(206, {
    'content-range': `bytes ${from}-${to - 1}/${bytes.length}`,
    'content-length': to - from,
  });
  response.end(bytes.subarray(from, to));
};

async function webserver(sample: Sample, serve: Serve): Promise<Server> {
  const requests: Request[] = [];
  const server = http.createServer((message, response) => {
    const path = decodeURIComponent(message.url ?? '');
    const range = /^bytes=(\d+)-(\d+)$/.exec(message.headers.range ?? '');
    const request = {
      path,
      from: Number(range?.[1]),
      to: Number(range?.[2]) + 1,
      port: message.socket.remotePort ?? 0,
    };
    requests.push(request);
    const file = sample.metainfo.files.find(
      (entry) => path === `/files/${sample.metainfo.name}/${entry.path}`,
    );
    if (!file) return void response.writeHead(404).end();
    serve(
      response,
      sample.space.subarray(file.offset, file.offset + file.length),
      request,
      requests.length - 1,
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/files/`,
    requests,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

suite('webseed', () => {
  test('every piece arrives whole and verified, pads without a request, over kept connections', async () => {
    await using sample = await makeSample();
    const { metainfo } = sample;
    await using server = await webserver(sample, honest);
    const webseed = createWebseed({ url: server.url, metainfo });
    try {
      for (let piece = 0; piece < metainfo.pieceCount; piece++) {
        const target = Buffer.alloc(pieceLengthOf(metainfo, piece), 0xee);
        await webseed.fetchPiece(piece, target);
        assert.equal(checkPiece(metainfo, piece, target), 'ok', `piece ${piece}`);
      }
    } finally {
      webseed.close();
    }
    assert.equal(server.requests.length, metainfo.pieceCount);
    assert.equal(new Set(server.requests.map(({ port }) => port)).size, 1, 'one connection');
    assert.ok(server.requests.every(({ path }) => !path.includes('.pad')));
  });

  test('a v1 piece with many files in it takes a request for each', async () => {
    await using sample = await makeSample({ a: 10, b: 20, c: 30 });
    const files = sample.metainfo.files
      .filter((file) => !file.pad)
      .map((file, index) => ({ ...file, offset: [0, 10, 30][index]!, piecesRoot: undefined }));
    const packed: Metainfo = {
      ...sample.metainfo,
      files,
      pieceCount: 1,
      totalLength: 60,
      infohashV2: undefined,
    };
    await using server = await webserver(sample, honest);
    const webseed = createWebseed({ url: server.url, metainfo: packed });
    const target = Buffer.alloc(60);
    await webseed.fetchPiece(0, target);
    webseed.close();
    const expected = sample.metainfo.files
      .filter((file) => !file.pad)
      .map((file) => sample.space.subarray(file.offset, file.offset + file.length));
    assert.deepEqual(target, Buffer.concat(expected));
    assert.equal(server.requests.length, 3);
  });

  const NEVER = 60_000;
  const faults: readonly (readonly [string, WebseedErrorCode, Serve])[] = [
    ['404', 'status', (response) => response.writeHead(404).end()],
    [
      '200 with the whole file for a range',
      'status',
      (response, bytes) => response.writeHead(200, { 'content-length': bytes.length }).end(bytes),
    ],
    [
      'another range',
      'bad-range',
      (response, bytes, { from, to }) =>
        honest(response, bytes, { from: from + 1, to: to + 1, path: '', port: 0 }, 0),
    ],
    [
      'another file length',
      'bad-range',
      (response, bytes, { from, to }) =>
        response
          .writeHead(206, { 'content-range': `bytes ${from}-${to - 1}/9`, 'content-length': to - from })
          .end(bytes.subarray(from, to)),
    ],
    ['no Content-Range', 'bad-range', (response) => response.writeHead(206).end('x')],
    [
      'another Content-Length',
      'bad-range',
      (response, bytes, { from, to }) =>
        response
          .writeHead(206, { 'content-range': `bytes ${from}-${to - 1}/${bytes.length}`, 'content-length': 5 })
          .end('12345'),
    ],
    [
      'a byte too much',
      'bad-length',
      (response, bytes, { from, to }) => {
        response.writeHead(206, { 'content-range': `bytes ${from}-${to - 1}/${bytes.length}` });
        response.end(Buffer.concat([bytes.subarray(from, to), Buffer.alloc(1)]));
      },
    ],
    [
      'a byte too few',
      'bad-length',
      (response, bytes, { from, to }) => {
        response.writeHead(206, { 'content-range': `bytes ${from}-${to - 1}/${bytes.length}` });
        response.end(bytes.subarray(from, to - 1));
      },
    ],
    [
      'an end in the middle',
      'cut-off',
      (response, bytes, { from, to }) => {
        response.writeHead(206, {
          'content-range': `bytes ${from}-${to - 1}/${bytes.length}`,
          'content-length': to - from,
        });
        response.write(bytes.subarray(from, from + 100), () => response.destroy());
      },
    ],
    [
      'compressed bytes',
      'encoding',
      (response) => response.writeHead(206, { 'content-encoding': 'gzip' }).end('x'),
    ],
    ['silence', 'stalled', () => undefined],
    [
      'silence after a few bytes',
      'stalled',
      (response, bytes, { from, to }) => {
        response.writeHead(206, {
          'content-range': `bytes ${from}-${to - 1}/${bytes.length}`,
          'content-length': to - from,
        });
        response.write('abc');
      },
    ],
    [
      'redirections without end',
      'redirects',
      (response, _, { path }) => response.writeHead(302, { location: path }).end(),
    ],
    [
      'a redirection to a file',
      'bad-url',
      (response) => response.writeHead(302, { location: 'file:///etc/passwd' }).end(),
    ],
    ['a closed door', 'unreachable', (response) => response.destroy()],
  ];
  for (const [what, code, serve] of faults) {
    test(`${what}: ${code}, nothing outside of the target, and the next piece is fine`, async () => {
      await using sample = await makeSample({ a: 3 * PIECE });
      let faulty = true;
      await using server = await webserver(sample, (...parameters) =>
        (faulty ? serve : honest)(...parameters),
      );
      const webseed = createWebseed({
        url: server.url,
        metainfo: sample.metainfo,
        stallMs: 150,
        totalMs: NEVER,
      });
      try {
        const around = Buffer.alloc(PIECE + 200, 0xee);
        const target = around.subarray(100, 100 + PIECE);
        await assert.rejects(webseed.fetchPiece(1, target), { name: 'WebseedError', code });
        assert.ok(server.requests.length >= 1, 'the fault was reached');
        assert.deepEqual(around.subarray(0, 100), Buffer.alloc(100, 0xee));
        assert.deepEqual(around.subarray(100 + PIECE), Buffer.alloc(100, 0xee));
        faulty = false;
        await webseed.fetchPiece(1, target);
        assert.equal(checkPiece(sample.metainfo, 1, target), 'ok');
      } finally {
        webseed.close();
      }
    });
  }

  test('bytes that trickle for ever end at the total deadline', async () => {
    await using sample = await makeSample({ a: PIECE });
    const timers: NodeJS.Timeout[] = [];
    await using server = await webserver(sample, (response, bytes, { from, to }) => {
      response.writeHead(206, {
        'content-range': `bytes ${from}-${to - 1}/${bytes.length}`,
        'content-length': to - from,
      });
      timers.push(setInterval(() => response.write('x'), 20));
    });
    const webseed = createWebseed({
      url: server.url,
      metainfo: sample.metainfo,
      stallMs: 10_000,
      totalMs: 300,
    });
    await assert.rejects(webseed.fetchPiece(0, Buffer.alloc(PIECE)), {
      code: 'stalled',
      message: /not done after 0.3 s/,
    });
    webseed.close();
    for (const timer of timers) clearInterval(timer);
  });

  test('bytes that trickle faster than a stall but slower than any use are not awaited', async () => {
    await using sample = await makeSample({ a: PIECE });
    const timers: NodeJS.Timeout[] = [];
    let trickled = 0;
    await using server = await webserver(sample, (response, bytes, { from, to }) => {
      response.writeHead(206, {
        'content-range': `bytes ${from}-${to - 1}/${bytes.length}`,
        'content-length': to - from,
      });
      timers.push(setInterval(() => response.write('x') && trickled++, 20));
    });
    const webseed = createWebseed({
      url: server.url,
      metainfo: sample.metainfo,
      stallMs: 2000,
      totalMs: NEVER,
    });
    await assert.rejects(webseed.fetchPiece(0, Buffer.alloc(PIECE)), { code: 'too-slow' });
    assert.ok(trickled > 1, `${trickled} bytes came`);
    webseed.close();
    for (const timer of timers) clearInterval(timer);
  });

  test('200 is as good as 206 where the range is the whole file', async () => {
    await using sample = await makeSample({ a: 1000 });
    await using server = await webserver(sample, (response, bytes) =>
      response.writeHead(200, { 'content-length': bytes.length }).end(bytes),
    );
    const webseed = createWebseed({ url: server.url, metainfo: sample.metainfo });
    const target = Buffer.alloc(1000);
    await webseed.fetchPiece(0, target);
    webseed.close();
    assert.equal(checkPiece(sample.metainfo, 0, target), 'ok');
  });

  test('a kept connection that the server has closed meanwhile is not an error', async () => {
    await using sample = await makeSample({ a: 3 * PIECE });
    let closed = 0;
    await using server = await webserver(sample, (response, bytes, request, index) => {
      if (index === 1) {
        closed++;
        response.socket?.resetAndDestroy();
      } else honest(response, bytes, request, index);
    });
    const webseed = createWebseed({ url: server.url, metainfo: sample.metainfo });
    for (const piece of [0, 1]) await webseed.fetchPiece(piece, Buffer.alloc(PIECE));
    webseed.close();
    assert.deepEqual([closed, server.requests.length], [1, 3]);
  });

  test('can be stopped', async () => {
    await using sample = await makeSample({ a: PIECE });
    const stop = new AbortController();
    await using server = await webserver(sample, () => stop.abort());
    const webseed = createWebseed({ url: server.url, metainfo: sample.metainfo });
    await assert.rejects(webseed.fetchPiece(0, Buffer.alloc(PIECE), stop.signal), { code: 'aborted' });
    await assert.rejects(webseed.fetchPiece(0, Buffer.alloc(PIECE), AbortSignal.abort()), {
      code: 'aborted',
    });
    webseed.close();
  });

  test('addresses as BEP 19 makes them', async () => {
    await using multi = await makeSample({ 'd e/ü#?.img': 5 }, 'a b');
    await using single = await makeSample({ 'root.img': 5 }, 'root.img');
    const file = (sample: Sample) => sample.metainfo.files[0]!;
    for (const base of ['http://h/files', 'http://h/files/']) {
      assert.equal(
        webseedUrl(base, multi.metainfo, file(multi)),
        'http://h/files/a%20b/d%20e/%C3%BC%23%3F.img',
      );
    }
    assert.equal(webseedUrl('http://h/files/', single.metainfo, file(single)), 'http://h/files/root.img');
    assert.equal(webseedUrl('http://h/other.img', single.metainfo, file(single)), 'http://h/other.img');
  });

  test('wrong addresses, pieces and targets are refused', async () => {
    await using sample = await makeSample({ a: PIECE });
    for (const url of ['', 'ftp://h/', 'file:///x', 'nonsense']) {
      assert.throws(() => createWebseed({ url, metainfo: sample.metainfo }), { code: 'bad-url' });
    }
    const webseed = createWebseed({ url: 'http://127.0.0.1:1/', metainfo: sample.metainfo });
    await assert.rejects(webseed.fetchPiece(1, Buffer.alloc(PIECE)), RangeError);
    await assert.rejects(webseed.fetchPiece(0, Buffer.alloc(PIECE - 1)), RangeError);
    await assert.rejects(webseed.fetchPiece(0, Buffer.alloc(PIECE)), { code: 'unreachable' });
    webseed.close();
  });
});
