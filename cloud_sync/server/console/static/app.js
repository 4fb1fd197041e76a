/* Every page: keys, dialogs, forms that answer in place, toasts, waiting times, evidence pictures. */
import "./pristine.js";
import { drawEvidence } from "./evidence.js";
import { fillWaits } from "./waits.js";
import { plateChip, spoken } from "/look/plate.js";

const DECISION_GUARD_MS = 400;
const TOAST_MS = 8000;
const body = document.body;
const zh = body.dataset.lang === "zh";
const state = { goAt: 0, arming: 0 };

export const $ = (selector, root = document) => root.querySelector(selector);
export const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
/* Keys that decide rest for a moment after a page came or its queue changed: they were meant for what stood before. */
function rest(ms) {
  delete body.dataset.armed;
  clearTimeout(state.arming);
  state.arming = setTimeout(() => { body.dataset.armed = ""; }, ms);
}
export function queueChanged() { rest(DECISION_GUARD_MS); }
rest(Math.max(0, DECISION_GUARD_MS - performance.now()));
const visible = (element) => element.getClientRects().length > 0;
const items = () => $$("[data-item]").filter(visible);
const selected = () => $("[data-item].on") || $("tr.sel") || $("#case") || null;

/* ---- toasts */
export function toast(text, { error = false } = {}) {
  const box = document.createElement("div");
  box.className = error ? "toast" : "toast good";
  const words = document.createElement("span");
  words.textContent = text;
  const close = document.createElement("button");
  close.className = "ib";
  close.type = "button";
  close.setAttribute("aria-label", zh ? "关闭" : "Close");
  close.textContent = "×";
  close.addEventListener("click", () => box.remove());
  box.append(words, close);
  $("#toasts")?.append(box);
  if (!error) setTimeout(() => box.remove(), TOAST_MS);
}

/* ---- selection */
export function select(item, { focus = true } = {}) {
  for (const other of $$("[data-item]")) {
    const on = other === item;
    if (other.matches("tr")) other.classList.toggle("sel", on);
    else if (other.matches(".held")) other.classList.toggle("on", on);
    if (on) other.setAttribute("aria-current", "true"); else other.removeAttribute("aria-current");
  }
  drawEvidence(item);
  if (focus) (item.querySelector("[data-open-item]") || item).focus({ preventScroll: true });
  item.scrollIntoView({ block: "nearest" });
}

function move(step) {
  const jump = $(step > 0 ? "[data-next]" : "[data-previous]");
  if (jump) { jump.click(); return; }
  const all = items().filter((item) => item.id !== "case");
  if (!all.length) return;
  const at = all.findIndex((item) => item.matches(".on, .sel"));
  select(all[Math.max(0, Math.min(all.length - 1, at < 0 ? 0 : at + step))]);
}

function openSelected() {
  const link = selected()?.querySelector("[data-open-item]") || selected()?.querySelector('[data-hot="Enter"]');
  if (link) link.click();
}

/* ---- choosing between two readings */
function scopeOf(element) { return element.closest("[data-item]") || selected(); }
function actsOf(item) { return item?.id === "case" ? $("[data-acts]") : item; }

function choose(button) {
  const item = scopeOf(button);
  for (const other of $$("[data-choice]", item)) other.setAttribute("aria-pressed", String(other === button));
  item.dataset.chosen = button.dataset.plate;
  item.dataset.corrected = button.dataset.corrected;
  item.dataset.chosenPermit = button.dataset.permit;
  const acts = actsOf(item);
  const permit = $('[data-act="permit"]', acts);
  if (permit) {
    permit.hidden = !button.dataset.permit;
    const word = $("[data-permit-word]", permit);
    word.textContent = word.dataset.chosenWord.replace("{c}", $(".glyph", button).textContent);
  }
  const hint = $("[data-choose-first]", acts);
  if (hint) hint.hidden = true;
}

/* ---- dialogs */
function fillPlate(dialog, item) {
  const chip = $("[data-plate-chip] > *", item);
  for (const slot of $$("[data-plate-slot]", dialog)) slot.replaceChildren(...(chip ? [chipInRow(chip)] : []));
}

function chipInRow(chip) {
  const copy = chip.cloneNode(true);
  copy.classList.remove("pxl", "pl");
  return copy;
}

function decide(kind, item) {
  const dialog = $("#decide-dialog");
  const form = $("form", dialog);
  form.reset();
  form.action = `/passages/${item.dataset.arrival}/decision`;
  form.elements.outcome.value = kind;
  form.elements.permit_id.value = "";
  form.elements.corrected_plate.value = item.dataset.corrected || "";
  for (const part of $$("[data-for]", dialog)) part.hidden = part.dataset.for !== kind;
  for (const set of $$("[data-reasons]", dialog)) { set.hidden = set.dataset.reasons !== kind; set.disabled = set.hidden; }
  fillPlate(dialog, item);
  show(dialog);
  $(`[data-reasons="${kind}"] input`, dialog).focus();
}

