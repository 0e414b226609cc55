export { version } from './native/loader';
