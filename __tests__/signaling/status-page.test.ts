// The status page in a real browser.
import { existsSync } from 'node:fs';

import puppeteer, { type Browser, type Page } from 'puppeteer-core';

import { createPeer, createSignalingServer, RTCPeerConnection } from '../../index.js';
import { httpOf, offer, Plain } from './clients';
import { iceServer, serve } from './relay-setup';

const paths = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const executablePath = process.env.CHROMIUM_PATH || paths.find((path) => existsSync(path));
const present = executablePath !== undefined || process.env.CI === 'true';

let browser: Browser;
beforeAll(async () => {
  if (!present) return;
  if (!executablePath) throw new Error(`no chromium found at ${paths.join(', ')}: apt-get install chromium`);
  browser = await puppeteer.launch({ executablePath, headless: true, args: ['--no-sandbox'] });
});
afterAll(async () => await browser?.close());

const inBrowser = present ? test : test.skip;

/** The page of `server`, and what it has complained of. */
async function open(server: { url: string }): Promise<{ page: Page; complaints: string[] }> {
  const page = await browser.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(String(error)));
  await page.goto(`${httpOf(server.url)}/status`);
  return { page, complaints };
}

const fact = (name: string) => `document.querySelector('[data-fact="${name}"]')?.textContent`;
const textOf = (id: string) => `document.getElementById('${id}').innerText`;

inBrowser('the page shows agents, rooms and rates, and what strangers name themselves is only text', async () => {
  await using server = await createSignalingServer();
  const agents = await Promise.all(['a', 'b'].map((name) => Plain.registered(server.url, `agent://${name}`)));
  const [a, b] = agents as [Plain, Plain];
  const room = '<img src=x onerror=document.title=1>';
  await a.ask({ type: 'join', agentId: 'agent://a', room });
  const { page, complaints } = await open(server);
  await page.waitForFunction(`${fact('agents')} === '2'`);
  expect(await page.evaluate(textOf('agents'))).toBe(`agent://a\nin ${room}\nagent://b`);
  expect(await page.evaluate(textOf('rooms'))).toBe(`${room}\n1 agent`);
  expect(await page.evaluate(textOf('state'))).toMatch(/^Ready\. Version \d/);
  a.send(offer('agent://a', 'agent://b'));
  await b.next();
  await page.waitForFunction(`Number(${fact('messages-rate')}) > 0`);
  // What there is of the last hour is drawn: a curve that is not flat.
  const drawn = `document.querySelector('[data-fact="messages-rate"]').parentElement.querySelector('.curve').getAttribute('d')`;
  const heights = ((await page.evaluate(drawn)) as string).match(/(?<=,)[\d.]+/g);
  expect(new Set(heights).size).toBeGreaterThan(1);
  expect(await page.title()).toBe('Signaling server');
  expect(complaints).toEqual([]);
  for (const agent of agents) agent.socket.close();
});

inBrowser('whoever sets up a connection while somebody looks is drawn as connected', async () => {
  await using server = await createSignalingServer();
  const { page } = await open(server);
  const lines = `document.querySelectorAll('#picture .link').length`;
  await page.waitForFunction(`${fact('agents')} === '0'`);
  await using a = createPeer({ agentId: 'agent://a', signaling: server.url });
  await using b = createPeer({ agentId: 'agent://b', signaling: server.url });
  await b.ready;
  await a.connect('agent://b');
  await page.waitForFunction(`${lines} === 1`);
  expect(await page.evaluate(textOf('agents'))).toContain('agent://a\nconnected with agent://b');
});

inBrowser('among thousands the page stays readable and finds the one that is searched', async () => {
  const count = 3000;
  await using server = await createSignalingServer({ maxRegistrations: count });
  const crowd = await Plain.registered(server.url, 'agent://example.com/0');
  for (let index = 1; index < count; index++) {
    await crowd.ask({ type: 'register', agentId: `agent://example.com/${index}` });
  }
  const { page, complaints } = await open(server);
  await page.waitForFunction(`${fact('agents')} === '3 k'`);
  const drawn = (await page.evaluate(`document.querySelectorAll('#picture g').length`)) as number;
  expect(drawn).toBeGreaterThan(0);
  expect(drawn).toBeLessThan(100);
  expect(await page.evaluate(`document.querySelectorAll('#agents li').length`)).toBe(100);
  await page.type('#search', 'com/2718');
  expect(await page.evaluate(textOf('agents'))).toBe('agent://example.com/2718');
  expect(await page.evaluate(`document.querySelectorAll('#picture .found').length`)).toBe(1);
  expect(complaints).toEqual([]);
  crowd.socket.close();
});

inBrowser('in the dark the page is light on dark', async () => {
  await using server = await createSignalingServer();
  const { page } = await open(server);
  const lightness = async (what: string) => {
    const colour = (await page.evaluate(`getComputedStyle(document.body).${what}`)) as string;
    return Math.max(
      ...colour
        .match(/[\d.]+/g)!
        .slice(0, 3)
        .map(Number),
    );
  };
  for (const [value, dark] of [
    ['light', false],
    ['dark', true],
  ] as const) {
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value }]);
    expect((await lightness('color')) > (await lightness('backgroundColor'))).toBe(dark);
  }
});

inBrowser('with an admin token the page asks for it', async () => {
  const adminToken = 'a secret of some length';
  await using server = await createSignalingServer({ adminToken });
  const page = await browser.newPage();
  await page.goto(`${httpOf(server.url)}/status`);
  await page.waitForSelector('#login:not([hidden])');
  expect(await page.evaluate("document.getElementById('counts').textContent")).toBe('');
  await page.type('#token', adminToken);
  await page.click('#login button');
  await page.waitForFunction('document.querySelector(\'[data-fact="agents"]\')?.textContent === "0"');
  expect(await page.evaluate("document.getElementById('login').hidden")).toBe(true);
});

inBrowser('of a server with a relay it shows how many relay, and of one without nothing of the kind', async () => {
  await using plain = await createSignalingServer();
  await using server = await serve();
  const page = await browser.newPage();
  await page.goto(`${httpOf(plain.url)}/status`);
  await page.waitForFunction(`${fact('agents')} === '0'`);
  expect(await page.evaluate(fact('relay-allocations'))).toBeUndefined();

  await page.goto(`${httpOf(server.url)}/status`);
  await page.waitForFunction(`${fact('relay-allocations')} === '0'`);
  const connection = new RTCPeerConnection({ iceServers: [iceServer(server, 'udp')], iceTransportPolicy: 'relay' });
  try {
    connection.createDataChannel('x');
    await connection.setLocalDescription();
    await page.waitForFunction(`Number(${fact('relay-allocations')}) > 0`);
  } finally {
    connection.close();
  }
  await page.waitForFunction(`${fact('relay-allocations')} === '0'`);
});
