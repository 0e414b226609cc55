// Agents and rooms as a picture: each by itself while there are few, in groups when there are many.
const SVG = 'http://www.w3.org/2000/svg';
const [WIDTH, HEIGHT] = [800, 560];
/** Room for labels at the sides, and for circles above and below. */
const [ASIDE, ABOVE] = [70, 40];

/** Nodes that can be told apart on a screen. */
const MOST = 64;
const MOST_ROOMS = 24;
/** Labels beyond that would lie on each other. */
const MOST_LABELS = 48;
const LETTERS = 22;

const REST = 'others';

/** `agent://host:port/first/second`, as its parts. */
const parts = (name) => name.replace('agent://', '').split('/');

/** Ways to put agents into groups. */
const WAYS = [
  { says: 'by host', of: (name) => parts(name)[0] },
  { says: 'by host and first part of the path', of: (name) => parts(name).slice(0, 2).join('/') },
  { says: 'by name without its number', of: (name) => name.replace('agent://', '').replace(/[-_./]?\d+$/, '') },
];

/** Who hangs together, by connections or a room, under the name of the one that comes first. */
function islands({ agents, rooms, connections }) {
  const parent = new Map(agents.map((name) => [name, name]));
  const root = (name) => {
    let at = name;
    while (parent.has(at) && parent.get(at) !== at) {
      parent.set(at, parent.get(parent.get(at)) ?? parent.get(at));
      at = parent.get(at);
    }
    return at;
  };
  const join = (a, b) => {
    const [first, second] = [root(a), root(b)].sort();
    parent.set(second, first);
  };
  for (const [a, b] of connections) if (parent.has(a) && parent.has(b)) join(a, b);
  for (const room of rooms) for (const member of room.agents) if (parent.has(member)) join(room.agents[0], member);
  return (name) => root(name).replace('agent://', '');
}

/** The group of each agent: itself, or one of at most as many as can be shown. */
function grouped(listing) {
  const { agents } = listing;
  if (agents.length <= MOST) return { says: '', of: (name) => name };
  const ways = WAYS.map((way) => ({ ...way, groups: new Set(agents.map(way.of)).size }));
  const [finest] = ways.filter(({ groups }) => groups > 1 && groups <= MOST).sort((a, b) => b.groups - a.groups);
  if (finest) return finest;
  const of = islands(listing);
  const sizes = new Map();
  for (const name of agents) sizes.set(of(name), (sizes.get(of(name)) ?? 0) + 1);
  const largest = [...sizes].sort((a, b) => b[1] - a[1]).slice(0, MOST - 1);
  const kept = new Set(largest.map(([name]) => name));
  return { says: 'by who hangs together', of: (name) => (kept.has(of(name)) ? of(name) : REST) };
}

/** Nodes with what is in them, and the edges between them with their weights. */
export function graphOf(listing) {
  const way = grouped(listing);
  const nodes = new Map();
  const node = (key, kind) => {
    if (!nodes.has(key)) nodes.set(key, { key, kind, names: [] });
    return nodes.get(key);
  };
  for (const name of listing.agents) node(`a ${way.of(name)}`, 'agent').names.push(name);
  const edges = new Map();
  const edge = (from, to, kind) => {
    if (from === to || !nodes.has(from) || !nodes.has(to)) return;
    const key = [from, to].sort().join('\n');
    if (!edges.has(key)) edges.set(key, { from, to, kind, weight: 0 });
    edges.get(key).weight++;
  };
  for (const [a, b] of listing.connections) edge(`a ${way.of(a)}`, `a ${way.of(b)}`, 'link');
  const rooms = [...listing.rooms].sort((a, b) => b.members - a.members).slice(0, MOST_ROOMS);
  for (const { room, agents } of rooms) {
    const key = `r ${room}`;
    node(key, 'room').names.push(room);
    for (const member of agents) edge(`a ${way.of(member)}`, key, 'member');
  }
  return { nodes: [...nodes.values()], edges: [...edges.values()], says: way.says };
}

/** Where the nodes are: those that belong together near each other (Fruchterman and Reingold), from where they were. */
function laidOut({ nodes, edges }, before) {
  const places = new Map();
  nodes.forEach(({ key }, index) => {
    // Successive multiples of the golden angle fill a disc evenly.
    const [angle, far] = [index * 2.399963, Math.sqrt((index + 0.5) / nodes.length)];
    const start = { x: WIDTH * (0.5 + 0.42 * far * Math.cos(angle)), y: HEIGHT * (0.5 + 0.42 * far * Math.sin(angle)) };
    places.set(key, { ...(before.get(key) ?? start), dx: 0, dy: 0 });
  });
  const all = [...places.values()];
  const ideal = 0.75 * Math.sqrt((WIDTH * HEIGHT) / Math.max(nodes.length, 1));
  const known = nodes.filter(({ key }) => before.has(key)).length;
  // What has been there stays about where it is.
  const steps = known * 2 > nodes.length ? 60 : 220;
  for (let step = 0; step < steps; step++) {
    for (let i = 0; i < all.length; i++) {
      for (let j = i + 1; j < all.length; j++) {
        let [x, y] = [all[i].x - all[j].x, all[i].y - all[j].y];
        const distance = Math.max(Math.hypot(x, y), 0.01);
        const push = (ideal * ideal) / (distance * distance);
        [x, y] = [x * push, y * push];
        all[i].dx += x;
        all[i].dy += y;
        all[j].dx -= x;
        all[j].dy -= y;
      }
    }
    for (const { from, to } of edges) {
      const [a, b] = [places.get(from), places.get(to)];
      const [x, y] = [a.x - b.x, a.y - b.y];
      const pull = Math.hypot(x, y) / ideal;
      a.dx -= x * pull;
      a.dy -= y * pull;
      b.dx += x * pull;
      b.dy += y * pull;
    }
    const most = (steps === 60 ? 12 : 60) * (1 - step / steps) + 1;
    for (const place of all) {
      place.dx += (WIDTH / 2 - place.x) * 1.1;
      place.dy += (HEIGHT / 2 - place.y) * 1.6;
      const length = Math.max(Math.hypot(place.dx, place.dy), 0.01);
      const scale = Math.min(length, most) / length;
      place.x += place.dx * scale;
      place.y += place.dy * scale;
      [place.dx, place.dy] = [0, 0];
    }
  }
  fit(all, 'x', ASIDE, WIDTH - ASIDE);
  fit(all, 'y', ABOVE, HEIGHT - ABOVE);
  return places;
}

