// The status page in a real browser.
import { existsSync } from 'node:fs';

import puppeteer, { type Browser } from 'puppeteer-core';

import { createSignalingServer, RTCPeerConnection } from '../../index.js';
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

inBrowser('the page shows agents, rooms and rates, and what strangers name themselves is only text', async () => {
  await using server = await createSignalingServer();
  const agents = await Promise.all(['a', 'b'].map((name) => Plain.registered(server.url, `agent://${name}`)));
  const [a, b] = agents as [Plain, Plain];
  await a.ask({ type: 'join', agentId: 'agent://a', room: '<img src=x onerror=document.title=1>' });
  const page = await browser.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(String(error)));
  await page.goto(`${httpOf(server.url)}/status`);
  const fact = (name: string) => `document.querySelector('[data-fact="${name}"]')?.textContent`;
  await page.waitForFunction(`${fact('agents')} === '2'`);
  expect(await page.evaluate("document.getElementById('agents').innerText")).toMatch(/agent:\/\/a\s+agent:\/\/b/);
  expect(await page.evaluate("document.getElementById('rooms').innerText")).toBe(
    '<img src=x onerror=document.title=1>: 1',
  );
  expect(await page.evaluate("document.getElementById('state').textContent")).toMatch(/^Ready\. Version \d/);
  a.send(offer('agent://a', 'agent://b'));
  await b.next();
  await page.waitForFunction(`Number(${fact('messages-rate')}) > 0`);
  expect(await page.title()).toBe('Signaling server');
  expect(complaints).toEqual([]);
  for (const agent of agents) agent.socket.close();
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
  const fact = (name: string) => `document.querySelector('[data-fact="${name}"]')?.textContent`;
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
