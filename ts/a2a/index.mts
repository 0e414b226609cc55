// One copy of the classes serves `import` and `require`, as in ts/index.mts.
export * from './index.ts';
