import { nativeInterface } from './scripts/native-interface.mjs';

export default {
  testEnvironment: 'node',
  moduleFileExtensions: ['js', 'mjs', 'cjs', 'json', 'ts', 'mts', 'node'],
  roots: ['<rootDir>/__tests__'],
  testMatch: ['**/*.test.ts'],
  transform: {
    '^.+\\.m?ts$': ['@swc/jest', { jsc: { target: 'es2022', parser: { syntax: 'typescript' } } }],
    // Jest cannot load it as it is, an ES module that CommonJS requires; Node can.
    '/node_modules/jose/.+\\.js$': ['@swc/jest', { jsc: { target: 'es2022' } }],
  },
  // What the bundler puts in, for tests of modules of ts/ by themselves.
  globals: { NATIVE_INTERFACE: nativeInterface() },
  transformIgnorePatterns: ['/node_modules/(?!jose/)'],
  moduleNameMapper: {
    '^ossa-webrtc$': '<rootDir>/index.js',
    '^ossa-webrtc/polyfill$': '<rootDir>/dist/polyfill.js',
    '^ossa-webrtc/a2a$': '<rootDir>/dist/a2a/index.js',
    '^ossa-webrtc/mcp$': '<rootDir>/dist/mcp/index.js',
    '^ossa-webrtc/tracing$': '<rootDir>/dist/tracing/index.js',
    '^ossa-webrtc/ossa$': '<rootDir>/dist/ossa/index.js',
  },
  modulePathIgnorePatterns: ['<rootDir>/target', '<rootDir>/dist', '<rootDir>/interop/ecosystem', '<rootDir>/npm'],
  // Many tests wait, for other processes or for stacks that take their time: two of them are not too many for two processors.
  maxWorkers: '100%',
  // Nothing is measured by it: it ends what hangs, and a busy machine is several times slower than an idle one.
  testTimeout: 60_000,
};
