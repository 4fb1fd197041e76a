/* The day: measured and expected, storage, charge with its reserve, and a ribbon of carbon or price, on one time axis. */
import { between, el, line, niceStep, text } from "./svg.js";

const LEFT = 46;
const RIGHT = 8;
const POWER = { top: 14, bottom: 194 };
const BATTERY = { label: 210, top: 228, bottom: 280 };
const CHARGE = { label: 306, top: 314, bottom: 362 };
const RIBBON = { label: 380, top: 388, bottom: 397 };
const AXIS = 416;
const HEIGHT = 424;

const stamp = (seconds, offset) => new Date((seconds + offset) * 1000).toISOString();
const clock = (seconds, offset) => stamp(seconds, offset).slice(11, 16);

function plus(values) { return values.filter((one) => one !== null && one !== undefined); }

function scaleOf(data) {
  const rows = [data.measured.pv, data.measured.load, data.plan?.pv_high || [], data.plan?.load_high || []];
  const top = Math.max(100, ...rows.flatMap(plus));
  const step = niceStep(top, 4);
  return { step, top: Math.ceil(top / step - 1e-6) * step };
}

class Frame {
  constructor(svg, data, width) {
    Object.assign(this, { svg, data, width });
    this.span = data.until - data.from;
  }

  x(seconds) { return LEFT + ((seconds - this.data.from) / this.span) * (this.width - LEFT - RIGHT); }

  /* Points at the middle of each step, cut off where the window ends. */
  points(values, from, step, y) {
    return (values || []).map((value, at) => {
      const when = from + (at + 0.5) * step;
      return value === null || when > this.data.until || when < this.data.from ? null : [this.x(when), y(value)];
    });
  }

  measured(values, y) { return this.points(values, this.data.from, this.data.step, y); }

  planned(values, y) {
    const { plan, now } = this.data;
    const points = this.points(values, plan.from, plan.step, y);
    return points.map((point, at) => (plan.from + (at + 1) * plan.step <= now ? null : point));
  }

  path(points, classes) { if (points.some(Boolean)) this.svg.append(el("path", { d: line(points), class: `ln ${classes}` })); }

  rule(y) { this.svg.append(el("path", { d: `M${LEFT} ${y}H${this.width - RIGHT}`, class: "gridline" })); }

  axis(y, words) { this.svg.append(text(LEFT - 8, y + 4, words, { class: "ax", "text-anchor": "end" })); }

  title(y, words) { this.svg.append(text(LEFT, y, words, { class: "ax" })); }
}

function powers(frame) {
  const { data } = frame;
  const { step, top } = scaleOf(data);
  const mega = top >= 1000;
  const y = (kw) => POWER.bottom - (Math.max(0, kw) / top) * (POWER.bottom - POWER.top);
  for (let level = 0; level <= top + 1e-6; level += step) {
    frame.rule(y(level));
    const number = mega ? level / 1000 : level;
    frame.axis(y(level), `${Number(number.toFixed(2))}${level + step > top + 1e-6 ? (mega ? " MW" : " kW") : ""}`);
  }
  const sun = frame.measured(data.measured.pv, y);
  frame.svg.append(el("path", { d: between(sun, sun.map((one) => one && [one[0], POWER.bottom])), class: "e-pv area" }));
  if (data.plan) {
    for (const name of ["pv", "load"]) {
      const fan = between(frame.planned(data.plan[`${name}_high`], y), frame.planned(data.plan[`${name}_low`], y));
      frame.svg.append(el("path", { d: fan, class: `e-${name} fan` }));
      frame.path(frame.planned(data.plan[`${name}_mid`], y), `s-${name} est`);
    }
  }
  frame.path(sun, "s-pv");
  frame.path(frame.measured(data.measured.load, y), "s-load");
  names(frame, y);
}

/* Each line is named where it is highest in what lies ahead, or in what was measured. */
function names(frame, y) {
  const { data } = frame;
  for (const name of ["pv", "load"]) {
    const ahead = data.plan ? frame.planned(data.plan[`${name}_mid`], y) : [];
    const points = ahead.some(Boolean) ? ahead : frame.measured(data.measured[name], y);
    const there = points.filter(Boolean);
    if (!there.length) continue;
    const part = name === "pv" ? there : there.slice(Math.floor(there.length * 0.45));
    const high = part.reduce((best, one) => (one[1] < best[1] ? one : best), part[0]);
    const x = Math.max(LEFT + 40, Math.min(frame.width - 50, high[0] + (name === "pv" ? 52 : 24)));
    frame.svg.append(text(x, Math.max(POWER.top + 8, high[1] - 14), data.words[name], { class: `lb e-${name}`, "text-anchor": "middle" }));
  }
}

