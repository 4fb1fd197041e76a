/* Pages that change by themselves: listens to the stream, watches its heartbeat, and refreshes the parts that moved. */
import { $, $$, queueChanged, select } from "./app.js";
import { drawEvidence } from "./evidence.js";
import { pristine, WHOLE_PARTS } from "./pristine.js";
import { fillWaits } from "./waits.js";

const STALE_S = 5;
const LOST_S = 30;
const GATHER_MS = 250;
const QUIET_REFRESH_MS = 10000;
const SKELETON_MS = 200;
const badge = $("#live");
const watch = { heardAt: performance.now(), heardClock: new Date(), timer: 0, running: false, again: false, known: null };

/* ---- live, stale or lost */
function ageText(seconds) {
  if (seconds < 60) return badge.dataset.s.replace("{n}", Math.round(seconds));
  return badge.dataset.min.replace("{n}", Math.floor(seconds / 60));
}

function showAge() {
  if (!badge || !watch.everHeard) return;
  const age = (performance.now() - watch.heardAt) / 1000;
  const mode = age < STALE_S ? "ok" : age < LOST_S ? "stale" : "lost";
  const word = { ok: badge.dataset.liveWord, stale: badge.dataset.staleWord, lost: badge.dataset.lostWord }[mode];
  badge.className = `live num ${mode}`;
  const text = mode === "ok" ? word : `${word} ${ageText(age)}`;
  if ($("#live-text").textContent !== text) $("#live-text").textContent = text;
  const bar = $("#lostbar");
  if (bar) {
    if (mode === "lost" && bar.hidden) $("#lost-since").textContent = watch.heardClock.toTimeString().slice(0, 8);
    bar.hidden = mode !== "lost";
  }
  document.body.classList.toggle("is-lost", mode === "lost");
}

function heard() {
  watch.heardAt = performance.now();
  watch.heardClock = new Date();
  watch.everHeard = true;
  showAge();
}

/* ---- refreshing parts */
function mergeKeyed(old, fresh) {
  const have = new Map([...old.children].filter((one) => one.dataset.key).map((one) => [one.dataset.key, one]));
  const wanted = [...fresh.children].map((next) => {
    const now = have.get(next.dataset.key);
    if (now && pristine.get(now) === next.outerHTML) return now;
    const source = next.outerHTML;
    pristine.set(next, source);
    if (now) carryOver(now, next); else next.classList.add("fresh");
    return next;
  });
  const same = wanted.length === old.children.length && wanted.every((one, at) => one === old.children[at]);
  if (!same) old.replaceChildren(...wanted);
  return !same;
}

function carryOver(from, to) {
  if (from.matches(".held")) to.classList.toggle("on", from.classList.contains("on"));
  const chosen = $('[data-choice][aria-pressed="true"]', from);
  if (chosen) $(`[data-choice][data-plate="${CSS.escape(chosen.dataset.plate)}"]`, to)?.click();
}

function applyPart(part, next) {
  if (part.hasAttribute("data-keyed")) return mergeKeyed(part, next);
  if (pristine.get(part) === next.outerHTML) return false;
  const adopted = document.adoptNode(next);
  pristine.set(adopted, adopted.outerHTML);
  part.replaceWith(adopted);
  return true;
}

function apply(fresh) {
  const focused = document.activeElement?.closest("[data-key]")?.dataset.key;
  const before = selectedKey();
  for (const part of $$("[data-live]")) {
    const next = fresh.querySelector(`[data-live="${part.dataset.live}"]`);
    if (next) applyPart(part, next);
  }
  keepSelection(before, focused);
  announce();
  fillWaits();
  for (const figure of $$("[data-evidence]:not(.drawn)")) drawEvidence(figure.parentElement);
}

function selectedKey() { return $(".held.on")?.dataset.key; }

function keepSelection(before, focused) {
  const holds = $$(".held");
  if (!holds.length) return;
  const keep = holds.find((one) => one.dataset.key === before) || holds[0];
  for (const one of holds) one.classList.toggle("on", one === keep);
  if (keep.dataset.key !== before) queueChanged();
  if (focused && focused === before && !document.activeElement?.closest("[data-key]") && !$("dialog[open]")) select(keep);
}

function announce() {
  const keys = $$(".held").map((one) => one.dataset.key);
  if (watch.known) {
    const added = keys.filter((key) => !watch.known.has(key));
    if (added.length) { sayNew(added[0]); sound(); }
  }
  watch.known = new Set(keys);
}

