// What all protocols over links have in common that act for whoever asks: who may. How it is asked is theirs.
export { Doorkeeper } from './doorkeeper';
