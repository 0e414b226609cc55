// The packed tarballs, installed into an empty project, as somebody has them who runs `npm install ossa-webrtc`.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export const root = join(__dirname, '..', '..');

export class Project {
  readonly folder = mkdtempSync(join(tmpdir(), 'ossa-webrtc-install-'));
  readonly tarballs: string[];

  constructor(env: Record<string, string> = {}) {
    const pack = [join(root, 'scripts/pack.mjs'), join(this.folder, 'packs')];
    const options = { encoding: 'utf8', env: { ...process.env, ...env } } as const;
    this.tarballs = execFileSync(process.execPath, pack, options).trim().split('\n');
    this.write('package.json', '{ "name": "empty", "private": true }');
    execFileSync('npm', ['install', '--no-audit', '--no-fund', ...this.tarballs], { cwd: this.folder, stdio: 'pipe' });
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  path(...parts: string[]): string {
    return join(this.folder, ...parts);
  }

  write(file: string, text: string): string {
    mkdirSync(dirname(this.path(file)), { recursive: true });
    writeFileSync(this.path(file), text);
    return this.path(file);
  }

  /** Lets the project use what this repository has installed. */
  link(name: string): void {
    mkdirSync(dirname(this.path('node_modules', name)), { recursive: true });
    symlinkSync(join(root, 'node_modules', name), this.path('node_modules', name), 'junction');
  }

  /** Runs Node in the project and gives back what it prints. */
  node(...args: string[]): string {
    return execFileSync(process.execPath, args, { cwd: this.folder, encoding: 'utf8' }).trim();
  }

  /** Runs Node in the project, whatever comes of it. */
  try(args: string[], env: Record<string, string> = {}) {
    return spawnSync(process.execPath, args, {
      cwd: this.folder,
      encoding: 'utf8',
      env: { ...process.env, ...env },
    });
  }

  /** A program that this repository has installed; its script in `node_modules`. */
  tool(script: string, ...args: string[]) {
    return this.try([join(root, 'node_modules', script), ...args]);
  }
}
