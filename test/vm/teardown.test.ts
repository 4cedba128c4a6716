/** The lab's network goes away however its owner ends, and takes nobody else's with it. Needs root. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, it, type TestContext } from 'node:test';
import { Network, removeLeftovers } from '../../qemu/network.ts';
import { Program } from '../../qemu/program.ts';

const ROOT = join(import.meta.dirname, '../..');
/** Makes a network with a program in it, says "NAMESPACE PID", and waits. */
const OWNER = `
import { Network } from '${ROOT}/qemu/network.ts';
import { Program } from '${ROOT}/qemu/program.ts';
const network = Network.create({ machines: 1, site: true });
const program = new Program({ name: 'sleep', argv: ['sleep', '600'], namespace: network.namespace });
console.log(network.namespace, program.pid);
setInterval(() => {}, 1000);
`;

const namespaces = () => readdirSync('/run/netns');
const runs = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

/** Waits until `condition` holds, at most 5 s. */
async function until(condition: () => boolean, what: string): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    if (condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.fail(`Waited 5 s in vain: ${what}`);
}

async function startOwner(t: TestContext) {
  const child = spawn(process.execPath, ['--input-type=module-typescript', '--eval', OWNER], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  t.after(() => {
    child.kill('SIGKILL');
    return ended.then(() => removeLeftovers());
  });
  for await (const line of createInterface({ input: child.stdout, signal: AbortSignal.timeout(30_000) })) {
    const [namespace = '', pid = ''] = line.split(' ');
    return { child, ended, namespace, pid: Number(pid) };
  }
  return assert.fail('The owner ended before it had made its network');
}

describe('teardown', () => {
  it('after a normal end of the lab', async () => {
    const network = Network.create({ machines: 2, site: true });
    const inside = new Program({ name: 'sleep', argv: ['sleep', '600'], namespace: network.namespace });
    await until(() => inside.pid !== undefined && runs(inside.pid), 'the program runs');
    assert.ok(namespaces().includes(network.namespace));
    network.close();
    assert.equal((await inside.exited).signal, 'SIGKILL');
    assert.ok(!namespaces().some((name) => name.startsWith(network.namespace)));
  });

  it('after SIGTERM', async (t) => {
    const owner = await startOwner(t);
    assert.ok(namespaces().includes(owner.namespace));
    owner.child.kill('SIGTERM');
    assert.equal(await owner.ended, 128 + 15);
    assert.ok(!namespaces().some((name) => name.startsWith(owner.namespace)));
    await until(() => !runs(owner.pid), 'the program has ended');
  });

  it('after SIGKILL: programs end at once, namespaces with the next lab', async (t) => {
    const owner = await startOwner(t);
    const other = Network.create({ machines: 1, site: false });
    t.after(() => other.close());
    owner.child.kill('SIGKILL');
    await owner.ended;
    await until(() => !runs(owner.pid), 'the program has ended');
    assert.ok(namespaces().includes(`${owner.namespace}-site`), 'the killed owner left its namespaces');
    const removed = removeLeftovers();
    assert.ok(removed.includes(owner.namespace) && removed.includes(`${owner.namespace}-site`));
    assert.ok(!namespaces().some((name) => name.startsWith(owner.namespace)));
    assert.ok(namespaces().includes(other.namespace), 'a living owner keeps its own');
  });
});
