/** Everything that the other rooms may use of the BitTorrent library. */
export * from './bencode.ts';
export { type Endpoint, formatEndpoint, makeEndpoint, parseEndpoint } from './endpoint.ts';
export { type Magnet, MagnetError, parseMagnet } from './magnet.ts';
export { fetchMetadata } from './metadata-fetch.ts';
export { metainfoFromInfo, parseMetainfo } from './metainfo.ts';
export { type CreateOptions, createMetainfo } from './metainfo-create.ts';
export {
  fileIndexAt,
  type Metainfo,
  MetainfoError,
  type MetainfoErrorCode,
  type MetainfoFile,
  pieceLengthOf,
} from './metainfo-model.ts';
export { type OuterKeys, withOuterKeys } from './metainfo-outer.ts';
export { type CheckOptions, checkPiece } from './piece-check.ts';
export { pieceLengthFor } from './piece-length.ts';
export { openSegmentStore, type Segment, type Store, StoreError, type StoreErrorCode } from './store.ts';
export { directorySegments } from './store-directory.ts';
export { Swarm, type SwarmOptions, type SwarmTuning } from './swarm.ts';
export { startTracker, type Tracker, type TrackerOptions } from './tracker.ts';
export { createWebseed, type Webseed, WebseedError, type WebseedOptions } from './webseed.ts';
