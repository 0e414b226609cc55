// A figure and how it was within the last hour.
const SVG = 'http://www.w3.org/2000/svg';
const [WIDTH, HEIGHT] = [300, 60];

const UNITS = ['', 'k', 'M', 'G', 'T'];

/** A number as people read it: three figures and a unit. */
export function short(value) {
  let unit = 0;
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${Number(value.toFixed(value >= 100 ? 0 : 1))}${unit > 0 ? ` ${UNITS[unit]}` : ''}`;
}

/** Seconds as people say them. */
export function duration(seconds) {
  if (seconds < 60) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}

function drawn(parent, name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  parent.append(element);
  return element;
}

function written(parent, name, className) {
  const element = document.createElement(name);
  element.className = className;
  parent.append(element);
  return element;
}

/** A card with the figure and its curve. */
export class Chart {
  #label;
  #figure;
  #svg;
  #area;
  #curve;
  #at;
  #start;
  #end;
  /** `[seconds since the start of the server, value]` */
  #points = [];

  constructor(parent, label, fact) {
    this.#label = label;
    const card = written(parent, 'figure', 'card');
    written(card, 'figcaption', 'label').textContent = label;
    this.#figure = written(card, 'b', '');
    this.#figure.dataset.fact = fact;
    this.#svg = drawn(card, 'svg', {
      class: 'chart',
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      preserveAspectRatio: 'none',
      role: 'img',
    });
    this.#area = drawn(this.#svg, 'path', { class: 'area' });
    this.#curve = drawn(this.#svg, 'path', { class: 'curve' });
    this.#at = drawn(this.#svg, 'line', { class: 'at', y1: 0, y2: HEIGHT, visibility: 'hidden' });
    const axis = written(card, 'div', 'axis');
    [this.#start, this.#end] = [written(axis, 'span', ''), written(axis, 'span', '')];
    this.#svg.addEventListener('pointermove', (event) => this.#point(event));
    this.#svg.addEventListener('pointerleave', () => this.#show());
  }

  /** Shows `value`, and `points` behind it, the earliest first. */
  update(value, points) {
    this.#figure.textContent = typeof value === 'number' ? short(value) : value;
    this.#points = points;
    this.#show();
  }

  #scale() {
    const [first, last] = [this.#points[0][0], this.#points.at(-1)[0]];
    const most = Math.max(...this.#points.map(([, value]) => value));
    const span = Math.max(last - first, 1);
    return {
      first,
      last,
      most,
      x: (at) => ((at - first) / span) * WIDTH,
      y: (value) => HEIGHT - (value / (most || 1)) * (HEIGHT - 4) - 1,
    };
  }

  #show() {
    if (this.#points.length < 2) return;
    const { first, last, most, x, y } = this.#scale();
    const line = this.#points.map(([at, value]) => `${x(at).toFixed(1)},${y(value).toFixed(1)}`).join('L');
    this.#curve.setAttribute('d', `M${line}`);
    this.#area.setAttribute('d', `M0,${HEIGHT}L${line}L${WIDTH},${HEIGHT}Z`);
    this.#at.setAttribute('visibility', 'hidden');
    this.#start.textContent = `${duration(last - first)} ago`;
    this.#end.textContent = `at most ${short(most)}`;
    this.#svg.setAttribute(
      'aria-label',
      `${this.#label}, of the last ${duration(last - first)}: at most ${short(most)}`,
    );
  }

  /** Shows what was where the pointer is. */
  #point(event) {
    if (this.#points.length < 2) return;
    const { left, width } = this.#svg.getBoundingClientRect();
    const { last, x } = this.#scale();
    const wanted = ((event.clientX - left) / width) * WIDTH;
    const distance = ([at]) => Math.abs(x(at) - wanted);
    const [at, value] = this.#points.reduce((best, one) => (distance(one) < distance(best) ? one : best));
    for (const side of ['x1', 'x2']) this.#at.setAttribute(side, x(at));
    this.#at.setAttribute('visibility', 'visible');
    this.#start.textContent = `${duration(last - at)} ago`;
    this.#end.textContent = short(value);
  }
}
