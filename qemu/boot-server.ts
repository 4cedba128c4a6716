/** The boot server in the lab: dnsmasq and `swarmboot serve`, as an administrator runs them, in the lab's namespace. */
import { execFile, execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { MachineArch } from './machine-arguments.ts';
import type { Network } from './network.ts';
import { BRIDGE, PREFIX_V6, SERVER_ADDRESS, siteDhcpConfiguration } from './network-plan.ts';
import { describeExit, Program } from './program.ts';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '..');
const SWARMBOOT = join(ROOT, 'bin/swarmboot');
export const HTTP_PORT = 7080;
export const BASE_URL = `http://${SERVER_ADDRESS}:${HTTP_PORT}`;
const COMMAND_TIMEOUT_MS = 30_000;
/** The server hashes an image that it has not seen yet, maybe beside machines that boot. */
const START_TIMEOUT_MS = 60_000;

export interface BootServerOptions {
  readonly network: Network;
  /** State folder of `swarmboot serve`: images and stage-1. */
  readonly state: string;
  /** Folder of the release key. */
  readonly config: string;
  /** Name of the image that machines get. */
  readonly image: string;
  /** Folder for logs and generated configuration. */
  readonly folder: string;
  /** `full`: we give leases; `proxy`: the site's own DHCP server does, we only answer PXE. */
  readonly dhcp: 'full' | 'proxy';
  readonly arch: MachineArch;
  /** What UEFI machines load first. */
  readonly uefi: 'ipxe' | 'shim';
  /** Root folder of a Debian whose boot loaders machines get, where this machine's own has others or none. */
  readonly debianRoot?: string;
  /** More arguments of `swarmboot serve`. */
  readonly arguments?: readonly string[];
}

/** The serial port that a machine's console is on. */
const CONSOLE: Readonly<Record<MachineArch, string>> = {
  amd64: 'console=ttyS0,115200',
  arm64: 'console=ttyAMA0,115200',
};

/** fetch() inside a namespace, tried until `timeoutMs` is over: Node itself cannot enter one. */
const FETCH = `
const [url, timeoutMs] = process.argv.slice(1);
const deadline = Date.now() + Number(timeoutMs);
for (;;) {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(5000) });
    if (!answer.ok) throw new Error('status ' + answer.status);
    process.stdout.write(await answer.text());
    break;
  } catch (error) {
    if (Date.now() > deadline) {
      console.error(error.cause?.message ?? error.message);
      process.exit(1);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}`;

export class BootServer {
  readonly #options: BootServerOptions;
  readonly #programs: Program[] = [];

  private constructor(options: BootServerOptions) {
    this.#options = options;
  }

  /** Starts everything and returns when the server answers. Throws with the tail of what failed. */
  static async start(options: BootServerOptions): Promise<BootServer> {
    const server = new BootServer(options);
    try {
      if (options.dhcp === 'proxy') server.#startSiteDhcp();
      server.#startDnsmasq();
      await server.startHttp();
      return server;
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  #start(name: string, argv: readonly string[], namespace = this.#options.network.namespace): Program {
    const logFile = join(this.#options.folder, `${name}.log`);
    const program = new Program({ name, argv, namespace, logFile });
    this.#programs.push(program);
    return program;
  }

  #startSiteDhcp(): void {
    const { folder, network } = this.#options;
    const file = join(folder, 'site.conf');
    writeFileSync(file, siteDhcpConfiguration(folder));
    this.#start(
      'site-dhcp',
      ['dnsmasq', '--keep-in-foreground', '--user=root', '--log-facility=-', `--conf-file=${file}`],
      network.siteNamespace,
    );
  }

  #startDnsmasq(): void {
    const { folder, dhcp, state, uefi, debianRoot } = this.#options;
    const file = join(folder, 'dnsmasq.conf');
    const argv = [
      ...['dnsmasq', '--mode', dhcp, '--interface', BRIDGE, '--address', `${SERVER_ADDRESS}/24`],
      ...['--uefi', uefi, ...(debianRoot === undefined ? [] : ['--debian-root', debianRoot])],
    ];
    const text = execFileSync(SWARMBOOT, [...argv, '--ra', PREFIX_V6, '--install-ipxe', '--state', state], {
      encoding: 'utf8',
      timeout: COMMAND_TIMEOUT_MS,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    writeFileSync(file, text);
    this.#start('dnsmasq', [
      ...['dnsmasq', '--keep-in-foreground', '--user=root', '--log-facility=-', '--log-dhcp'],
      ...[`--conf-file=${file}`, `--dhcp-leasefile=${folder}/leases`, '--pid-file='],
    ]);
  }

  /** Starts `swarmboot serve` (again, after `stopHttp`), with `more` arguments besides those of the lab. */
  async startHttp(more: readonly string[] = []): Promise<void> {
    const { state, config, image, arch } = this.#options;
    const program = this.#start('swarmboot', [
      ...[SWARMBOOT, 'serve', '--state', state, '--config', config, '--image', image],
      ...['--host', SERVER_ADDRESS, '--http-port', String(HTTP_PORT), '--append', CONSOLE[arch]],
      ...(this.#options.arguments ?? []),
      ...more,
    ]);
    const ended = program.exited.then((exit) => {
      throw new Error(`"swarmboot serve" ended (${describeExit(exit)}):\n${program.tail}`);
    });
    ended.catch(() => {});
    await Promise.race([this.get('/healthz', START_TIMEOUT_MS), ended]);
  }

  /** Stops `swarmboot serve`; dnsmasq stays. */
  async stopHttp(): Promise<void> {
    await Promise.all(
      this.#programs.filter(({ name }) => name === 'swarmboot').map((program) => program.stop()),
    );
  }

  /** Body of a path of the HTTP server. */
  async get(path: string, timeoutMs = 5000): Promise<string> {
    const argv = [`--net=/run/netns/${this.#options.network.namespace}`, '--', process.execPath];
    const { stdout } = await run(
      'nsenter',
      [...argv, '--input-type=module', '--eval', FETCH, `${BASE_URL}${path}`, String(timeoutMs)],
      { timeout: timeoutMs + 10_000, maxBuffer: 64 * 1024 * 1024 },
    );
    return stdout;
  }

  /** The first program that has ended by itself, for messages. */
  get casualty(): string | undefined {
    const program = this.#programs.find(({ exit }) => exit !== undefined && exit.signal === null);
    return program?.exit && `${program.name} ended (${describeExit(program.exit)}): ${program.tail}`;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#programs.map((program) => program.stop()));
  }
}
