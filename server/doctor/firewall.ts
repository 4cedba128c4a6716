/**
 * Whether nftables lets a new connection in, from `nft -j list ruleset` (libnftables-json(5)). Pure.
 *
 * Rules are walked as the kernel does for the first packet to a port. A condition that is not understood counts as not
 * met: rules for established connections, other interfaces or certain addresses do not decide about strangers.
 */
import type { Protocol } from './socket-owners.ts';

type Json = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null;
const child = (value: unknown, key: string): unknown => (isObject(value) ? value[key] : undefined);

export interface Port {
  readonly protocol: Protocol;
  readonly port: number;
}

interface Chain {
  readonly id: string;
  readonly hook: string | undefined;
  readonly priority: number;
  readonly policy: string;
  readonly rules: Json[][];
}

const idOf = (of: unknown, chain: unknown): string => `${child(of, 'family')} ${child(of, 'table')} ${chain}`;

function chainsOf(ruleset: unknown): Map<string, Chain> {
  const chains = new Map<string, Chain>();
  const items = child(ruleset, 'nftables');
  for (const item of Array.isArray(items) ? items : []) {
    const chain = child(item, 'chain');
    if (isObject(chain)) {
      const id = idOf(chain, chain.name);
      const hook = typeof chain.hook === 'string' ? chain.hook : undefined;
      chains.set(id, {
        id,
        hook,
        priority: Number(chain.prio ?? 0),
        policy: String(chain.policy ?? 'accept'),
        rules: [],
      });
    }
    const rule = child(item, 'rule');
    if (isObject(rule) && Array.isArray(rule.expr))
      chains.get(idOf(rule, rule.chain))?.rules.push(rule.expr as Json[]);
  }
  return chains;
}

function includes(right: unknown, value: string | number): boolean {
  if (right === value) return true;
  const range = child(right, 'range');
  if (Array.isArray(range) && typeof value === 'number')
    return Number(range[0]) <= value && value <= Number(range[1]);
  const set = child(right, 'set');
  return Array.isArray(set) && set.some((element) => includes(element, value));
}

/** What of the packet the left side of a condition names; undefined if that is not known here. */
function partOf(
  left: unknown,
  { protocol, port }: Port,
  iface: string | undefined,
): string | number | undefined {
  const payload = child(left, 'payload');
  if (child(payload, 'field') === 'dport') {
    const of = child(payload, 'protocol');
    return of === protocol || of === 'th' ? port : -1;
  }
  const key = child(child(left, 'meta'), 'key');
  if (key === 'l4proto') return protocol;
  if (key === 'iifname' || key === 'iif') return iface;
  if (child(child(left, 'ct'), 'key') === 'state') return 'new';
  return undefined;
}

function isMet(match: unknown, port: Port, iface: string | undefined): boolean {
  const value = partOf(child(match, 'left'), port, iface);
  if (value === undefined) return false;
  const right = child(match, 'right');
  const found = Array.isArray(right) ? right.some((one) => includes(one, value)) : includes(right, value);
  return child(match, 'op') === '!=' ? !found && value !== -1 : found;
}

type Verdict = 'accept' | 'drop' | undefined;

function walk(
  chain: Chain,
  chains: Map<string, Chain>,
  port: Port,
  iface: string | undefined,
  depth: number,
): Verdict {
  const place = chain.id.split(' ').slice(0, -1).join(' ');
  for (const rule of chain.rules) {
    for (const expression of rule) {
      const match = expression.match;
      if (match !== undefined && !isMet(match, port, iface)) break;
      if ('xt' in expression) break; // of iptables, not spelled out
      if ('accept' in expression) return 'accept';
      if ('drop' in expression || 'reject' in expression) return 'drop';
      if ('return' in expression) return undefined;
      const target = child(expression.jump ?? expression.goto, 'target');
      const next = target === undefined ? undefined : chains.get(`${place} ${target}`);
      const verdict = next && depth < 16 ? walk(next, chains, port, iface, depth + 1) : undefined;
      if (verdict !== undefined) return verdict;
    }
  }
  return undefined;
}

/** The chain (`inet filter input`) that drops a new packet to the port, or undefined. `iface` is where it comes in. */
export function droppedBy(ruleset: unknown, port: Port, iface: string | undefined): string | undefined {
  const chains = chainsOf(ruleset);
  const input = [...chains.values()]
    .filter(({ hook }) => hook === 'input')
    .sort((a, b) => a.priority - b.priority);
  for (const chain of input) {
    if ((walk(chain, chains, port, iface, 0) ?? chain.policy) === 'drop') return chain.id;
  }
  return undefined;
}
