// The status page: figures, picture and names, as the server tells of them by server-sent events.
import { Chart, duration } from './charts.js';
import { Picture } from './picture.js';

const byId = (id) => document.getElementById(id);

/** Names in a list; more are found by searching. */
const MOST_SHOWN = 100;

/** What the figures are made of: sizes as they are, counts as they grow in a second or as they are. */
const FIGURES = [
  { label: 'Connections', fact: 'connections', count: 'connections' },
  { label: 'Agents', fact: 'agents', count: 'agents' },
  { label: 'Rooms', fact: 'rooms', count: 'rooms' },
  { label: 'Messages per second', fact: 'messages-rate', count: 'relayed_messages_total', rate: true },
  { label: 'Bytes per second', fact: 'bytes-rate', count: 'relayed_bytes_total', rate: true },
  { label: 'New clients per second', fact: 'clients-rate', count: 'connections_total', rate: true },
  { label: 'Undeliverable', fact: 'undeliverable', count: 'undeliverable_messages_total' },
  { label: 'Refused', fact: 'refused', count: 'refused_frames_total' },
  { label: 'Relay allocations', fact: 'relay-allocations', count: 'relay_allocations' },
  { label: 'Relayed bytes per second', fact: 'relay-rate', count: 'relay_bytes_total', rate: true },
];

const HOUR = 3600;

let token = '';
let columns = [];
/** Samples of the last hour: seconds since the start of the server, and the counts by name. */
let samples = [];
/** What has come since the last of them. */
let recent = [];
let charts;
let listing = { agents: [], rooms: [], connections: [] };
/** Agents by the server's count, of which the listing may have a part only. */
let total = 0;
let picture;

/** What `count` was at each sample, or how much it grew in a second. */
function curve({ count, rate }) {
  const all = [...samples, ...recent];
  if (!rate) return all.map(({ at, counts }) => [at, counts[count]]);
  return all.slice(1).map(({ at, counts }, index) => {
    const before = all[index];
    return [at, Math.max(counts[count] - before.counts[count], 0) / Math.max(at - before.at, 0.001)];
  });
}

function showFigures(status) {
  charts ??= FIGURES.filter(({ count }) => count in status.counts).map((figure) => {
    return { figure, chart: new Chart(byId('counts'), figure.label, figure.fact) };
  });
  for (const { figure, chart } of charts) {
    const points = curve(figure);
    chart.update(figure.rate ? (points.at(-1)?.[1] ?? 0) : status.counts[figure.count], points);
  }
}

function showState(status) {
  byId('state').dataset.ready = String(status.ready);
  const word = status.draining ? 'Draining' : status.ready ? 'Ready' : 'Not ready';
  const cluster = status.cluster ? `, in a cluster (${status.cluster.state})` : '';
  byId('state').textContent = `${word}. Version ${status.version}, up for ${duration(status.uptimeSeconds)}${cluster}.`;
}

/** Entries `[name, details]` of a list. Everything goes in as text: names are chosen by strangers. */
function list(id, found, of) {
  const shown = found.slice(0, MOST_SHOWN);
  byId(id).replaceChildren(
    ...shown.map(([name, details]) => {
      const item = document.createElement('li');
      const title = document.createElement('b');
      title.textContent = name;
      item.append(title);
      if (details) {
        const more = document.createElement('small');
        more.textContent = details;
        item.append(more);
      }
      return item;
    }),
  );
  const rest = found.length - shown.length;
  byId(`${id}-found`).textContent = `${found.length} of ${of}${rest > 0 ? `, the first ${shown.length}` : ''}`;
}

const some = (names) => `${names.slice(0, 3).join(', ')}${names.length > 3 ? ` and ${names.length - 3} more` : ''}`;

/** By agent: the others it has set up connections with, and its rooms. */
function relations({ rooms, connections }) {
  const of = new Map();
  const entry = (name) => of.get(name) ?? of.set(name, { others: [], rooms: [] }).get(name);
  for (const [a, b] of connections) {
    entry(a).others.push(b);
    entry(b).others.push(a);
  }
  for (const { room, agents } of rooms) for (const agent of agents) entry(agent).rooms.push(room);
  return of;
}

