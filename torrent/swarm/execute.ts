/** Carries out what the download policy decides: each of its commands, at the connection or buffer that it names. */
import type { DownloadCommand } from '../policy/download-events.ts';
import type { Landing } from './landing.ts';
import type { Room } from './room.ts';

export interface Hands {
  readonly room: Room;
  readonly landing: Landing;
  /** Checks a piece whose blocks are all here, and stores it. */
  readonly verify: (piece: number) => void;
}

/** A command for a peer that is gone meanwhile does nothing. */
export function execute(command: DownloadCommand, { room, landing, verify }: Hands): void {
  if (command.do === 'verify') {
    verify(command.piece);
    return;
  }
  if (command.do === 'release') {
    landing.release(command.piece);
    return;
  }
  const { peer: key } = command;
  const peer = room.peers.get(key);
  switch (command.do) {
    case 'drop':
      if (command.ban) room.ban(key, command.reason);
      peer?.close(command.reason);
      break;
    case 'request':
      peer?.wire.request(command.piece, command.begin, command.length);
      break;
    case 'cancel':
      peer?.wire.cancel(command.piece, command.begin, command.length);
      break;
    case 'interest':
      if (command.interested) peer?.wire.interested();
      else peer?.wire.uninterested();
  }
}