function sayNew(key) {
  const place = $("#announce");
  if (!place) return;
  const card = $(`.held[data-key="${CSS.escape(key)}"]`);
  const plate = $("[data-plate-chip] [aria-label]", card)?.getAttribute("aria-label") || "";
  place.textContent = `${place.dataset.text}: ${plate}. ${$("h3", card).textContent}`;
}

async function refresh() {
  if (watch.running) { watch.again = true; return; }
  watch.running = true;
  const slow = setTimeout(() => $("main").setAttribute("aria-busy", "true"), SKELETON_MS);
  try {
    const answer = await fetch(location.href, { headers: { "X-Refresh": "1", Accept: "text/html" }, signal: AbortSignal.timeout(10000) });
    if (answer.redirected && new URL(answer.url).pathname === "/sign-in") { location.assign(answer.url); return; }
    if (answer.ok) {
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      const old = $('[data-live="waiting"]');
      const next = fresh.querySelector('[data-live="waiting"]');
      if (document.body.contains($(".passage-page")) && old) morePassage(fresh, old, next); else apply(fresh);
    }
  } catch (error) {
    if (!(error instanceof TypeError) && error.name !== "TimeoutError" && error.name !== "AbortError") throw error;
  } finally {
    clearTimeout(slow);
    $("main")?.removeAttribute("aria-busy");
    watch.running = false;
    if (watch.again) { watch.again = false; soon(); }
  }
}

/* One passage: what people decide with is exchanged as a whole, unless a dialog is open or nothing differs. */
function morePassage(fresh, old, next) {
  if ($("dialog[open]")) { watch.again = true; return; }
  const decided = old.dataset.state !== next?.dataset.state;
  for (const selector of WHOLE_PARTS) {
    const now = $(selector);
    const then = fresh.querySelector(selector);
    if (!now || !then) continue;
    if (pristine.get(now) === then.outerHTML) continue;
    const chosen = $('[data-choice][aria-pressed="true"]', now)?.dataset.plate;
    const adopted = document.adoptNode(then);
    pristine.set(adopted, adopted.outerHTML);
    const badgeNow = $("#live", now);
    now.replaceWith(adopted);
    if (badgeNow) $("#live", adopted)?.replaceWith(badgeNow);
    if (chosen && !decided) $(`[data-choice][data-plate="${CSS.escape(chosen)}"]`, adopted)?.click();
  }
  if (next) old.dataset.state = next.dataset.state;
  if (decided) queueChanged();
  fillWaits();
  for (const figure of $$("[data-evidence]:not(.drawn)")) drawEvidence(figure.parentElement);
}

function soon() {
  clearTimeout(watch.timer);
  watch.timer = setTimeout(refresh, GATHER_MS);
}

/* ---- sound, only for a new held vehicle, only when switched on */
const button = $("#sound");
let audio = null;
function soundOn() { return localStorage.getItem("island-sound") === "on"; }
function showSound() {
  if (!button) return;
  button.setAttribute("aria-pressed", String(soundOn()));
  $("use", button).setAttribute("href", `/look/icons.svg#${soundOn() ? "volume-2" : "volume-x"}`);
}
function sound() {
  if (!soundOn() || !button) return;
  audio ||= new AudioContext();
  const tone = audio.createOscillator();
  const gain = audio.createGain();
  tone.frequency.value = 660;
  gain.gain.setValueAtTime(0.12, audio.currentTime);
  gain.gain.exponentialRampToValueAtTime(0.001, audio.currentTime + 0.5);
  tone.connect(gain).connect(audio.destination);
  tone.start();
  tone.stop(audio.currentTime + 0.5);
}
button?.addEventListener("click", () => {
  localStorage.setItem("island-sound", soundOn() ? "off" : "on");
  showSound();
  sound();
});

/* ---- start */
function listen() {
  const source = new EventSource("/api/v1/stream");
  source.addEventListener("heartbeat", heard);
  source.addEventListener("change", () => { heard(); soon(); });
  source.addEventListener("open", () => { if (watch.everHeard) soon(); heard(); });
  addEventListener("pagehide", () => source.close());
}

watch.known = new Set($$(".held").map((one) => one.dataset.key));
showSound();
listen();
setInterval(showAge, 1000);
setInterval(() => { if (!document.hidden) soon(); }, QUIET_REFRESH_MS);
document.addEventListener("island:refresh", refresh);
