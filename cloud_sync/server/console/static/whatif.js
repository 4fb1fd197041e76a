/* What-if: a slider and its field are one; every change replays the year, one replay at a time, the newest last. */
import { $, $$ } from "./app.js";

const QUIET_MS = 250;
const BUSY_AGAIN_MS = 600;
const form = $("#wi-form");
const zh = document.body.dataset.lang === "zh";
const state = { timer: 0, running: false, again: false };

/* ---- a slider: small values need fine steps where the range is wide, so its scale is a square root */
function parts(box) {
  const field = $("input[type=number]", box);
  const range = $("[data-range]", box);
  return { field, range, low: Number(field.min), high: Number(field.max), step: Number(field.step) };
}
function share(value, { low, high }) { return Math.sqrt(Math.min(1, Math.max(0, (value - low) / (high - low)))); }

function show(box) {
  const own = parts(box);
  const { field, range } = own;
  const at = share(Number(field.value), own);
  if (document.activeElement !== range) range.value = String(Math.round(at * 1000));
  const width = range.clientWidth || 280;
  const x = (one) => 9 + one * (width - 18);
  $(".fill", box).setAttribute("width", x(at).toFixed(1));
  const changed = Number(field.value) !== Number(field.dataset.now);
  $(".mark", box).setAttribute("x", (x(share(Number(field.dataset.now), own)) - 1).toFixed(1));
  box.classList.toggle("changed", changed);
  $("[data-was]", box).hidden = !changed;
  range.setAttribute("aria-valuetext", field.value);
}

function fromRange(box) {
  const { field, range, low, high, step } = parts(box);
  const raw = low + (Number(range.value) / 1000) ** 2 * (high - low);
  const digits = (String(step).split(".")[1] || "").length;
  field.value = (low + Math.round((raw - low) / step) * step).toFixed(digits);
}

/* ---- comparing */
function complain(text) {
  const place = $("#wi-problem");
  place.textContent = text;
  place.hidden = !text;
}

async function compare() {
  if (state.running) { state.again = true; return; }
  state.running = true;
  $("#wi-result").setAttribute("aria-busy", "true");
  $("#wi-result").classList.add("wi-busy");
  try {
    const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)), headers: { Accept: "application/json" }, signal: AbortSignal.timeout(60000) });
    if (answer.ok) take(await answer.text()); else await refused(answer);
  } catch (error) {
    if (!(error instanceof TypeError) && error.name !== "TimeoutError" && error.name !== "AbortError") throw error;
    complain(zh ? "服务器没有应答，再动一下滑块重试。" : "The server did not answer. Move a slider to try again.");
  } finally {
    state.running = false;
    $("#wi-result").classList.remove("wi-busy");
    $("#wi-result").removeAttribute("aria-busy");
    if (state.again) { state.again = false; compare(); }
  }
}

async function refused(answer) {
  if (answer.status === 409) { setTimeout(compare, BUSY_AGAIN_MS); return; }
  const said = await answer.json().catch(() => ({}));
  complain([zh ? said.title_zh : said.title, said.detail].filter(Boolean).join(" ") || String(answer.status));
}

function take(html) {
  const fresh = new DOMParser().parseFromString(html, "text/html").querySelector("#wi-result");
  if (!fresh) return;
  complain("");
  $("#wi-result").replaceWith(document.adoptNode(fresh));
  $("#wi-said").textContent = $(".wi-headline", fresh).textContent;
  $("#wi-source").textContent = fresh.dataset.source;
  $("#wi-took span").textContent = fresh.dataset.took;
  const steps = $("#wi-steps", fresh);
  if (steps) $(".steps").replaceWith(steps.content.firstElementChild.cloneNode(true));
}

function soon() {
  clearTimeout(state.timer);
  state.timer = setTimeout(compare, QUIET_MS);
}

form.addEventListener("input", (event) => {
  const box = event.target.closest("[data-slider]");
  if (!box) return;
  if (event.target.matches("[data-range]")) fromRange(box);
  show(box);
  soon();
});
form.addEventListener("submit", (event) => { event.preventDefault(); compare(); });
form.addEventListener("toggle", () => $$("[data-slider]").forEach(show), true);
/* When another version comes in force, what stands beside the sliders is no longer what is in force. */
const inForce = () => $("[data-version]").dataset.version;
const opened = inForce();
new MutationObserver(() => { if (inForce() !== opened && !$("dialog[open]")) location.reload(); }).observe($("#main"), { childList: true, subtree: true });
addEventListener("resize", () => $$("[data-slider]").forEach(show));
$$("[data-slider]").forEach(show);
compare();
