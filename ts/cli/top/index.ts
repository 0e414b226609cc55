// What programs of this machine tell of their links, and how that looks on a terminal.
export { Programs } from './programs';
export { Rates, type Row } from './rates';
export { Screen, type Terminal } from './screen';
export { linesOf, type View } from './table';
