/**
 * A Debian with systemd as the boot server: a tree of files, booted in namespaces beside the lab's network
 * (boot-tree.sh tells why not in QEMU). What it changes lies in a layer of its own, so that each boot is a fresh machine.
 */
import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { onExit } from '../../../../qemu/cleanup.ts';
import { Program } from '../../../../qemu/program.ts';

const run = promisify(execFile);
const HERE = import.meta.dirname;
const BUILD_TIMEOUT_MS = 900_000;
const BOOT_TIMEOUT_MS = 120_000;
const COMMAND_TIMEOUT_MS = 600_000;

/** `suite` with systemd and sshd, and in /deb the packages `debs`; what they need is downloaded, not installed. */
export async function buildServerTree(suite: string, debs: readonly string[], target: string): Promise<void> {
  const names = debs.map((path) => `/deb/${path.split('/').at(-1)}`);
  await run(
    'mmdebstrap',
    [
      ...['--variant=minbase', '--format=directory', '--skip=cleanup/apt', '--skip=cleanup/reproducible'],
      '--aptopt=Apt::Install-Recommends "false"',
      '--include=systemd-sysv,dbus,iproute2,iputils-ping,openssh-server,procps,kmod,ca-certificates',
      `--customize-hook=mkdir "$1/deb"`,
      ...debs.map((path) => `--customize-hook=copy-in ${path} /deb`),
      `--customize-hook=chroot "$1" apt-get -qy --no-install-recommends --download-only install ${names.join(' ')}`,
      ...[suite, target],
    ],
    { timeout: BUILD_TIMEOUT_MS, maxBuffer: 64 * 2 ** 20 },
  );
}

export interface Answer {
  readonly status: number;
  readonly said: string;
}

export class ServerTree {
  readonly root: string;
  readonly #program: Program;
  readonly #unmount: () => void;
  #init = 0;

  private constructor(root: string, program: Program, unmount: () => void) {
    this.root = root;
    this.#program = program;
    this.#unmount = unmount;
  }

  /** Boots `tree` in `namespace`; `folder` gets the changes and the console. Copies `files` (from, to) into it first. */
  static async boot(options: {
    readonly tree: string;
    readonly namespace: string;
    readonly folder: string;
    readonly files?: readonly (readonly [from: string, to: string])[];
  }): Promise<ServerTree> {
    const { tree, namespace, folder, files = [] } = options;
    const [upper, work, root] = ['upper', 'work', 'root'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    for (const path of [upper, work, root]) mkdirSync(path, { recursive: true });
    execFileSync('mount', [
      '-t',
      'overlay',
      '-o',
      `lowerdir=${tree},upperdir=${upper},workdir=${work}`,
      'server',
      root,
    ]);
    const unmount = onExit(() => execFileSync('umount', ['--lazy', root]));
    try {
      for (const [from, to] of files) {
        mkdirSync(dirname(join(root, to)), { recursive: true });
        // A chroot has device files, which cpSync does not take.
        execFileSync('cp', ['-a', from, join(root, to)], { timeout: COMMAND_TIMEOUT_MS });
      }
    } catch (error) {
      unmount();
      throw error;
    }
    const argv = ['sh', join(HERE, 'boot-tree.sh'), root];
    const program = new Program({ name: 'server', argv, namespace, logFile: join(folder, 'server.log') });
    const server = new ServerTree(root, program, unmount);
    try {
      await server.#waitForSystem();
      return server;
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  /** The process that is PID 1 inside: the first below ours that has that number in a namespace of its own. */
  #findInit(pid = this.#program.pid ?? 0): number {
    try {
      if (/^NSpid:.*\t1$/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))) return pid;
      const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
      return children.map((child) => this.#findInit(Number(child))).find((found) => found > 0) ?? 0;
    } catch {
      return 0; // It has ended meanwhile.
    }
  }

  async #waitForSystem(): Promise<void> {
    const deadline = performance.now() + BOOT_TIMEOUT_MS;
    for (;;) {
      if (this.#program.exit) throw new Error(`The server's Debian ended: ${this.#program.tail}`);
      this.#init ||= this.#findInit();
      const state =
        this.#init === 0 ? 'not there' : (await this.run('systemctl is-system-running')).said.trim();
      if (state === 'running' || state === 'degraded') return;
      if (performance.now() > deadline)
        throw new Error(`The server's systemd is ${state}: ${this.#program.tail}`);
      await sleep(500);
    }
  }

  /** Runs a shell command in it, as root at a prompt. */
  async run(command: string, timeoutMs = COMMAND_TIMEOUT_MS): Promise<Answer> {
    // With --root alone nsenter(1) goes to the new root; a --wd= would be looked up outside.
    const enter = ['--target', String(this.#init), '--mount', '--pid', '--uts', '--ipc', '--net', '--root'];
    const environment = [
      'env',
      '-i',
      'PATH=/usr/sbin:/usr/bin:/sbin:/bin',
      'HOME=/root',
      'LC_ALL=C.UTF-8',
      'DEBIAN_FRONTEND=noninteractive',
    ];
    try {
      const { stdout, stderr } = await run(
        'nsenter',
        [...enter, ...environment, 'sh', '-c', `cd /; ${command}`],
        {
          timeout: timeoutMs,
          maxBuffer: 64 * 2 ** 20,
        },
      );
      return { status: 0, said: stdout + stderr };
    } catch (error) {
      const { code, stdout = '', stderr = '' } = error as { code?: number; stdout?: string; stderr?: string };
      return { status: typeof code === 'number' ? code : -1, said: stdout + stderr };
    }
  }

  /** As `run`; throws with what was said if the status is not 0. */
  async must(command: string): Promise<string> {
    const { status, said } = await this.run(command);
    if (status !== 0) throw new Error(`"${command}" on the server ended with status ${status}:\n${said}`);
    return said;
  }

  async stop(): Promise<void> {
    await this.#program.stop();
    this.#unmount();
  }
}
