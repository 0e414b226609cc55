// A real browser behind the same calls as the other stacks: the driver runs in a page that a local server serves.
import { existsSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import puppeteer, { type Browser, type LaunchOptions, type Page } from 'puppeteer-core';

import { createW3cDriver } from '../../interop/w3c-driver.cjs';
import type { Driver } from './link';

interface Flavour {
  readonly executables: string[];
  readonly install: string;
  readonly launch: LaunchOptions;
}

const flavours: Record<'chromium' | 'firefox', Flavour> = {
  chromium: {
    executables: ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'],
    install: 'apt-get install chromium, or set CHROMIUM_PATH',
    launch: {
      browser: 'chrome',
      // The sandbox needs privileges that containers lack; addresses behind mDNS names would need a resolver in every foreign stack;
      // `turns:` servers have certificates of their own making.
      args: [
        '--no-sandbox',
        '--ignore-certificate-errors',
        '--disable-features=WebRtcHideLocalIpsWithMdns',
        '--allow-loopback-in-peer-connection',
        '--use-fake-device-for-media-stream',
        '--use-fake-ui-for-media-stream',
        '--autoplay-policy=no-user-gesture-required',
      ],
    },
  },
  firefox: {
    executables: ['/usr/bin/firefox-esr', '/usr/bin/firefox'],
    install: 'apt-get install firefox-esr, or set FIREFOX_PATH',
    launch: {
      browser: 'firefox',
      protocol: 'webDriverBiDi',
      // For `turns:` servers with a certificate of their own making.
      acceptInsecureCerts: true,
      extraPrefsFirefox: {
        'media.peerconnection.ice.obfuscate_host_addresses': false,
        'media.peerconnection.ice.loopback': true,
        'media.navigator.streams.fake': true,
        'media.navigator.permission.disabled': true,
        'media.autoplay.default': 0,
        // Without a sound card its AudioContext would never run.
        'media.cubeb.force_mock_context': true,
      },
    },
  },
};

/** The driver's calls, installed as a global of the page. */
const page = `<!doctype html><meta charset="utf-8"><title>interop</title><script>
globalThis.driver = (${createW3cDriver.toString()})({ RTCPeerConnection });
</script>`;

class BrowserDriver implements Driver {
  constructor(
    readonly label: string,
    private readonly browser: Browser,
    readonly tab: Page,
    private readonly server: Server,
  ) {}

  call<T>(method: string, params: object = {}): Promise<T> {
    // As text, so that no compiler's helper functions are needed in the page.
    return this.tab.evaluate(`driver[${JSON.stringify(method)}](${JSON.stringify(params)})`) as Promise<T>;
  }

  version(): Promise<string> {
    return this.browser.version();
  }

  /** The same page once more, in a tab of its own; it ends with the browser. */
  async another(): Promise<BrowserDriver> {
    const tab = await this.browser.newPage();
    await tab.goto(this.tab.url());
    return new BrowserDriver(this.label, this.browser, tab, this.server);
  }

  async stop(): Promise<void> {
    await this.browser.close();
    await new Promise((closed) => this.server.close(closed));
  }
}

/** What Chromium can do of what saves round trips: SCTP's INIT in the descriptions, and DTLS in the connectivity checks. */
export const chromiumExperiments = [
  '--enable-features=WebRtcSctpSnap',
  '--force-fieldtrials=WebRTC-IceHandshakeDtls/Enabled/',
];

/** Starts a headless browser with a page that has a global `driver`; fails with the way to install it when there is none. */
export async function startBrowser(
  name: 'chromium' | 'firefox',
  content = page,
  args: string[] = [],
): Promise<BrowserDriver> {
  const { executables, install, launch } = flavours[name];
  const chosen = process.env[`${name.toUpperCase()}_PATH`];
  const executablePath = (chosen ? [chosen] : executables).find((path) => existsSync(path));
  if (!executablePath) throw new Error(`no ${name} found at ${executables.join(', ')}: ${install}`);

  const server = createServer((_, response) => response.setHeader('content-type', 'text/html').end(content));
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const browser = await puppeteer.launch({
    ...launch,
    args: [...(launch.args ?? []), ...args],
    executablePath,
    headless: true,
  });
  const tab = await browser.newPage();
  await tab.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  return new BrowserDriver(name, browser, tab, server);
}
