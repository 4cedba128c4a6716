/**
 * Bundles the boot server's command for the Debian package: a handful of JavaScript files and what they read beside them,
 * to run on the pinned Node without node_modules.
 *
 * Invariant: the same sources and packages give the same bytes, wherever the checkout is.
 * ESM, since packages below use top-level await; commands that are not called are not loaded (code splitting), as in
 * the checkout.
 *
 * Usage: node scripts/build-server.ts [--out DIR]    (default dist/server; DIR is made anew)
 */
import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type BuildOptions, build } from 'esbuild';

const root = join(import.meta.dirname, '..');

/** CommonJS packages in the bundle call `require` for Node's own modules; ESM has none. */
const REQUIRE =
  'import{createRequire as swarmbootRequire}from"node:module";const require=swarmbootRequire(import.meta.url);';

/** Folders whose files the server reads at run time: in the checkout -> beside the bundle, as `import.meta.dirname` has it. */
const READ_AT_RUN_TIME = {
  'server/image/initramfs': 'initramfs',
  'server/image/seed': 'seed',
} as const;

/** How esbuild makes the bundle. */
export const serverBundle = () =>
  ({
    entryPoints: ['server/cli/main.ts'],
    absWorkingDir: root,
    outdir: 'dist/server',
    bundle: true,
    splitting: true,
    platform: 'node',
    target: 'node26',
    format: 'esm',
    banner: { js: REQUIRE },
    // Names of classes and functions are in logs and stack traces: identifiers are not minified, which keeps them.
    // React's own; and what ink asks for only where somebody debugs it.
    define: { 'process.env.NODE_ENV': '"production"' },
    external: ['react-devtools-core'],
    minifySyntax: true,
    minifyWhitespace: true,
    write: false,
    metafile: true,
    legalComments: 'none',
    logLevel: 'warning',
  }) as const satisfies BuildOptions;

/** Writes the bundle into `folder`, which is made anew. Throws what esbuild found wrong. */
export async function buildServer(folder: string): Promise<void> {
  const { outputFiles } = await build(serverBundle());
  await rm(folder, { recursive: true, force: true });
  for (const { path, contents } of outputFiles) {
    const target = join(folder, relative(join(root, 'dist/server'), path));
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, contents);
  }
  // Without it Node reads each .js file twice to find out that it is ESM.
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }\n');
  for (const [from, to] of Object.entries(READ_AT_RUN_TIME))
    await cp(join(root, from), join(folder, to), { recursive: true });
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { out: { type: 'string', default: join(root, 'dist/server') } } });
  await buildServer(resolve(values.out));
}
