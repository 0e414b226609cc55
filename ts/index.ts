export { version } from './native';
export * from './w3c';
export * from './agent';
