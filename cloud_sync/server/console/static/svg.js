/* Small helpers to draw: elements by name, numbers as people write them, paths from points with gaps. */
const NS = "http://www.w3.org/2000/svg";

export function el(name, attributes = {}, ...children) {
  const made = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) if (value !== undefined && value !== null) made.setAttribute(key, String(value));
  made.append(...children);
  return made;
}

export function text(x, y, words, attributes = {}) {
  return el("text", { x, y, ...attributes }, words);
}

/* A path through points; a null breaks it, so that gaps stay gaps. */
export function line(points) {
  let path = "";
  let open = false;
  for (const point of points) {
    if (!point) { open = false; continue; }
    path += `${open ? "L" : "M"}${point[0].toFixed(1)} ${point[1].toFixed(1)}`;
    open = true;
  }
  return path;
}

/* The areas between two rows of points; where either has a gap, there is none. */
export function between(upper, lower) {
  let path = "";
  let from = 0;
  for (let at = 0; at <= upper.length; at += 1) {
    if (at < upper.length && upper[at] && lower[at]) continue;
    if (at - from > 1) path += `${line(upper.slice(from, at))}${line(lower.slice(from, at).reverse()).replace("M", "L")}Z`;
    from = at + 1;
  }
  return path;
}

/* 1, 2 or 5 times a power of ten, so that about `count` steps reach `top`. */
export function niceStep(top, count) {
  const raw = Math.max(top, 1e-9) / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= raw * 0.999);
}