/** Stretches or squeezes what lies between two edges, but does not blow it up much. */
function fit(places, axis, from, to) {
  const values = places.map((place) => place[axis]);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const scale = Math.min((to - from) / Math.max(most - least, 1), 1.5);
  const middle = (least + most) / 2;
  for (const place of places) place[axis] = (from + to) / 2 + (place[axis] - middle) * scale;
}

/** The end of a name, which tells it from its neighbours. */
function labelOf({ kind, key, names }) {
  const name = kind === 'room' ? names[0] : names.length > 1 ? key.slice(2) : parts(names[0]).at(-1);
  const letters = [...name];
  const text = letters.length > LETTERS ? `…${letters.slice(1 - LETTERS).join('')}` : name;
  return kind === 'agent' && names.length > 1 ? `${text} (${names.length})` : text;
}

const radius = ({ kind, names }) => (kind === 'room' ? 7 : Math.min(7 + 2.2 * Math.sqrt(names.length - 1), 34));

function element(name, attributes, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** Names come in as text only: they are chosen by strangers. */
function text(name, attributes, content) {
  const made = element(name, attributes);
  made.textContent = content;
  return made;
}

export class Picture {
  #svg;
  #pick;
  #places = new Map();
  /** What is drawn of each node and edge. */
  #shown = { nodes: [], edges: [] };

  /** `pick` is called with the name of what somebody has clicked at. */
  constructor(svg, pick) {
    this.#svg = svg;
    this.#pick = pick;
  }

  /** Draws `listing`, and says how. */
  update(listing) {
    const graph = graphOf(listing);
    this.#places = laidOut(graph, this.#places);
    const edges = graph.edges.map((edge) => {
      const [a, b] = [this.#places.get(edge.from), this.#places.get(edge.to)];
      const line = element('line', {
        class: edge.kind,
        x1: a.x,
        y1: a.y,
        x2: b.x,
        y2: b.y,
        'stroke-width': Math.min(1 + Math.log2(edge.weight), edge.kind === 'link' ? 8 : 3),
      });
      return { ...edge, line };
    });
    const labelled = graph.nodes.length <= MOST_LABELS;
    const nodes = graph.nodes.map((node) => ({ ...node, group: this.#drawn(node, labelled) }));
    this.#svg.replaceChildren(...edges.map(({ line }) => line), ...nodes.map(({ group }) => group));
    this.#shown = { nodes, edges };
    return graph.says;
  }

  #drawn(node, labelled) {
    const [place, r] = [this.#places.get(node.key), radius(node)];
    const shape =
      node.kind === 'room'
        ? element('path', { class: 'room', d: `M0,${-r - 2}L${r + 2},0L0,${r + 2}L${-r - 2},0Z` })
        : element('circle', { class: 'agent', r });
    const some = node.names.slice(0, 20).join('\n');
    const title = node.names.length > 20 ? `${some}\nand ${node.names.length - 20} more` : some;
    const group = element('g', { transform: `translate(${place.x.toFixed(1)} ${place.y.toFixed(1)})` }, shape);
    if (labelled || node.names.length > 1) group.append(text('text', { y: r + 13 }, labelOf(node)));
    group.append(text('title', {}, title));
    const wanted = node.kind === 'agent' && node.names.length > 1 ? node.key.slice(2) : node.names[0];
    group.addEventListener('click', () => this.#pick(wanted === REST ? '' : wanted));
    return group;
  }

  /** Shows those in which `isWanted` is true of a name, and what they are connected to; all of them without it. */
  highlight(isWanted) {
    const found = new Set();
    const near = new Set();
    for (const { key, names } of this.#shown.nodes) if (isWanted && names.some(isWanted)) found.add(key);
    for (const { from, to } of this.#shown.edges) {
      if (found.has(from)) near.add(to);
      if (found.has(to)) near.add(from);
    }
    for (const { key, group } of this.#shown.nodes) {
      group.classList.toggle('found', found.has(key));
      group.classList.toggle('dim', isWanted !== undefined && !found.has(key) && !near.has(key));
    }
    for (const { from, to, line } of this.#shown.edges) {
      line.classList.toggle('dim', isWanted !== undefined && !found.has(from) && !found.has(to));
    }
  }
}
