// One copy of the classes serves `import` and `require`: `instanceof` works across both.
export * from './index.ts';
export { wrtc as default } from './index.ts';
