/**
 * The tracker of the swarms whose server brings none.
 *
 * Usage: node tracker-process.ts ADDRESS PORT
 */
import { obey, say } from '../peers/commands.ts';
import { startTracker } from '../tracker.ts';

const [address = '127.0.0.1', port] = process.argv.slice(2);
const { url } = await startTracker(address, Number(port));
say({ event: 'ready', url });
obey(async () => {});
