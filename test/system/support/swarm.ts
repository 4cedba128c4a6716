/** Our engine in the test's own process, on loopback, closed when the test ends. */
import type { TestContext } from 'node:test';
import { type Endpoint, Swarm, type SwarmOptions } from '../../../torrent/index.ts';
import { openStore, type TestImage } from './image.ts';

export const ADDRESS = '127.0.0.1';

/** Longest that a download of a test image may take, in milliseconds. */
export const DOWNLOAD_TIMEOUT_MS = 60_000;

type Rest = Partial<Omit<SwarmOptions, 'metainfo' | 'store' | 'complete'>>;

async function start(
  t: TestContext,
  image: TestImage,
  directory: string,
  complete: boolean,
  rest: Rest,
): Promise<Swarm> {
  const store = await openStore(image, directory, complete ? 'read' : 'write');
  const swarm = await Swarm.start({
    metainfo: image.metainfo,
    store,
    complete,
    listen: { host: ADDRESS, port: 0 },
    peers: [],
    trackers: [],
    ...rest,
  });
  t.after(async () => {
    await swarm.close();
    await store.close();
  });
  return swarm;
}

export const seed = (t: TestContext, image: TestImage, rest: Rest = {}): Promise<Swarm> =>
  start(t, image, image.directory, true, rest);
export const leech = (t: TestContext, image: TestImage, directory: string, rest: Rest = {}): Promise<Swarm> =>
  start(t, image, directory, false, rest);

export const completed = (swarm: Swarm): Promise<void> =>
  swarm.complete(AbortSignal.timeout(DOWNLOAD_TIMEOUT_MS));
export const endpointOf = (swarm: { readonly port: number }): Endpoint => ({
  host: ADDRESS,
  port: swarm.port,
});
