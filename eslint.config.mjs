import js from '@eslint/js';
import tseslint from 'typescript-eslint';

import rooms from './eslint.rooms.mjs';

export default tseslint.config(
  {
    ignores: ['dist', '**/target', 'node_modules', 'npm', '*.d.ts', 'ts/native/binding.d.ts', 'bench/results'],
  },
  js.configs.recommended,
  {
    files: ['**/*.ts', '**/*.mts'],
    extends: [...tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
  },
  {
    files: ['**/*.js', '**/*.mjs', '**/*.cjs'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        Buffer: 'readonly',
        URL: 'readonly',
        globalThis: 'readonly',
        setTimeout: 'readonly',
        clearTimeout: 'readonly',
        setInterval: 'readonly',
        clearInterval: 'readonly',
        setImmediate: 'readonly',
        performance: 'readonly',
        queueMicrotask: 'readonly',
        require: 'readonly',
        module: 'writable',
        __dirname: 'readonly',
        AbortController: 'readonly',
        AbortSignal: 'readonly',
        TextEncoder: 'readonly',
        TextDecoder: 'readonly',
        Blob: 'readonly',
        fetch: 'readonly',
        structuredClone: 'readonly',
        Event: 'readonly',
        EventTarget: 'readonly',
        ReadableStream: 'readonly',
        WritableStream: 'readonly',
        TransformStream: 'readonly',
      },
    },
  },
  {
    // Scripts of a page.
    files: ['crates/signaling/src/server/status/*.js'],
    languageOptions: { globals: { document: 'readonly', TextDecoderStream: 'readonly' } },
  },
  {
    files: ['**/*.ts', '**/*.mts'],
    rules: {
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
    },
  },
  rooms,
);
