// One copy of the classes serves `import` and `require`: `instanceof` works across both.
export * from './dist/ossa/index.js';
