export { version } from './native/loader';
export * from './w3c';
export * from './agent';
