/* Evidence pictures: shows the part of the frame that holds the plate, with brackets round it and a note above. */
const NS = "http://www.w3.org/2000/svg";
const ZOOM_WIDTHS = 2.6;

function make(name, attributes) {
  const element = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

function bounds(quad) {
  const xs = quad.map((point) => point[0]);
  const ys = quad.map((point) => point[1]);
  return { x0: Math.min(...xs), y0: Math.min(...ys), x1: Math.max(...xs), y1: Math.max(...ys) };
}

/* The largest part of the frame with the place's shape that keeps the plate in sight; with zoom, close around it. */
export function windowOn(frame, place, plate, zoom) {
  const shape = place.width / place.height;
  let width = Math.min(frame.width, frame.height * shape);
  if (zoom && plate) width = Math.min(width, Math.max((plate.x1 - plate.x0) * ZOOM_WIDTHS, (plate.y1 - plate.y0) * ZOOM_WIDTHS * shape));
  else if (zoom) width /= 2;
  const height = width / shape;
  const cx = plate ? (plate.x0 + plate.x1) / 2 : frame.width / 2;
  const cy = plate ? (plate.y0 + plate.y1) / 2 : frame.height / 2;
  const x = Math.max(0, Math.min(frame.width - width, cx - width / 2));
  const y = Math.max(0, Math.min(frame.height - height, zoom ? cy - height / 2 : cy - height * 0.66));
  return { x, y, width, height };
}

function bracket(plate, pad) {
  const x0 = plate.x0 - pad, x1 = plate.x1 + pad, y0 = plate.y0 - pad, y1 = plate.y1 + pad;
  const arm = Math.min(x1 - x0, y1 - y0) * 0.3;
  return `M${x0} ${y0 + arm}V${y0}H${x0 + arm}M${x1 - arm} ${y0}H${x1}V${y0 + arm}M${x1} ${y1 - arm}V${y1}H${x1 - arm}M${x0 + arm} ${y1}H${x0}V${y1 - arm}`;
}

function drawOne(figure, zoom) {
  const image = figure.querySelector("img");
  if (!image || !image.naturalWidth || image.hidden) return;
  const place = figure.getBoundingClientRect();
  if (!place.width || !place.height) return;
  const frame = { width: image.naturalWidth, height: image.naturalHeight };
  const plate = figure.dataset.quad ? bounds(JSON.parse(figure.dataset.quad)) : null;
  if (!plate && !zoom) return;
  const view = windowOn(frame, place, plate, zoom);
  const svg = make("svg", { viewBox: `${view.x} ${view.y} ${view.width} ${view.height}`, preserveAspectRatio: "xMidYMid slice", role: "img", "aria-label": image.alt });
  svg.append(make("image", { href: image.src, width: frame.width, height: frame.height }));
  if (plate) svg.append(make("path", { class: figure.dataset.note ? "bracket" : "bracket sure", d: bracket(plate, (plate.x1 - plate.x0) * 0.08) }));
  for (const old of figure.querySelectorAll("svg[role], .note")) old.remove();
  figure.append(svg);
  if (plate && figure.dataset.note) figure.append(note(figure, plate, view, place));
  figure.classList.add("drawn");
}

function note(figure, plate, view, place) {
  const label = document.createElement("span");
  label.className = "note";
  label.textContent = figure.dataset.note;
  label.style.left = `${(((plate.x0 + plate.x1) / 2 - view.x) / view.width) * place.width}px`;
  label.style.top = `${((plate.y0 - (plate.x1 - plate.x0) * 0.12 - view.y) / view.height) * place.height}px`;
  return label;
}

export function drawEvidence(root, { zoom } = {}) {
  if (!root) return;
  const stage = root.closest?.("#stage");
  const wanted = zoom ?? (stage?.querySelector('[data-act="zoom"]')?.getAttribute("aria-pressed") === "true");
  const figures = root.matches?.("[data-evidence]") ? [root] : root.querySelectorAll("[data-evidence]");
  for (const figure of figures) if (!figure.closest(".crop")) drawOne(figure, wanted);
}
