/**
 * A client that speaks our line protocol: `ready`, then `{"begin": [...]}`, then `begun`, then `done`;
 * `{"tell": "payload"}`, then `payload`.
 */
import { LineProcess } from '../line-process.ts';
import { type Client, type ClientOptions, type Endpoint, START_TIMEOUT_MS } from './client.ts';

/** Starts `command args... OPTIONS-AS-JSON` and waits until it listens. */
export async function launchLineClient(
  name: string,
  command: string,
  args: readonly string[],
  options: Pick<ClientOptions, 'mode'>,
): Promise<Client & { readonly process: LineProcess }> {
  const child = new LineProcess(`${name} ${options.mode}`, command, [...args, JSON.stringify(options)]);
  try {
    const ready = await child.event('ready', START_TIMEOUT_MS);
    return {
      process: child,
      pid: child.pid,
      port: Number(ready.port),
      async begin(peers: readonly Endpoint[]) {
        child.send({ begin: peers });
        await child.event('begun', START_TIMEOUT_MS);
      },
      async finished(timeoutMs: number) {
        await child.event('done', timeoutMs);
      },
      async payloadBytes() {
        const { sent, received } = await child.ask({ tell: 'payload' }, 'payload', START_TIMEOUT_MS);
        return { sent: Number(sent), received: Number(received) };
      },
      close: () => child.close(),
    };
  } catch (error) {
    await child.kill();
    throw error;
  }
}