const wanted = () => byId('search').value.trim().toLowerCase();

function showNames(from = listing) {
  const search = wanted();
  const has = (name) => name.toLowerCase().includes(search);
  const of = relations(from);
  const details = (name) => {
    const { others = [], rooms = [] } = of.get(name) ?? {};
    return [others.length > 0 && `connected with ${some(others)}`, rooms.length > 0 && `in ${some(rooms)}`]
      .filter(Boolean)
      .join('; ');
  };
  const agents = from.agents.filter((name) => has(name) || of.get(name)?.rooms.some(has));
  const rooms = from.rooms.filter(({ room }) => has(room));
  list(
    'agents',
    agents.map((name) => [name, details(name)]),
    total,
  );
  list(
    'rooms',
    rooms.map(({ room, members }) => [room, `${members} ${members === 1 ? 'agent' : 'agents'}`]),
    listing.rooms.length,
  );
  picture?.highlight(search ? has : undefined);
}

function showWho() {
  byId('who').hidden = false;
  picture ??= new Picture(byId('picture'), (name) => {
    byId('search').value = wanted() === name.toLowerCase() ? '' : name;
    search();
  });
  const says = picture.update(listing);
  const part = listing.agents.length < total ? `${listing.agents.length} of ${total} agents` : `${total} agents`;
  byId('scale').textContent = says ? `${part}, in groups ${says}.` : `${part}.`;
}

let asked = 0;
/** Looks among what is here at once, and asks the server if there is more. */
function search() {
  showNames();
  const mine = ++asked;
  if (!wanted() || listing.agents.length >= total) return;
  setTimeout(async () => {
    if (mine !== asked) return;
    const response = await get(`status.json?search=${encodeURIComponent(wanted())}`).catch(() => undefined);
    if (response?.ok && mine === asked) showNames(await response.json());
  }, 200);
}

const get = (path, options = {}) =>
  fetch(path, { headers: token ? { authorization: `Bearer ${token}` } : {}, cache: 'no-store', ...options });

const named = ([uptime, ...counts]) => ({
  at: uptime / 1000,
  counts: Object.fromEntries(columns.map((name, index) => [name, counts[index]])),
});

const HANDLERS = {
  columns({ names }) {
    [columns, samples, recent] = [names, [], []];
  },
  samples(rows) {
    samples = [...samples, ...rows.map(named)];
    const start = samples.at(-1).at - HOUR;
    samples = samples.filter(({ at }) => at >= start);
    recent = [];
  },
  listing(next) {
    listing = next;
    total = Math.max(total, next.agents.length);
    showWho();
    showNames();
  },
  status(status) {
    const now = status.uptimeMs / 1000;
    recent = [...recent, { at: now, counts: status.counts }].slice(-30);
    const changed = total !== status.counts.agents;
    total = status.counts.agents;
    showState(status);
    showFigures(status);
    if (changed && !byId('who').hidden) showNames();
  },
  close() {},
};

/** Reads events until there are no more. Not by EventSource, which sends no tokens. */
async function follow(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const events = (text + value).split('\n\n');
    text = events.pop();
    for (const event of events) {
      const [, name, data] = /^event: (\w+)\ndata: ([^]*)$/.exec(event) ?? [];
      HANDLERS[name]?.(JSON.parse(data));
    }
  }
}

let running = 0;
async function run() {
  const mine = ++running;
  while (mine === running) {
    let says = 'The server does not answer.';
    try {
      const response = await get('status/events');
      byId('login').hidden = response.status !== 401;
      if (response.status === 401) {
        byId('state').textContent = token ? 'This is not the admin token.' : 'The admin token is needed.';
        return;
      }
      if (response.ok) await follow(response);
      else says = await response.text();
    } catch {
      // Said below; the next try tells whether it is over.
    }
    if (mine !== running) return;
    byId('state').dataset.ready = 'false';
    byId('state').textContent = says;
    await new Promise((resolve) => setTimeout(resolve, 2000));
  }
}

byId('search').addEventListener('input', search);
byId('login').addEventListener('submit', (event) => {
  event.preventDefault();
  token = byId('token').value;
  void run();
});
void run();
