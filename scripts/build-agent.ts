/**
 * Builds the single-file agent: TypeScript -> one CommonJS bundle (esbuild) -> the stripped pinned Node with the
 * bundle inside (`@yao-pkg/pkg` in SEA mode).
 *
 * Invariant: the same sources, node and tools give the same bytes, wherever the checkout is.
 * Folklore, each measured:
 *   - The bundle must be CommonJS, and node must be stripped before the bundle goes in: afterwards breaks it.
 *   - A SEA keeps the path that its main script had at build time, so pkg is given a relative one.
 *   - pkg takes a local runtime only through its programmatic entry; its command line wants to download one.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { type BuildOptions, build, type Plugin } from 'esbuild';
import { ARCHES, type Arch } from '../contract/manifest.ts';
import { type Runtime, runtimeFor } from './node-runtime.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..');
const require = createRequire(import.meta.url);
const STRIP_TIMEOUT_MS = 60_000;

/** The part of pkg's SEA entry that we use (lib-es5/sea.js; it has no types). */
type BuildSea = (
  entry: string,
  options: {
    targets: { nodeRange: string; platform: string; arch: string; output: string }[];
    nodePath: string;
    useLocalNode: boolean;
    seaConfig: Record<string, unknown>;
  },
) => Promise<void>;

export interface AgentBuild {
  /** TypeScript or JavaScript entry. */
  readonly entry: string;
  /** Path of the executable to write; `agent.cjs`, the bundle, is written beside it. */
  readonly output: string;
  /** Architecture to build for; amd64 unless told otherwise. */
  readonly arch?: Arch;
}

/**
 * Packages that bittorrent-tracker's client imports and the agent never calls: WebRTC and WebSocket trackers, SOCKS
 * proxies, and a fetch that torrent/tracker-announce.ts replaces. They are half of the bundle, and of the time that
 * node takes to read it. In their place stands a function that says so if it is called after all.
 */
const LEFT_OUT = [
  '@thaunknown/simple-peer/lite.js',
  '@thaunknown/simple-websocket',
  'cross-fetch-ponyfill',
  'socks',
];

const leaveOut: Plugin = {
  name: 'leave-out',
  setup({ onResolve, onLoad }) {
    const names = LEFT_OUT.map((name) => name.replaceAll('.', '\\.')).join('|');
    onResolve({ filter: new RegExp(`^(?:${names})$`) }, ({ path }) => ({ path, namespace: 'left-out' }));
    onLoad({ filter: /.*/, namespace: 'left-out' }, ({ path }) => ({
      contents: `function absent() { throw new Error(${JSON.stringify(`"${path}" is left out of the agent`)}); }
        absent.WEBRTC_SUPPORT = false;
        export default absent;`,
    }));
  },
};

/** How esbuild makes the bundle of `entry`. */
export const agentBundle = (entry: string) =>
  ({
    entryPoints: [entry],
    absWorkingDir: root,
    bundle: true,
    platform: 'node',
    target: 'node26',
    format: 'cjs',
    minify: true,
    // Not `keepNames`: it calls Object.defineProperty for every closure with a name, whenever one is made, which was a
    // sixth of an agent's CPU time in a swarm. Our errors bring their names along.
    write: false,
    legalComments: 'none',
    logLevel: 'warning',
    plugins: [leaveOut],
  }) as const satisfies BuildOptions;

/** Bundles `entry` to CommonJS and returns the text. Throws what esbuild found wrong. */
export async function bundle(entry: string): Promise<Uint8Array> {
  const result = await build(agentBundle(entry));
  return result.outputFiles[0]!.contents;
}

/** What the executable is made of; two builds with one fingerprint are one build. */
async function fingerprint(script: Uint8Array, node: string): Promise<string> {
  const hash = createHash('sha256');
  const { size, mtimeMs } = await stat(node);
  const pkg = require('@yao-pkg/pkg/package.json') as { version: string };
  hash.update(script).update(await readFile(import.meta.filename));
  hash.update(JSON.stringify([size, mtimeMs, process.version, pkg.version]));
  return hash.digest('hex');
}

