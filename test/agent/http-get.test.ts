import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HttpError, httpExchange } from '../../agent/http-get.ts';
import { serve } from './http-fixture.ts';

const options = { limitBytes: 1000, timeoutMs: 5000 };
const fails = (code: HttpError['code']) => (error: unknown) =>
  error instanceof HttpError && error.code === code;

test('a body, and a body behind a redirect', async (context) => {
  const server = await serve(context);
  server.reply('/a', 'hello');
  server.handle('/b', (_, response) => void response.writeHead(302, { location: '/a' }).end());
  assert.equal((await httpExchange(`${server.url}/a`, options)).toString(), 'hello');
  assert.equal((await httpExchange(`${server.url}/b`, options)).toString(), 'hello');
});

test('what is not an answer of 200 is an error with its status', async (context) => {
  const server = await serve(context);
  await assert.rejects(httpExchange(`${server.url}/none`, options), { code: 'status', status: 404 });
  server.handle('/loop', (_, response) => void response.writeHead(302, { location: '/loop' }).end());
  await assert.rejects(httpExchange(`${server.url}/loop`, options), /redirects more than 3 times/);
  server.handle(
    '/file',
    (_, response) => void response.writeHead(302, { location: 'file:///etc/passwd' }).end(),
  );
  await assert.rejects(httpExchange(`${server.url}/file`, options), /no HTTP URL/);
});

test('too many bytes are refused, declared or not', async (context) => {
  const server = await serve(context);
  server.reply('/declared', 'x'.repeat(1001));
  let sent = 0;
  server.handle('/endless', (_, response) => {
    const more = (): void => {
      while (!response.destroyed && response.write('x'.repeat(10_000))) sent += 10_000;
    };
    response.on('drain', more);
    more();
  });
  await assert.rejects(httpExchange(`${server.url}/declared`, options), fails('too-large'));
  await assert.rejects(httpExchange(`${server.url}/endless`, options), fails('too-large'));
  assert.ok(sent >= 0 && sent < 50_000_000);
});

test('a body cut short is not taken for whole', async (context) => {
  const server = await serve(context);
  server.handle('/cut', (_, response) => {
    response.writeHead(200, { 'content-length': '100' });
    response.write('only this');
    setTimeout(() => response.destroy(), 20);
  });
  await assert.rejects(httpExchange(`${server.url}/cut`, options), fails('unreachable'));
});

test('a server that hangs ends at the deadline; an abort with its reason', async (context) => {
  const server = await serve(context);
  server.handle('/hang', () => {});
  await assert.rejects(httpExchange(`${server.url}/hang`, { ...options, timeoutMs: 50 }), fails('timeout'));
  const reason = new Error('stop');
  const controller = new AbortController();
  setTimeout(() => controller.abort(reason), 20);
  await assert.rejects(httpExchange(`${server.url}/hang`, { ...options, signal: controller.signal }), reason);
});

test('nobody there', async (context) => {
  const server = await serve(context);
  await server.close();
  await assert.rejects(httpExchange(`${server.url}/a`, options), fails('unreachable'));
});
