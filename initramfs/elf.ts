/**
 * Reads the few facts of 64-bit little-endian ELF files that stage-1 needs: which libraries a program names, which
 * dynamic linker, and what a kernel module says about itself (elf(5)).
 */

/** Section types and dynamic tags, elf(5). */
const SHT_STRTAB = 3;
const SHT_DYNAMIC = 6;
const SHT_NOBITS = 8;
const PT_INTERP = 3;
const DT_NEEDED = 1n;

export class ElfError extends Error {
  override readonly name = 'ElfError';
}

interface Section {
  readonly name: string;
  readonly type: number;
  /** Section that this one refers to: the string table of a dynamic section. */
  readonly link: number;
  readonly bytes: Buffer;
}

export interface ElfFacts {
  /** DT_NEEDED names, such as "libc.so.6", in the order of the file. */
  readonly needed: readonly string[];
  /** Path of the dynamic linker, or undefined for libraries, modules and static programs. */
  readonly interpreter: string | undefined;
}

/** Whether the bytes begin like an ELF file. */
export const isElf = (bytes: Uint8Array): boolean =>
  bytes.length >= 64 && bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46;

function headerOf(bytes: Uint8Array): Buffer {
  const elf = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (!isElf(elf)) throw new ElfError('Cannot read an ELF file: it does not begin with the ELF magic');
  if (elf[4] !== 2 || elf[5] !== 1)
    throw new ElfError('Cannot read an ELF file: it is not 64-bit little-endian');
  return elf;
}

function slice(elf: Buffer, offset: bigint, length: bigint): Buffer {
  const start = Number(offset);
  const end = start + Number(length);
  if (!Number.isSafeInteger(end) || end > elf.length)
    throw new ElfError(`Cannot read an ELF file: a part ends at ${end}, behind its ${elf.length} bytes`);
  return elf.subarray(start, end);
}

function stringAt(table: Buffer, offset: number): string {
  const end = table.indexOf(0, offset);
  if (offset >= table.length || end < 0)
    throw new ElfError(`Cannot read an ELF file: no string at ${offset} of its table`);
  return table.toString('latin1', offset, end);
}

function sectionsOf(elf: Buffer): Section[] {
  const count = elf.readUInt16LE(60);
  const size = elf.readUInt16LE(58);
  const table = slice(elf, elf.readBigUInt64LE(40), BigInt(count * size));
  if (count > 0 && size < 64)
    throw new ElfError('Cannot read an ELF file: its section headers are too short');
  const raw = Array.from({ length: count }, (_, index) => {
    const header = table.subarray(index * size, (index + 1) * size);
    const type = header.readUInt32LE(4);
    return {
      nameOffset: header.readUInt32LE(0),
      type,
      link: header.readUInt32LE(40),
      bytes:
        type === SHT_NOBITS
          ? Buffer.alloc(0)
          : slice(elf, header.readBigUInt64LE(24), header.readBigUInt64LE(32)),
    };
  });
  const names = raw[elf.readUInt16LE(62)];
  return raw.map(({ nameOffset, ...section }) => ({
    ...section,
    name: names?.type === SHT_STRTAB ? stringAt(names.bytes, nameOffset) : '',
  }));
}

function neededOf(sections: readonly Section[]): string[] {
  const dynamic = sections.find(({ type }) => type === SHT_DYNAMIC);
  if (!dynamic) return [];
  const strings = sections[dynamic.link];
  if (!strings) throw new ElfError('Cannot read an ELF file: its dynamic section has no string table');
  const names: string[] = [];
  for (let at = 0; at + 16 <= dynamic.bytes.length; at += 16) {
    if (dynamic.bytes.readBigInt64LE(at) === DT_NEEDED)
      names.push(stringAt(strings.bytes, Number(dynamic.bytes.readBigUInt64LE(at + 8))));
  }
  return names;
}

function interpreterOf(elf: Buffer): string | undefined {
  const count = elf.readUInt16LE(56);
  const size = elf.readUInt16LE(54);
  if (count === 0) return undefined;
  if (size < 56) throw new ElfError('Cannot read an ELF file: its program headers are too short');
  const table = slice(elf, elf.readBigUInt64LE(32), BigInt(count * size));
  for (let at = 0; at < table.length; at += size) {
    if (table.readUInt32LE(at) !== PT_INTERP) continue;
    return stringAt(slice(elf, table.readBigUInt64LE(at + 8), table.readBigUInt64LE(at + 32)), 0);
  }
  return undefined;
}

/** What the dynamic linker will look for. Throws ElfError for bytes that are no 64-bit little-endian ELF. */
export function readElf(bytes: Uint8Array): ElfFacts {
  const elf = headerOf(bytes);
  return { needed: neededOf(sectionsOf(elf)), interpreter: interpreterOf(elf) };
}

/** The `name=value` pairs of a kernel module's .modinfo section, in order; a name may come more than once. */
export function readModinfo(bytes: Uint8Array): [name: string, value: string][] {
  const section = sectionsOf(headerOf(bytes)).find(({ name }) => name === '.modinfo');
  if (!section) throw new ElfError('Cannot read a kernel module: it has no .modinfo section');
  return section.bytes
    .toString('latin1')
    .split('\0')
    .filter((pair) => pair.includes('='))
    .map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]);
}
