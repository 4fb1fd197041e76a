/* The review desk: remarks beside fields, the paper viewer, the seconds left to undo, and guards of deciding keys. */
import { $, $$, show } from "./app.js";

const GUARD_MS = 400;
const zh = document.body.dataset.lang === "zh";
const theCase = $("#case");

/* ---- a key that decides rests until one has seen what it decides, and does not repeat while it is held down */
const DECIDING = new Set(["Enter", "B", "D", "U"]);
document.addEventListener("keydown", (event) => {
  const key = event.key.length === 1 ? event.key.toUpperCase() : event.key;
  if (event.repeat && DECIDING.has(key) && !event.target.closest("input, textarea, select")) event.stopImmediatePropagation();
}, true);
setTimeout(() => $(".case")?.setAttribute("data-armed", ""), GUARD_MS);
$("[data-approve-form]")?.addEventListener("click", (event) => {
  if (!event.isTrusted && !theCase.hasAttribute("data-armed")) event.preventDefault();
}, true);

/* ---- remarks beside the fields they are about */
function remarks() { return $$('[form="return-form"], [name="remark."]').filter((one) => one.name.startsWith("remark.")); }

function startReturning() {
  theCase.classList.add("returning");
  (remarks().find((one) => "first" in one.dataset) || remarks()[0])?.focus();
}

function stopReturning() {
  theCase.classList.remove("returning");
  const problem = $("[data-return-form] .problem");
  if (problem) problem.hidden = true;
  $("[data-return-start]")?.focus();
}

$("[data-return-start]")?.addEventListener("click", startReturning);
$("[data-return-stop]")?.addEventListener("click", stopReturning);
document.addEventListener("keydown", (event) => {
  if (!theCase?.classList.contains("returning") || $("dialog[open]")) return;
  if (event.key === "Escape") { stopReturning(); event.stopImmediatePropagation(); event.preventDefault(); }
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { $("[data-return-form]").requestSubmit(); event.preventDefault(); }
  else if (event.key === "Enter" && event.target.matches('[name^="remark."]')) { nextRemark(event.target); event.preventDefault(); }
}, true);

function nextRemark(input) {
  const all = remarks();
  all[(all.indexOf(input) + 1) % all.length].focus();
}

document.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-return-form]")) return;
  const filled = remarks().filter((one) => one.value.trim());
  for (const one of filled) if (one.dataset.prefix && !one.value.startsWith(one.dataset.prefix)) one.value = `${one.dataset.prefix}: ${one.value}`;
  if (filled.length) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  const problem = $(".problem", event.target);
  problem.textContent = zh ? "至少写一条，说明要补正什么。" : "Write at least one remark: what has to be put right.";
  problem.hidden = false;
  remarks()[0]?.focus();
}, true);

/* ---- papers, large */
const viewer = $("#paper-dialog");
const view = viewer && $("[data-paper-view]", viewer);
const pictures = $$("[data-paper]");
const zoom = viewer && $("[data-zoom-words]", viewer);
let shown = 0;

function showPaper(at) {
  shown = (at + pictures.length) % pictures.length;
  const button = pictures[shown];
  const image = $("img", view);
  image.src = button.dataset.src;
  image.alt = button.dataset.name;
  $("[data-paper-title]", viewer).textContent = button.dataset.name;
  setZoom(1);
  for (const one of $$("[data-paper-step]", viewer)) one.hidden = pictures.length < 2;
  show(viewer);
}

function setZoom(times) {
  view.dataset.zoom = String(times);
  view.classList.toggle("zoomed", times > 1);
  zoom.textContent = `${times}×`;
}

function zoomOn() { setZoom({ 1: 2, 2: 4, 4: 1 }[Number(view.dataset.zoom)]); }

for (const [at, button] of pictures.entries()) button.addEventListener("click", () => showPaper(at));
$("[data-zoom-step]", viewer || document)?.addEventListener("click", zoomOn);
for (const one of $$("[data-paper-step]")) one.addEventListener("click", () => showPaper(shown + Number(one.dataset.paperStep)));
viewer?.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const key = event.key.toLowerCase();
  if (key === "z") zoomOn();
  else if (key === "arrowright" && view.dataset.zoom === "1") showPaper(shown + 1);
  else if (key === "arrowleft" && view.dataset.zoom === "1") showPaper(shown - 1);
  else return;
  event.preventDefault();
});
for (const image of $$(".paper img")) {
  const missing = () => { image.replaceWith(Object.assign(document.createElement("span"), { className: "file s", textContent: zh ? "图片没有打开" : "The picture did not open" })); };
  if (image.complete && image.src && !image.naturalWidth && image.loading !== "lazy") missing();
  image.addEventListener("error", missing);
}

/* ---- the seconds in which an approval can be taken back, by the server's count */
const undo = $("[data-undo]");
if (undo) {
  const until = performance.now() + Number(undo.dataset.undo) * 1000;
  const left = $("[data-left]", undo);
  const bar = $("progress", undo);
  const tick = () => {
    const seconds = (until - performance.now()) / 1000;
    if (seconds <= 0) { undo.remove(); clearInterval(timer); return; }
    left.textContent = left.dataset.words.replace("{n}", String(Math.ceil(seconds)));
    bar.value = seconds;
  };
  const timer = setInterval(tick, 250);
  tick();
}
