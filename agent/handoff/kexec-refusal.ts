/**
 * Why `kexec -s -l` did not load a kernel, out of what it printed: another kernel is needed, or another strategy may do.
 *
 * kexec_file_load(2) and the kernel's kimage_validate_signature(): EKEYREJECTED for a kernel that was changed after it
 * was signed, ENOKEY for a key that neither firmware nor shim knows, ENODATA or (under lockdown) EPERM for no signature
 * at all. kexec-tools prints strerror(3)'s text.
 */
import type { Arch } from '../../contract/manifest.ts';
import { BootError } from '../boot-error.ts';

const SIGNATURE = [
  ['Key was rejected by service', 'its signature does not fit its bytes'],
  ['Required key not available', 'it is signed with a key that this machine does not know'],
  ['No data available', 'it has no signature'],
  ['Operation not permitted', 'the kernel of stage-1 is locked down, and it has no signature that counts'],
] as const;

/**
 * `output` is what kexec printed, `release` and `strategy` are for the sentence, `arch` is the machine's: Debian's ARM64
 * kernel has only the call that IMA's policy of Secure Boot (EACCES) and lockdown (EPERM) forbid, whatever the other
 * kernel's signature.
 */
export function kexecRefusal(output: string, release: string, strategy: string, arch: Arch): BootError {
  const forbidden = ['Permission denied', 'Operation not permitted'].find((text) => output.includes(text));
  if (arch === 'arm64' && forbidden !== undefined) {
    return new BootError(
      'kernel-untrusted',
      `The kernel of "${release}" cannot be started: Debian's ARM64 kernel, which stage-1 runs, is locked down and then ` +
        `starts no other kernel (kexec: ${forbidden})`,
      { hint: 'Switch Secure Boot off on this machine (docs/secure-boot.md)', retriable: 'no' },
    );
  }
  const untrusted = SIGNATURE.find(([text]) => output.includes(text));
  if (untrusted) {
    const [said, meaning] = untrusted;
    return new BootError(
      'kernel-untrusted',
      `The kernel of "${release}" is refused (kexec: ${said}): ${meaning}`,
      {
        hint:
          "Publish the image with Debian's own signed kernel, unchanged; or enroll the key of yours on this machine " +
          '(docs/secure-boot.md); or switch Secure Boot off',
        retriable: 'no',
      },
    );
  }
  return new BootError(
    'kexec-refused',
    `kexec cannot load the kernel of "${release}" (${strategy}): ${output}`,
    {
      hint: 'The RAM may be too small for this image',
      retriable: 'no',
    },
  );
}
