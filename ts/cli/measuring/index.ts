// What commands measure of a link: its path, round trips, throughput. How that is shown is theirs.
export { listen, measure, type Figures, type Plan } from './bench';
export { pathOf, pathText } from './path';
export { summary } from './statistics';
