// bittorrent-tracker imports webrtc-polyfill for WebSocket trackers, which swarmboot does not use.
// The real package needs an install script that downloads a native library.
export const RTCPeerConnection = undefined;
export const RTCSessionDescription = undefined;
export const RTCIceCandidate = undefined;
