// The two ends of a call: a page of Chromium, or this process. Who sends offers.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';

import puppeteer from 'puppeteer-core';

import { Encoder } from './encoder.mjs';

const { EncodedSource, RTCPeerConnection, RTCRtpReceiver } = createRequire(import.meta.url)('../..');

/** What Chromium's encoder makes at most of pictures of 640 x 480. */
const MOST = 1_700_000;
/** Chromium's page has one codec, and so has this side. */
const codecs = () => RTCRtpReceiver.getCapabilities('video').codecs.filter(({ mimeType }) => /VP8|rtx/.test(mimeType));

class ChromiumEnd {
  static async open() {
    const page = readFileSync(new URL('page.html', import.meta.url));
    const server = createServer((_, response) => response.setHeader('content-type', 'text/html').end(page));
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    const browser = await puppeteer.launch({
      executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
      headless: true,
      args: [
        '--no-sandbox',
        '--disable-features=WebRtcHideLocalIpsWithMdns',
        '--allow-loopback-in-peer-connection',
        '--autoplay-policy=no-user-gesture-required',
      ],
    });
    const tab = await browser.newPage();
    await tab.goto(`http://127.0.0.1:${server.address().port}/`);
    return new ChromiumEnd(browser, tab, server);
  }

  constructor(browser, tab, server) {
    Object.assign(this, { browser, tab, server });
  }

  offer() {
    return this.tab.evaluate('offer()');
  }

  answer(sdp) {
    return this.tab.evaluate(`answer(${JSON.stringify(sdp)})`);
  }

  accept(sdp) {
    return this.tab.evaluate(`accept(${JSON.stringify(sdp)})`);
  }

  stats() {
    return this.tab.evaluate('stats()');
  }

  async stop() {
    await this.browser.close();
    this.server.close();
  }
}

class OssaEnd {
  static async open() {
    return new OssaEnd();
  }

  #pc = new RTCPeerConnection();
  #encoder;

  async #described() {
    await this.#pc.setLocalDescription();
    while (this.#pc.iceGatheringState !== 'complete') {
      await new Promise((resolve) => this.#pc.addEventListener('icegatheringstatechange', resolve, { once: true }));
    }
    return this.#pc.localDescription.sdp;
  }

  offer() {
    const source = new EncodedSource({ mimeType: 'video/VP8' });
    const sendEncodings = [{ maxBitrate: MOST }];
    this.#pc.addTransceiver(source.track, { direction: 'sendonly', sendEncodings }).setCodecPreferences(codecs());
    this.#encoder = new Encoder(source);
    this.#pc.addEventListener('connectionstatechange', () => {
      if (this.#pc.connectionState === 'connected') this.#encoder.start();
    });
    return this.#described();
  }

  async answer(sdp) {
    await this.#pc.setRemoteDescription({ type: 'offer', sdp });
    return this.#described();
  }

  accept(sdp) {
    return this.#pc.setRemoteDescription({ type: 'answer', sdp });
  }

  async stats() {
    return [...(await this.#pc.getStats()).values()];
  }

  async stop() {
    this.#encoder?.stop();
    this.#pc.close();
  }
}

export const ENDS = { chromium: ChromiumEnd, ossa: OssaEnd };