function correct(item) {
  const dialog = $("#correct-dialog");
  const form = $("form", dialog);
  form.reset();
  form.action = `/passages/${item.dataset.arrival}/correction`;
  form.elements.plate.value = item.dataset.chosen || item.dataset.plate || "";
  fillPlate(dialog, item);
  const near = (item.dataset.suggest || "").split(" ").filter(Boolean);
  $("[data-near]", dialog).replaceChildren(...near.map((text) => suggestion(text, form)));
  show(dialog);
  form.elements.plate.select();
}

function suggestion(text, form) {
  const button = document.createElement("button");
  button.type = "button";
  button.append(plateChip(text, "plain", { label: spoken(text) }));
  button.addEventListener("click", () => { form.elements.plate.value = text; form.elements.plate.focus(); });
  return button;
}

export function show(dialog, opener) {
  const problem = $(".problem", dialog);
  if (problem) problem.hidden = true;
  if (opener?.dataset.action) $("form", dialog).action = opener.dataset.action;
  if (opener?.dataset.about) for (const slot of $$("[data-about-slot]", dialog)) slot.textContent = opener.dataset.about;
  if (!dialog.open) dialog.showModal();
}

/* ---- forms that answer in place */
async function send(form) {
  const buttons = $$("button", form).filter((button) => button.type === "submit");
  buttons.forEach((button) => { button.disabled = true; });
  try {
    const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)), headers: { Accept: "application/json" }, signal: AbortSignal.timeout(15000) });
    const said = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Error([zh ? said.title_zh : said.title, zh ? said.why_zh || said.sentence_zh : said.why_en || said.sentence_en, said.code === "setting_refused" ? said.detail : ""].filter(Boolean).join(" ") || String(answer.status));
    done(form, said);
  } catch (error) {
    const away = error instanceof TypeError || error.name === "TimeoutError";
    complain(form, away ? (zh ? "没有连上服务器，什么也没改。再试一次。" : "The server did not answer and nothing changed. Try again.") : error.message);
  } finally {
    buttons.forEach((button) => { button.disabled = false; });
  }
}

function done(form, said) {
  form.closest("dialog")?.close();
  const live = form.matches("[data-decide-form], [data-correct-form], [data-permit-form]");
  if (live || form.closest("#note-dialog, #revise-dialog")) {
    toast(said.message);
    document.dispatchEvent(new CustomEvent("island:refresh"));
    return;
  }
  location.assign(`${said.href}${said.href.includes("?") ? "&" : "?"}done=${said.done}`);
}

function complain(form, text) {
  const place = $(".problem", form);
  if (!place) { toast(text, { error: true }); return; }
  place.textContent = text;
  place.hidden = false;
  place.focus();
}

function lacking(form) {
  const reasons = $$('fieldset:not([hidden]) [name="reason_code"]', form);
  const note = form.elements.note?.value.trim();
  if (reasons.length && !reasons.some((one) => one.checked) && !note) return zh ? "选一个原因，或写一句。" : "Choose a reason or write one.";
  const outcomes = $$('input[type=radio][name="outcome"]', form);
  if (outcomes.length && !outcomes.some((one) => one.checked)) return zh ? "选应该怎样处理。" : "Choose what it should have been.";
  const empty = $$("[required]", form).find((one) => !one.value.trim());
  for (const one of $$("[required]", form)) one.toggleAttribute("aria-invalid", false);
  if (empty) { empty.setAttribute("aria-invalid", "true"); return zh ? "还有空着的必填项。" : "A required field is empty."; }
  return "";
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("[data-fetch], [data-decide-form], [data-correct-form], [data-permit-form]")) return;
  event.preventDefault();
  const why = lacking(form);
  if (why) complain(form, why); else send(form);
});

/* ---- acts */
function act(button) {
  const item = button.closest("[data-acts]") ? $("#case") : scopeOf(button) || $("#case");
  switch (button.dataset.act) {
    case "admit": case "refuse": decide(button.dataset.act, item); break;
    case "correct": correct(item); break;
    case "permit": {
      const form = $("[data-permit-form]", actsOf(item));
      form.elements.permit_id.value = item.dataset.chosenPermit || item.dataset.permit;
      form.elements.corrected_plate.value = item.dataset.corrected || "";
      form.requestSubmit();
      break;
    }
    case "zoom": {
      const on = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", String(on));
      drawEvidence($("#stage"), { zoom: on });
      break;
    }
    case "revise": show($("#revise-dialog")); break;
  }
}

