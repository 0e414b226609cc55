export * from '../../../dist/index.mjs';
