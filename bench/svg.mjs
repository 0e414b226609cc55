// A plot of the rows: one panel per metric with a bar per stack. Plain SVG, readable on light and dark pages.
import { TITLES, show } from './report.mjs';

const COLUMNS = 3;
const PANEL = { width: 330, label: 125, bar: 120, line: 17, head: 36, gap: 18 };
const COLORS = {
  ossa: '#d9480f',
  'node-datachannel': '#4c6ef5',
  wrtc: '#7048e8',
  werift: '#0ca678',
  'webrtc-rs': '#b08968',
  str0m: '#e64980',
  rustrtc: '#5c940d',
  ws: '#868e96',
};

const escape = (text) => text.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c]);

function panel(row, stacks, x, y) {
  const largest = Math.max(...stacks.map((stack) => row.values[stack].median ?? 0)) || 1;
  const direction = row.more ? 'more is better' : 'less is better';
  // A count has no unit.
  const subtitle = row.unit === '' ? direction : `${row.unit}, ${direction}`;
  const parts = [
    // The longest titles fill the width of a panel; whatever came after them would be cut off or in the next one.
    `<text x="${x}" y="${y + 10}" class="t">${escape(row.title)}</text>`,
    `<text x="${x}" y="${y + 24}" class="u">${escape(subtitle)}</text>`,
  ];
  stacks.forEach((stack, i) => {
    const { median } = row.values[stack];
    const top = y + PANEL.head + i * PANEL.line;
    const width = median === undefined ? 0 : Math.max(1, (median / largest) * PANEL.bar);
    parts.push(
      `<text x="${x + PANEL.label - 6}" y="${top + 10}" class="n">${escape(TITLES[stack])}</text>`,
      `<rect x="${x + PANEL.label}" y="${top + 1}" width="${width.toFixed(1)}" height="11" fill="${COLORS[stack]}"/>`,
      `<text x="${x + PANEL.label + width + 5}" y="${top + 10}" class="v">${median === undefined ? 'not possible' : show(median)}</text>`,
    );
  });
  return parts.join('\n');
}

/** The whole picture as text. */
export function plot(rows, stacks, caption) {
  const height = PANEL.head + stacks.length * PANEL.line + PANEL.gap;
  const total = { width: COLUMNS * PANEL.width + 20, height: Math.ceil(rows.length / COLUMNS) * height + 40 };
  const panels = rows.map((row, i) =>
    panel(row, stacks, 10 + (i % COLUMNS) * PANEL.width, 10 + Math.floor(i / COLUMNS) * height),
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${total.width}" height="${total.height}" viewBox="0 0 ${total.width} ${total.height}" font-family="system-ui, sans-serif" font-size="11">
<style>.t{font-weight:600}.u{fill:#868e96}.n{text-anchor:end;fill:#495057}.v{fill:#495057}.c{fill:#868e96}</style>
<rect width="100%" height="100%" fill="#ffffff"/>
${panels.join('\n')}
<text x="10" y="${total.height - 12}" class="c">${escape(caption)}</text>
</svg>
`;
}