document.addEventListener("click", (event) => {
  const target = event.target;
  const opener = target.closest("[data-open]");
  if (opener && opener.dataset.act === undefined) { show(document.getElementById(opener.dataset.open), opener); return; }
  if (target.closest("[data-close]")) { target.closest("dialog").close(); return; }
  const choice = target.closest("[data-choice]");
  if (choice) { choose(choice); return; }
  const button = target.closest("[data-act]");
  if (button) { act(button); return; }
  const frame = target.closest("[data-frame]");
  if (frame) { showFrame(frame); return; }
  const hold = target.closest(".held:not(.on)");
  if (hold) { event.preventDefault(); select(hold); return; }
  const row = target.closest("tr[data-item]");
  if (row && !target.closest("a, button, select, input, label")) select(row);
});
document.addEventListener("dblclick", (event) => {
  const row = event.target.closest("tr[data-item]");
  if (row) row.querySelector("[data-open-item]")?.click();
});
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
});

function showFrame(button) {
  for (const other of $$("[data-frame]")) other.classList.toggle("on", other === button);
  const image = $("#stage img");
  image.src = button.dataset.frame;
  drawEvidence($("#stage"));
}

/* ---- keys */
function typing(target) {
  return target.closest("textarea, select, [contenteditable]") || (target.matches("input") && !["radio", "checkbox"].includes(target.type));
}

function pressHot(key) {
  const item = selected();
  const all = $$("[data-hot]").filter((element) => element.dataset.hot === key && !element.hidden && !element.disabled);
  const inItem = all.find((element) => item?.contains(element) || actsOf(item)?.contains(element));
  const found = inItem || all.find((element) => !element.closest("[data-item]:not(#case)"));
  if (!found) return false;
  if (found.matches("[data-decision], [data-choice]") && !("armed" in body.dataset)) return true;
  if (found.matches("input")) found.focus(); else found.click();
  return true;
}

function inDialog(event, dialog) {
  if (typing(event.target) || !/^[1-9]$/.test(event.key)) return;
  const radios = $$("fieldset:not([hidden]) input[name=reason_code]", dialog).filter((one) => !one.disabled && visible(one));
  const one = radios[Number(event.key) - 1];
  if (one) { one.checked = true; one.focus(); event.preventDefault(); }
}

function goTo(key) {
  const link = $(`[data-go="${key}"]`);
  if (link) link.click();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const dialog = $("dialog[open]");
  if (dialog) { inDialog(event, dialog); return; }
  if (event.key === "Escape") {
    if (typing(event.target)) event.target.blur(); else $("[data-back]")?.click();
    return;
  }
  if (typing(event.target) || body.dataset.keys === "off") return;
  const key = event.key.length === 1 ? event.key.toUpperCase() : event.key;
  if (state.goAt && performance.now() - state.goAt < 1500) { state.goAt = 0; goTo(key); event.preventDefault(); return; }
  if (key === "G") { state.goAt = performance.now(); return; }
  if (key === "J" || key === "K") { move(key === "J" ? 1 : -1); event.preventDefault(); return; }
  if (key === "Enter") { if (!event.target.closest("a, button, summary, input")) openSelected(); return; }
  if (key === "?") { show($("#keys-dialog")); event.preventDefault(); return; }
  if (pressHot(key)) event.preventDefault();
});

/* ---- find */
const find = $("[data-find]");
find?.addEventListener("input", () => {
  const text = find.value.trim().toLowerCase();
  for (const row of $$("[data-jump] li")) row.hidden = !row.textContent.toLowerCase().includes(text);
});
find?.form.addEventListener("submit", (event) => {
  const text = find.value.trim();
  const hits = $$("[data-jump] li").filter((row) => !row.hidden);
  if (text && hits.length === 1) { event.preventDefault(); location.assign($("a", hits[0]).href); }
});

/* ---- pictures that have not arrived */
document.addEventListener("error", (event) => {
  const figure = event.target instanceof Element && event.target.matches(".ev img") && event.target.closest(".ev");
  if (!figure) return;
  event.target.hidden = true;
  $(".noimg", figure).hidden = false;
}, true);
document.addEventListener("load", (event) => {
  if (event.target instanceof Element && event.target.matches(".ev img")) drawEvidence(event.target.closest(".ev").parentElement);
}, true);

/* A picture is drawn anew when its place changes its size. */
const sizes = new ResizeObserver((entries) => { for (const entry of entries) drawEvidence(entry.target); });
function watchSizes() { for (const figure of $$("[data-evidence]:not([data-watched])")) { figure.dataset.watched = ""; sizes.observe(figure); } }

/* ---- start */
fillWaits();
setInterval(fillWaits, 1000);
for (const figure of $$("[data-evidence]")) drawEvidence(figure.parentElement);
for (const image of $$(".ev img")) if (image.complete && !image.naturalWidth) image.dispatchEvent(new Event("error"));
if (location.hash === "#revise" && $("#revise-dialog")) show($("#revise-dialog"));
if (new URLSearchParams(location.search).has("done")) {
  const clean = new URL(location.href);
  clean.searchParams.delete("done");
  history.replaceState(null, "", clean);
}
addEventListener("resize", () => { for (const figure of $$("[data-evidence]")) drawEvidence(figure.parentElement); });
new MutationObserver(watchSizes).observe(body, { childList: true, subtree: true });
watchSizes();
addEventListener("pagehide", () => $("main")?.classList.add("leaving"));