function battery(frame) {
  const { data } = frame;
  frame.title(BATTERY.label, data.words.storage);
  const all = [...plus(data.measured.storage), ...plus(data.plan?.storage || [])].map(Math.abs);
  const top = Math.max(100, ...all);
  const step = niceStep(top, 1);
  const middle = (BATTERY.top + BATTERY.bottom) / 2;
  const half = (BATTERY.bottom - BATTERY.top) / 2;
  const shown = step >= 1000 ? `${step / 1000} MW` : `${step}`;
  frame.axis(middle - half, shown);
  frame.axis(middle, "0");
  frame.axis(middle + half, shown);
  frame.rule(middle);
  const bars = (values, from, seconds, est) => {
    const per = Math.max(1, Math.round(900 / seconds));
    for (let at = 0; at < values.length; at += per) {
      const part = plus(values.slice(at, at + per));
      const begin = from + at * seconds;
      if (!part.length || begin < data.from || begin >= data.until || (est && begin + seconds * per <= data.now)) continue;
      const kw = part.reduce((sum, one) => sum + one, 0) / part.length;
      const height = Math.min(half, (Math.abs(kw) / step) * half);
      if (height < 0.4) continue;
      const x = frame.x(begin);
      const width = Math.max(1, frame.x(begin + seconds * per) - x - 1.5);
      frame.svg.append(el("rect", { x: x + 0.75, y: kw < 0 ? middle - height : middle, width, height, rx: 1, class: `e-storage bar${est ? " est" : ""}` }));
    }
  };
  bars(data.measured.storage, data.from, data.step, false);
  if (data.plan) bars(data.plan.storage || [], data.plan.from, data.plan.step, true);
}

function charge(frame) {
  const { data } = frame;
  const y = (share) => CHARGE.bottom - share * (CHARGE.bottom - CHARGE.top);
  frame.title(CHARGE.label, data.words.soc);
  frame.svg.append(el("rect", { x: LEFT, y: y(data.reserve), width: frame.width - LEFT - RIGHT, height: CHARGE.bottom - y(data.reserve), class: "reserve" }));
  for (const share of [1, 0.5, 0]) { frame.rule(y(share)); frame.axis(y(share), `${share * 100}%`); }
  frame.svg.append(text(frame.width - RIGHT - 6, y(data.reserve / 2) + 4, data.words.reserve, { class: "ax", "text-anchor": "end" }));
  frame.path(frame.measured(data.measured.soc, y), "s-storage");
  if (data.plan) frame.path(frame.planned(data.plan.soc, y), "s-storage est");
}

function ribbon(frame) {
  const { data } = frame;
  frame.title(RIBBON.label, data.words.strip);
  frame.svg.append(text(frame.width - RIGHT, RIBBON.label, data.words.strip_high, { class: "ax", "text-anchor": "end" }));
  const cells = (values, from, seconds, after) => {
    (values || []).forEach((share, at) => {
      const begin = from + at * seconds;
      if (share === null || begin < data.from || begin >= data.until || begin + seconds <= after) return;
      const x = frame.x(begin);
      frame.svg.append(el("rect", { x, y: RIBBON.top, width: frame.x(Math.min(begin + seconds, data.until)) - x + 0.3, height: RIBBON.bottom - RIBBON.top, class: "e-grid", opacity: Math.max(0.03, share).toFixed(2) }));
    });
  };
  cells(data.strip, data.from, data.step, 0);
  if (data.plan) cells(data.plan.strip, data.plan.from, data.plan.step, data.now);
}

function times(frame) {
  const { data } = frame;
  const days = (data.until - data.from) / 86400;
  const labels = frame.width < 520 ? 4 : 8;
  const step = days <= 2.1 ? Math.ceil((days * 24) / labels / 3) * 3 * 3600 : Math.ceil(days / labels) * 86400;
  for (let at = data.from; at <= data.until + 1; at += step) {
    const anchor = at === data.from ? "start" : at + step > data.until + 1 ? "end" : "middle";
    const words = step < 86400 ? clock(at, data.offset) : stamp(at, data.offset).slice(5, 10);
    frame.svg.append(text(frame.x(at), AXIS, words, { class: "ax", "text-anchor": anchor }));
  }
  if (data.now < data.from || data.now > data.until) return;
  const x = frame.x(data.now);
  frame.svg.append(el("path", { d: `M${x.toFixed(1)} 10V${RIBBON.bottom}`, class: "nowline" }));
  frame.svg.append(el("rect", { x: x - 22, y: 0, width: 44, height: 18, rx: 9, class: "nowpill" }));
  frame.svg.append(text(x, 13, clock(data.now, data.offset), { class: "nowtext", "text-anchor": "middle" }));
}

