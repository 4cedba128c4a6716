/** Makes the smallest ELF files that have what initramfs/elf.ts reads. */
export interface ElfParts {
  readonly needed?: readonly string[];
  readonly interpreter?: string;
  readonly modinfo?: readonly string[];
}

interface Section {
  readonly name: string;
  readonly type: number;
  readonly link: number;
  readonly bytes: Buffer;
}

function word(...values: (number | bigint)[]): Buffer {
  const bytes = Buffer.alloc(values.length * 8);
  for (const [index, value] of values.entries()) bytes.writeBigUInt64LE(BigInt(value), index * 8);
  return bytes;
}

export function makeElf({ needed = [], interpreter, modinfo }: ElfParts): Buffer {
  const strings = Buffer.from(`\0${needed.map((name) => `${name}\0`).join('')}`);
  const dynamic = Buffer.concat([
    ...needed.map((name) => word(1, strings.indexOf(`\0${name}\0`) + 1)),
    word(0, 0),
  ]);
  const sections: Section[] = [
    { name: '', type: 0, link: 0, bytes: Buffer.alloc(0) },
    { name: '.dynstr', type: 3, link: 0, bytes: strings },
    { name: '.dynamic', type: 6, link: 1, bytes: dynamic },
    ...(modinfo
      ? [{ name: '.modinfo', type: 1, link: 0, bytes: Buffer.from(`${modinfo.join('\0')}\0`) }]
      : []),
  ];
  const names = Buffer.from(`${sections.map(({ name }) => name).join('\0')}\0.shstrtab\0`);
  sections.push({ name: '.shstrtab', type: 3, link: 0, bytes: names });

  const interpreterBytes = interpreter === undefined ? Buffer.alloc(0) : Buffer.from(`${interpreter}\0`);
  const programHeaders = interpreter === undefined ? 0 : 1;
  const dataStart = 64 + 56 * programHeaders;
  let at = dataStart + interpreterBytes.length;
  const headers = sections.map(({ name, type, link, bytes }, index) => {
    const header = Buffer.alloc(64);
    header.writeUInt32LE(index === 0 ? 0 : names.indexOf(`${name}\0`), 0);
    header.writeUInt32LE(type, 4);
    header.writeBigUInt64LE(BigInt(at), 24);
    header.writeBigUInt64LE(BigInt(bytes.length), 32);
    header.writeUInt32LE(link, 40);
    at += bytes.length;
    return header;
  });

  const elf = Buffer.alloc(64);
  Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]).copy(elf);
  elf.writeBigUInt64LE(64n, 32); // program headers
  elf.writeBigUInt64LE(BigInt(at), 40); // section headers
  elf.writeUInt16LE(56, 54);
  elf.writeUInt16LE(programHeaders, 56);
  elf.writeUInt16LE(64, 58);
  elf.writeUInt16LE(sections.length, 60);
  elf.writeUInt16LE(sections.length - 1, 62);
  const program = Buffer.alloc(56 * programHeaders);
  if (interpreter !== undefined) {
    program.writeUInt32LE(3, 0);
    program.writeBigUInt64LE(BigInt(dataStart), 8);
    program.writeBigUInt64LE(BigInt(interpreterBytes.length), 32);
  }
  return Buffer.concat([elf, program, interpreterBytes, ...sections.map(({ bytes }) => bytes), ...headers]);
}
