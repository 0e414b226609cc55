// What is between the two processes of a pair: a relay of UDP, or two network devices in namespaces of their own.
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';

const { StackProcess, rustProgram } = createRequire(import.meta.url)('../../interop/process.cjs');

const emulator = rustProgram('ossa-bench-emulator');

/** What every path has: an emulator, whose settings may change. */
class Path {
  constructor(args, settings) {
    this.settings = settings;
    this.emulator = new StackProcess('emulator', emulator, [...args, JSON.stringify(settings)]);
  }

  /** What was seen since the last call, per direction. */
  stats() {
    return this.emulator.call('stats');
  }

  prefix() {
    return [];
  }

  async description(_side, sdp) {
    return sdp;
  }

  async candidate(_side, candidate) {
    return candidate;
  }

  async stop() {
    await this.emulator.stop();
  }
}

/** A relay whose addresses replace the candidates of both sides. Its rate counts the payload of UDP. Works everywhere, for every stack. */
export class RelayPath extends Path {
  constructor(settings) {
    super(['relay'], settings);
    this.capacity = settings.mbit;
  }

  async candidate(side, candidate) {
    if (!candidate?.candidate) return candidate;
    const line = await this.#replaced(side, candidate.candidate);
    return line && { ...candidate, candidate: line };
  }

  async description(side, sdp) {
    const lines = [];
    for (const line of sdp.split('\r\n')) {
      const own = line.startsWith('a=candidate:');
      const replaced = own ? await this.#replaced(side, line.slice('a='.length)) : undefined;
      if (!own) lines.push(line);
      else if (replaced) lines.push(`a=${replaced}`);
    }
    return lines.join('\r\n');
  }

  /** The candidate at the address of the relay that stands for it; undefined if it is none of UDP over IPv4. */
  async #replaced(side, line) {
    const parts = line.split(' ');
    const [, , transport, , address, port] = parts;
    if (transport.toLowerCase() !== 'udp' || !/^[\d.]+$/.test(address)) return undefined;
    const stand = await this.emulator.call('candidate', { side, address: `${address}:${port}` });
    [parts[4], parts[5]] = stand.address.split(':');
    return parts.join(' ');
  }
}

let serial = 0;

/**
 * Two network namespaces and a device in each, between which the emulator carries IP packets: everything else is the kernel's. With
 * `tbf` rate and queue are a token bucket filter of the kernel as well, and the emulator only delays and loses. Linux, as root.
 */
export class KernelPath extends Path {
  static async open(settings, { tbf = false } = {}) {
    const name = `ossa${process.pid}x${serial++}`;
    const { mbit, queueBytes, ...rest } = settings;
    const path = new KernelPath(name, tbf ? rest : settings);
    path.capacity = mbit;
    try {
      await path.stats(); // its devices are there
      for (const side of ['a', 'b']) path.#setUp(side, tbf && { mbit, queueBytes });
    } catch (error) {
      await path.stop();
      throw error;
    }
    return path;
  }

  constructor(name, settings) {
    super(['tun', `${name}a`, `${name}b`], settings);
    this.name = name;
  }

  #setUp(side, shaper) {
    const device = `${this.name}${side}`;
    const ip = (...args) => execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });
    const inside = (...args) => ip('netns', 'exec', device, ...args);
    ip('netns', 'add', device);
    ip('link', 'set', device, 'netns', device);
    inside('sh', '-c', 'echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6');
    inside('ip', 'link', 'set', 'lo', 'up');
    inside('ip', 'addr', 'add', this.address(side), 'peer', this.address(side === 'a' ? 'b' : 'a'), 'dev', device);
    // The device's own queue is behind the shaper and must not be one.
    inside('ip', 'link', 'set', device, 'mtu', '1500', 'txqueuelen', '5000', 'up');
    if (shaper) {
      const { mbit, queueBytes } = shaper;
      const rate = ['rate', `${mbit}mbit`, 'burst', '16000', 'limit', `${queueBytes}`];
      inside('tc', 'qdisc', 'add', 'dev', device, 'root', 'tbf', ...rate);
    }
  }

  address(side) {
    return side === 'a' ? '10.83.0.1' : '10.83.0.2';
  }

  prefix(side) {
    return ['ip', 'netns', 'exec', `${this.name}${side}`];
  }

  /** Which congestion control TCP uses that begins from now on. */
  setTcp(name) {
    for (const side of ['a', 'b']) {
      const [file, ...args] = [
        ...this.prefix(side),
        'sh',
        '-c',
        `echo ${name} > /proc/sys/net/ipv4/tcp_congestion_control`,
      ];
      try {
        execFileSync(file, args, { stdio: ['ignore', 'ignore', 'pipe'] });
      } catch {
        const allow = `sysctl -w net.ipv4.tcp_allowed_congestion_control="reno cubic bbr"`;
        throw new Error(`the kernel does not have ${name} in a network namespace; if it has it outside: ${allow}`);
      }
    }
  }

  async stop() {
    await super.stop();
    for (const side of ['a', 'b']) {
      try {
        execFileSync('ip', ['netns', 'del', `${this.name}${side}`], { stdio: 'ignore' });
      } catch {
        // It was not made.
      }
    }
  }
}
