/* The energy flow: sources on the left, the bus, what takes on the right; widths by kW. Drawn anew from its data. */
import { el, text } from "./svg.js";

const HEIGHT = 232;
const LABEL = 46;
const TWO_LINES = 34;
const BAR = 6;
const BUS = 14;
const SPAN = 132;
const LEAST = 2;

function sizes(nodes, scale) {
  return nodes.map((node) => (node.kw === null ? 0 : Math.max(node.kw > 0.05 ? LEAST : 1, node.kw * scale)));
}

/* Room of each bar with its label, and by how much all have to be squeezed to fit. */
function rooms(heights, span) {
  const gap = 12;
  const slots = heights.map((height) => Math.max(height + gap, LABEL - 6));
  const whole = slots.reduce((sum, one) => sum + one, 0);
  return { slots, whole, squeeze: Math.min(1, span / whole) };
}

/* Whether names and figures have to share a line. */
function tight(heights, span) {
  const { slots, squeeze } = rooms(heights, span);
  return Math.min(...slots) * squeeze < TWO_LINES;
}

/* Tops of the bars: apart enough for their labels, the whole in the middle. */
function spread(heights, span) {
  const { slots, whole, squeeze } = rooms(heights, span);
  let y = (HEIGHT - whole * squeeze) / 2;
  return heights.map((height, at) => {
    const top = y + (slots[at] * squeeze - height) / 2;
    y += slots[at] * squeeze;
    return top;
  });
}

/* About how wide the widest label is, px: Chinese characters are twice as wide. */
function widest(nodes, oneLine) {
  const wide = (words) => [...words].reduce((sum, char) => sum + (char > "\u2e80" ? 13.5 : 7), 0);
  const both = (name, figure) => (oneLine ? name + figure : Math.max(name, figure));
  return Math.max(60, ...nodes.map((node) => both(wide(node.name), 8.4 * node.text.length + 24)));
}

function label(node, x, y, side, oneLine) {
  const end = side === "source" ? "end" : "start";
  const group = el("g");
  if (oneLine) {
    const line = text(x, y + 5, `${node.name} `, { class: "lb2", "text-anchor": end });
    line.append(el("tspan", { class: "lbn" }, node.text), el("tspan", {}, `\u2009${node.unit}`));
    group.append(line);
    return group;
  }
  const value = text(x, y + 14, node.text, { class: "lbn", "text-anchor": end });
  value.append(el("tspan", {}, `\u2009${node.unit}`));
  group.append(text(x, y - 3, node.name, { class: "lb2", "text-anchor": end }), value);
  return group;
}

function ribbon(x0, y0, x1, y1, height, tone) {
  const middle = (x0 + x1) / 2;
  const path = `M${x0} ${y0}C${middle} ${y0} ${middle} ${y1} ${x1} ${y1}V${y1 + height}C${middle} ${y1 + height} ${middle} ${y0 + height} ${x0} ${y0 + height}Z`;
  return el("path", { d: path, class: `band ${tone}` });
}

function side(svg, nodes, scale, bus, x, which) {
  const heights = sizes(nodes, scale);
  const tops = spread(heights, HEIGHT - 12);
  const oneLine = tight(heights, HEIGHT - 12);
  let busY = bus.top;
  nodes.forEach((node, at) => {
    const height = heights[at];
    const tone = `e-${node.tone}${node.key === "grid" && which === "sink" ? " export" : ""}`;
    const known = node.kw !== null;
    if (known && node.kw > 0) {
      const own = which === "source" ? x + BAR : bus.x + BUS;
      const other = which === "source" ? bus.x : x;
      const wide = Math.min(height, Math.max(0, bus.top + bus.height - busY));
      svg.append(which === "source" ? ribbon(own, tops[at], other, busY, wide, tone) : ribbon(own, busY, other, tops[at], wide, tone));
      busY += wide;
    }
    svg.append(el("rect", known ? { x, y: tops[at], width: BAR, height: Math.max(height, 1.5), rx: 2, class: `e-${node.tone}` } : { x, y: tops[at] - 8, width: BAR, height: 16, rx: 2, class: "unknown" }));
    const anchor = which === "source" ? x - 12 : x + BAR + 10;
    svg.append(label(node, anchor, tops[at] + height / 2, which, oneLine));
  });
}

export function drawFlow(place, nodes) {
  const width = Math.max(300, place.clientWidth || 790);
  const svg = el("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, height: HEIGHT, "aria-hidden": "true" });
  const groups = { source: nodes.filter((one) => one.side === "source"), sink: nodes.filter((one) => one.side === "sink") };
  const sum = (list) => list.reduce((total, one) => total + (one.kw || 0), 0);
  const total = Math.max(sum(groups.source), sum(groups.sink));
  const scale = total > 0 ? SPAN / total : 0;
  const height = Math.max(LEAST * 2, ...Object.values(groups).map((list) => sizes(list, scale).reduce((all, one) => all + one, 0)));
  const bus = { x: width * 0.5 - BUS / 2, top: (HEIGHT - height) / 2, height };
  const room = (list) => widest(list, tight(sizes(list, scale), HEIGHT - 12));
  side(svg, groups.source, scale, bus, Math.max(Math.round(width * 0.125), room(groups.source) + 14), "source");
  side(svg, groups.sink, scale, bus, Math.min(Math.round(width * 0.825), width - room(groups.sink) - BAR - 12), "sink");
  svg.append(el("rect", { x: bus.x, y: bus.top, width: BUS, height, rx: 4, class: "bus" }));
  place.replaceChildren(svg);
}
