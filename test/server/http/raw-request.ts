/** Sends a request as it stands, without the tidying that fetch does to paths and headers. */
import { connect } from 'node:net';

/** Everything that came back until the server closed, as latin1. Rejects after ten seconds. */
export async function rawRequest(port: number, request: string | Buffer): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1' });
  const chunks: Buffer[] = [];
  return await new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('no end of the answer')), 10_000);
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('error', () => {}); // a reset is an answer too
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(Buffer.concat(chunks).toString('latin1'));
    });
    socket.write(request);
  });
}

export const get = (path: string, headers: readonly string[] = ['Host: x']): string =>
  `GET ${path} HTTP/1.1\r\n${headers.join('\r\n')}\r\nConnection: close\r\n\r\n`;