async function injectIntoNode(script: Uint8Array, target: string, runtime: Runtime): Promise<void> {
  const output = resolve(target);
  const work = await mkdtemp(join(dirname(output), '.build-agent-'));
  const previousTemp = process.env.TMPDIR;
  try {
    const stripped = join(work, 'node');
    const { strip, node, stripPackage, pkgArch } = runtime;
    await run(strip, ['--strip-all', '-o', stripped, node], { timeout: STRIP_TIMEOUT_MS }).catch(
      (error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error;
        throw new Error(`${strip} is not here; install the Debian package "${stripPackage}"`);
      },
    );
    await writeFile(join(work, 'agent.cjs'), script);
    // pkg works in a folder of its own below TMPDIR: put that beside the bundle, so that the bundle's relative
    // path, the one that the executable keeps, is the same in every build.
    process.env.TMPDIR = work;
    const sea = (require('@yao-pkg/pkg/lib-es5/sea.js') as { default: BuildSea }).default;
    const made = join(work, 'swarmboot-agent');
    await sea(join(work, 'agent.cjs'), {
      targets: [{ nodeRange: 'node26', platform: 'linux', arch: pkgArch, output: made }],
      nodePath: stripped,
      // With both, pkg puts the bundle into `nodePath`, and has it prepared by the node that runs this, the same version:
      // one of another architecture cannot do it here.
      useLocalNode: true,
      // No code cache: V8's differs from build to build. Leaving out what is not called saves more (65 against 100 ms).
      seaConfig: { main: '../agent.cjs', useCodeCache: false, disableExperimentalSEAWarning: true },
    });
    await chmod(made, 0o755);
    // Renamed, not copied over: an agent that runs keeps its own file (ETXTBSY otherwise).
    await rename(made, output);
  } finally {
    if (previousTemp === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = previousTemp;
    await rm(work, { recursive: true, force: true });
  }
}

/**
 * Builds the agent unless the one that is there was made from the same things. Returns whether it built.
 * One at a time in a process: pkg changes the working directory while it works.
 */
export async function buildAgent(options: AgentBuild): Promise<boolean> {
  const runtime = await runtimeFor(options.arch ?? 'amd64', join(root, '.cache/runtimes'));
  const folder = dirname(resolve(options.output));
  await mkdir(folder, { recursive: true });
  const script = await bundle(options.entry);
  const stamp = `${options.output}.stamp`;
  const wanted = await fingerprint(script, runtime.node);
  const found = await readFile(stamp, 'utf8').catch(() => '');
  const present = await stat(options.output).catch(() => undefined);
  if (present && found === wanted) return false;
  await rm(stamp, { force: true });
  await injectIntoNode(script, options.output, runtime);
  await writeFile(join(folder, 'agent.cjs'), script);
  await writeFile(stamp, wanted);
  return true;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      entry: { type: 'string', default: join(root, 'agent/main.ts') },
      arch: { type: 'string', default: 'amd64' },
      out: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log('Usage: scripts/build-agent [--entry FILE] [--arch amd64|arm64] [--out FILE]');
    return;
  }
  const startedMs = performance.now();
  const arch = ARCHES.find((name) => name === values.arch);
  if (arch === undefined) throw new Error(`--arch takes ${ARCHES.join(' or ')}, not "${values.arch}"`);
  const output =
    values.out ?? join(root, arch === 'amd64' ? 'dist/swarmboot-agent' : `dist/${arch}/swarmboot-agent`);
  const built = await buildAgent({ entry: values.entry, output, arch });
  const { size } = await stat(output);
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  console.log(
    `${relative(process.cwd(), output)}: ${(size / 2 ** 20).toFixed(1)} MiB, ${built ? 'built' : 'unchanged'} in ${seconds} s`,
  );
}

if (import.meta.main) {
  try {
    await main();
  } catch (error) {
    console.error(`Cannot build the agent: ${(error as Error).message}`);
    process.exitCode = 1;
  }
}