/* ---- what stands at a time: measured, else expected with its band */
const grouped = (value) => Math.round(Math.abs(value)).toLocaleString("en");
const found = (values, from, step, at) => { const one = (values || [])[Math.floor((at - from) / step)]; return one === undefined ? null : one; };

function values(data, at) {
  const now = (name) => found(data.measured[name], data.from, data.step, at);
  const ahead = (name) => (data.plan ? found(data.plan[name], data.plan.from, data.plan.step, at) : null);
  const real = ["pv", "load", "storage", "soc"].some((name) => now(name) !== null);
  const one = real ? now : ahead;
  const names = real ? { pv: "pv", load: "load" } : { pv: "pv_mid", load: "load_mid" };
  const rows = [];
  for (const name of ["pv", "load"]) {
    if (one(names[name]) === null) continue;
    const band = real || ahead(`${name}_low`) === null ? "" : ` (${grouped(ahead(`${name}_low`))}–${grouped(ahead(`${name}_high`))})`;
    rows.push(`${data.words[name]} ${grouped(one(names[name]))}\u2009kW${band}`);
  }
  const storage = one("storage");
  if (storage !== null) rows.push(`${storage > 0.5 ? data.words.discharging : data.words.charging} ${grouped(storage)}\u2009kW`);
  if (one("soc") !== null) rows.push(`${data.words.soc} ${Math.round(one("soc") * 100)}%`);
  const kind = rows.length ? (real ? data.words.measured : data.words.expected) : data.words.nothing;
  return [`${stamp(at, data.offset).slice(5, 16).replace("T", " ")} · ${kind}`, ...rows];
}

const readers = new WeakMap();

/* A line under the pointer, or under the arrow keys, and what stands there. */
class Reader {
  constructor(place) {
    this.place = place;
    this.tip = document.createElement("div");
    this.tip.className = "mg-tip s num";
    this.tip.setAttribute("role", "status");
    this.tip.hidden = true;
    place.after(this.tip);
    place.addEventListener("pointermove", (event) => this.show(this.time(event.clientX - place.getBoundingClientRect().left)));
    place.addEventListener("pointerleave", () => this.hide());
    place.addEventListener("blur", () => this.hide());
    place.addEventListener("keydown", (event) => this.key(event));
  }

  time(x) {
    const { data, width } = this.frame;
    const share = Math.min(1, Math.max(0, (x - LEFT) / (width - LEFT - RIGHT)));
    return Math.min(data.until - 1, data.from + share * (data.until - data.from));
  }

  key(event) {
    const { data } = this.frame;
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (event.key === "Escape") this.hide();
    if (!by) return;
    event.preventDefault();
    const start = this.at ?? Math.min(data.until - 1, Math.max(data.from, data.now));
    this.show(Math.min(data.until - 1, Math.max(data.from, start + by * Math.max(data.step, 900))));
  }

  show(at) {
    const { frame, place, tip } = this;
    this.at = at;
    const [head, ...rows] = values(frame.data, at);
    const title = document.createElement("b");
    title.textContent = head;
    tip.replaceChildren(title, ...rows.map((row) => Object.assign(document.createElement("span"), { textContent: row })));
    tip.hidden = false;
    const x = frame.x(at);
    const left = x > frame.width / 2 ? x - tip.offsetWidth - 12 : x + 12;
    tip.style.left = `${place.offsetLeft + Math.max(0, left)}px`;
    tip.style.top = `${place.offsetTop + 24}px`;
    this.cursor.setAttribute("d", `M${x.toFixed(1)} ${POWER.top}V${RIBBON.bottom}`);
  }

  hide() {
    this.tip.hidden = true;
    this.at = undefined;
    this.cursor.removeAttribute("d");
  }

  take(frame) {
    this.frame = frame;
    this.cursor = el("path", { class: "cursor" });
    frame.svg.append(this.cursor);
    if (!this.tip.hidden) this.show(this.at);
  }
}

export function drawDay(place, data) {
  const width = Math.max(300, place.clientWidth || 806);
  const svg = el("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, height: HEIGHT, "aria-hidden": "true" });
  const frame = new Frame(svg, data, width);
  for (const part of [powers, battery, charge, ribbon, times]) part(frame);
  place.replaceChildren(svg);
  if (!readers.has(place)) readers.set(place, new Reader(place));
  readers.get(place).take(frame);
}
