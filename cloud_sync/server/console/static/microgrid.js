/* The microgrid's live page: draws flow and day from the data in the page, counts the sample's age, serves the dialog. */
import { drawDay } from "./dayplan.js";
import { drawFlow } from "./flow.js";

const LIVE_S = 25;
const LOST_S = 90;
const DRAWINGS = [["flow", "flow-data", drawFlow], ["day", "day-data", drawDay]];
const drawn = new WeakSet();

function draw({ again = false } = {}) {
  for (const [placeId, dataId, drawing] of DRAWINGS) {
    const place = document.getElementById(placeId);
    const source = document.getElementById(dataId);
    if (!place || !source || (drawn.has(source) && !again)) continue;
    drawn.add(source);
    drawing(place, JSON.parse(source.textContent));
  }
}

/* ---- age of the sample, counted from what the server said */
const heard = new WeakMap([[document, 0]]);

function ageText(badge, seconds) {
  if (seconds < 60) return badge.dataset.s.replace("{n}", seconds < 10 ? seconds.toFixed(1) : Math.round(seconds));
  return badge.dataset.min.replace("{n}", Math.floor(seconds / 60));
}

function showAge() {
  const badge = document.getElementById("mg-age");
  if (!badge || badge.dataset.age === undefined) return;
  if (!heard.has(badge)) heard.set(badge, performance.now());
  const age = Number(badge.dataset.age) + (performance.now() - heard.get(badge)) / 1000;
  const mode = age < LIVE_S ? "ok" : age < LOST_S ? "stale" : "lost";
  const word = { ok: badge.dataset.liveWord, stale: badge.dataset.staleWord, lost: badge.dataset.lostWord }[mode];
  if (badge.className !== `live num ${mode}`) badge.className = `live num ${mode}`;
  badge.firstElementChild.textContent = `${word} ${ageText(badge, age)}`;
  document.getElementById("flow")?.classList.toggle("old", mode !== "ok");
}

/* ---- dialog */
document.addEventListener("change", (event) => {
  if (!event.target.matches("[data-takeover]")) return;
  const dialog = event.target.closest("dialog");
  for (const part of dialog.querySelectorAll("[data-takeover-for]")) part.hidden = !part.dataset.takeoverFor.split(" ").includes(event.target.value);
});

draw();
showAge();
setInterval(showAge, 1000);
/* Parts that were exchanged: a drawing's own changes bring no new data, and a badge counts by itself. */
new MutationObserver(() => { draw(); if (!heard.has(document.getElementById("mg-age") || document)) showAge(); }).observe(document.getElementById("main"), { childList: true, subtree: true });
addEventListener("resize", () => draw({ again: true }));
