// No import of `ts/` runs in a circle, types included. Between the rooms `eslint.rooms.mjs` sees to it, this inside of them as well.
export default {
  forbidden: [{ name: 'no-circle', severity: 'error', from: {}, to: { circular: true } }],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
  },
};
