/** Colours that people with any kind of colour vision can tell apart (Okabe and Ito, 2008). */
export const ENGINE_COLOURS: Readonly<Record<string, string>> = {
  ours: '#d55e00',
  libtorrent: '#0072b2',
  'libtorrent-super': '#56b4e9',
  aria2: '#009e73',
  transmission: '#b58900',
  udpcast: '#cc79a7',
  http: '#777777',
};

/** Simulated lines are ours, one for each size of image; those of engines that nobody simulates serve for more. */
export const SIMULATED_COLOURS: readonly string[] = ['#d55e00', '#cc79a7', '#b58900'];

export const BOUND_COLOUR = '#bbbbbb';
export const SERVER_COLOUR = '#222222';

/** Hues around the circle, neighbours far apart, for any number of machines. */
export const machineColour = (index: number): string => `hsl(${Math.round((index * 137.5) % 360)} 62% 52%)`;
