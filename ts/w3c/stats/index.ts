// Reports of statistics, and the parts of one that are about a single sender or receiver. What is counted, the core decides.
export { createStatsReport, RTCStatsReport, type RTCStats } from './stats-report';
export { selectStats } from './selection';
