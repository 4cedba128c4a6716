/** The running boot server: starts the parts in order, wires them, and stops them all again. */
import { mkdir } from 'node:fs/promises';
import { isIPv4, isIPv6 } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { BootDesk } from './assignments/boot-desk.ts';
import { Catalog } from './catalog/catalog.ts';
import { loadPublicKey } from './catalog/keys.ts';
import type { Release } from './catalog/load-release.ts';
import { Failure, systemCode } from './failure.ts';
import { createApp } from './http/app.ts';
import { Traffic } from './http/traffic.ts';
import { MachineBook } from './machines/machine-book.ts';
import { Seeder } from './seeder/seeder.ts';
import { openSite } from './site.ts';
import { Tracker } from './tracker/tracker.ts';

export interface ServeOptions {
  /** Address to listen on; 0.0.0.0 or :: for all. */
  readonly host: string;
  /** 0 lets the system choose; the UDP tracker takes the same number. */
  readonly httpPort: number;
  readonly seederPort: number;
  readonly state: string;
  readonly config: string;
  /** Image that machines boot to which none is assigned; undefined takes the first by name. */
  readonly image: string | undefined;
  readonly publicUrl: string | undefined;
  readonly uploadBytesPerSecond: number | undefined;
  readonly append: readonly string[];
  /** False: neither seeder nor webseed; whoever needs an image gets it from machines that have it. */
  readonly seed: boolean;
  readonly log: Logger;
}

export interface RunningServer {
  readonly httpPort: number;
  readonly releases: () => readonly { readonly release: Release; readonly seederPort: number | undefined }[];
  /** Looks at the state folder now instead of within five seconds. */
  readonly rescan: () => Promise<void>;
  /** Whether its own HTTP port answers in time. */
  readonly isAnswering: () => Promise<boolean>;
  /** Ends within `STOP_MS`. */
  readonly close: () => Promise<void>;
}

/** How often the state folder is looked at, in milliseconds. */
const SCAN_INTERVAL_MS = 5_000;
/** Whatever has not ended by itself is left to the end of the process, in milliseconds. */
const STOP_MS = 4_000;
/** The server is asked whether it lives: it has so long to answer, in milliseconds. */
const ANSWER_MS = 10_000;

/**
 * Starts everything and returns when machines can boot.
 * Throws `Failure`: `missing-key`, `port-in-use`; nothing keeps running then.
 */
export async function serve(options: ServeOptions): Promise<RunningServer> {
  const { host, state, log } = options;
  const key = loadPublicKey(options.config);
  await mkdir(state, { recursive: true });
  const warn = (message: string, fields: Record<string, unknown>) => log.warn(fields, message);
  const stopping = new AbortController();
  const machines = new MachineBook();
  const site = openSite(state);
  let toldOfDatabase = ''; // a full disk is worth one line, not one for each machine
  const desk = new BootDesk(site, state, { image: options.image, parameters: options.append }, (sentence) => {
    if (sentence !== toldOfDatabase) log.error(sentence);
    toldOfDatabase = sentence;
  });
  const traffic = new Traffic();
  const seeder = new Seeder({
    host,
    port: options.seederPort,
    uploadBytesPerSecond: options.uploadBytesPerSecond,
    warn,
  });

  /** The server's own image first: it gets the first port. */
  const inOrder = (current: ReadonlyMap<string, Release>): Release[] => {
    const first = options.image === undefined ? undefined : current.get(options.image);
    return [...(first ? [first] : []), ...[...current.values()].filter((release) => release !== first)];
  };
  const tracker = new Tracker({
    infohashes: () =>
      options.seed
        ? seeder.infohashes()
        : [...catalog.current.values()].map(({ metainfo }) => metainfo.wireInfohash.toString('hex')),
    seederPort: (infohash) => seeder.portOfInfohash(infohash),
    warn,
  });
  const catalog = new Catalog(state, key, {
    onChange: (current) => {
      for (const { name, version } of current.values()) log.info({ name, version }, 'Serving release');
    },
    onProblem: (error) => log.error(error.message),
  });
  const scanOnce = async (): Promise<void> => {
    await catalog.scan();
    await seeder.sync(options.seed ? inOrder(catalog.current) : [], Date.now());
    tracker.prune();
  };
  let scanning: Promise<void> | undefined;
  /** One at a time: two would start the same seeder twice. */
  const scan = (): Promise<void> => {
    scanning ??= scanOnce().finally(() => {
      scanning = undefined;
    });
    return scanning;
  };

  const app = await createApp(
    {
      ...{ state, catalog, desk, machines, tracker, traffic },
      publicUrl: options.publicUrl,
      webseed: options.seed,
      seederPort: (release) => seeder.portOf(release),
      seederBytes: () => seeder.uploadedBytes(),
      now: Date.now,
    },
    log,
  );
  const close = async (): Promise<void> => {
    stopping.abort();
    const parts = [app.close(), tracker.close(), seeder.close()];
    await Promise.race([Promise.allSettled(parts), sleep(STOP_MS, undefined, { ref: false })]);
    if (site.db.isOpen) site.close();
  };
  try {
    await app.listen({ host, port: options.httpPort }).catch((error: unknown) => {
      if (systemCode(error) !== 'EADDRINUSE') throw error;
      throw new Failure(
        'port-in-use',
        `Port ${options.httpPort} is in use; stop the other program or give another --http-port`,
      );
    });
    const address = app.server.address();
    const httpPort = typeof address === 'object' && address ? address.port : options.httpPort;
    if (isIPv4(host) || host === '::') await tracker.listenUdp(httpPort, isIPv4(host) ? host : '0.0.0.0');
    await scan();
    const local =
      host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '[::1]' : isIPv4(host) ? host : `[${host}]`;
    const url = `http://${local}:${httpPort}`;
    desk.started({ url, image: options.image, pid: process.pid, startedMs: Date.now() });
    const loop = async () => {
      let told = ''; // a port that stays taken is worth one line, not one every five seconds
      while (!stopping.signal.aborted) {
        await sleep(SCAN_INTERVAL_MS, undefined, { signal: stopping.signal, ref: false }).catch(() => {});
        if (stopping.signal.aborted) return;
        await scan().then(
          () => {
            told = '';
          },
          (error: Error) => {
            if (error.message !== told) log.error(error.message);
            told = error.message;
          },
        );
      }
    };
    void loop();
    return {
      httpPort,
      releases: () =>
        inOrder(catalog.current).map((release) => ({ release, seederPort: seeder.portOf(release) })),
      rescan: scan,
      isAnswering: async () => {
        const bracketed = isIPv6(host)
          ? `[${host === '::' ? '::1' : host}]`
          : host.replace('0.0.0.0', '127.0.0.1');
        const signal = AbortSignal.timeout(ANSWER_MS);
        return (await fetch(`http://${bracketed}:${httpPort}/healthz`, { signal })).ok;
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
