/* The hut's page: draws the state that the gateway sends, and sends a guard's decisions. Text is only ever set as text. */
import { plateChip } from "/look/plate.js";

const boot = JSON.parse(document.querySelector("#boot").textContent);
const root = document.documentElement;
const lang = root.dataset.lang;
const $ = (id) => document.getElementById(id);
const QUIET_MS = 400;
const PICTURE_MS = 500;
const LOST_MS = 12000;

let state = null;
let shownHold = null;
let chosen = null;
let arming = 0;
let lastState = 0;
let clockSkewMs = 0;
let known = null;
let busy = false;

/* ------------------------------------------------------------------------------------------------ words and pieces */

function w(key, values = {}) {
  const pair = boot.words[key];
  const text = pair ? pair[lang] : key;
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

function node(tag, className = "", ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "i");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("viewBox", "0 0 24 24");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `/look/icons.svg#${name}`);
  svg.append(use);
  return svg;
}

function key(letter) {
  const made = node("kbd", "", letter);
  made.setAttribute("aria-hidden", "true");
  return made;
}

function span(seconds) {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return lang === "zh" ? `${s} 秒` : `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)}:${String(s % 60).padStart(2, "0")}`;
  const [h, m] = [Math.floor(s / 3600), Math.floor((s % 3600) / 60)];
  return lang === "zh" ? `${h} 小时 ${m} 分` : `${h} h ${m} min`;
}

function clockText(iso, seconds = false) {
  const at = new Date(iso);
  const options = { hour: "2-digit", minute: "2-digit", hour12: false, ...(seconds ? { second: "2-digit" } : {}) };
  return new Intl.DateTimeFormat("en-GB", options).format(at);
}

function chip(plate, size) {
  if (!plate) return plateChip("", "none", { label: w("unread"), size });
  return plateChip(plate.text, plate.ground, { label: plate.spoken, size, unsure: plate.unsure || [] });
}

/* ------------------------------------------------------------------------------------------------------------ rest */

/* What decides rests for a moment after another vehicle came up: it was meant for the one before. */
function rest() {
  delete document.body.dataset.armed;
  clearTimeout(arming);
  arming = setTimeout(() => { document.body.dataset.armed = ""; }, QUIET_MS);
}

function armed() {
  return "armed" in document.body.dataset;
}

/* -------------------------------------------------------------------------------------------------------- drawing */

function draw() {
  const hold = currentHold();
  const id = hold ? hold.arrival_id : null;
  if (id !== shownHold) {
    shownHold = id;
    chosen = null;
    rest();
    $("photo").hidden = true;
  }
  drawHead(hold);
  drawBanner();
  drawQueue();
  drawPicture(hold);
  drawFacts(hold);
  drawTypes(hold);
  drawActs(hold);
  drawRecent();
  speak();
}

function waitingHolds() {
  return state.holds;
}

function currentHold() {
  const holds = waitingHolds();
  return holds.find((hold) => hold.arrival_id === shownHold) || holds.find((hold) => !hold.guard) || holds[0] || null;
}

function currentLane(hold) {
  return state.lanes.find((lane) => hold && lane.id === hold.lane_id) || state.lanes[0];
}

function word(ok, iconName, text) {
  return node("span", `v ${ok ? "admit" : "refuse"}`, icon(ok ? iconName : "triangle-alert"), text);
}

function trouble(part) {
  const since = part.for_s === undefined ? "" : ` ${w("since", { t: span(part.for_s) })}`;
  return `${w(part.why)}${since}`;
}

function drawHead(hold) {
  const lane = currentLane(hold);
  $("lane-name").textContent = lane.name[lang];
  const parts = [word(lane.camera.ok, "scan-eye", lane.camera.ok ? w("camera_ok") : trouble(lane.camera))];
  if (lane.barrier) parts.push(word(lane.barrier.ok, "construction", lane.barrier.ok ? w("barrier_ok") : trouble(lane.barrier)));
  if (lane.loop && lane.loop.ok) {
    const text = w(lane.loop.occupied ? "loop_occupied" : "loop_free");
    parts.push(node("span", lane.loop.occupied ? "v admit" : "v dim", icon("circle-dot"), text));
  } else if (lane.loop && lane.barrier.ok) parts.push(word(false, "circle-dot", w("loop_fault")));
  $("health").replaceChildren(...parts);
}

function drawBanner() {
  const banner = $("banner");
  const lost = performance.now() - lastState > LOST_MS;
  const away = state.cloud.configured && !state.cloud.connected;
  banner.className = `banner ${lost || !state.disk_ok ? "bad" : "stale"}`;
  banner.hidden = !(lost || away || !state.disk_ok);
  if (banner.hidden) { banner.replaceChildren(); return; }
  if (lost) banner.replaceChildren(icon("triangle-alert"), w("lost_page"));
  else if (!state.disk_ok) banner.replaceChildren(icon("hard-drive"), w("disk_full"));
  else banner.replaceChildren(...awayWords());
}

function awayWords() {
  const permits = state.cloud.permits_at;
  const text = node("span", "", node("b", "", w("cloud_away", { t: span(state.cloud.for_s) })), lang === "en" ? " " : "");
  text.append(permits ? w("cloud_away_more", { p: clockText(permits) }) : w("cloud_away_none"));
  const backlog = node("span", "num mut", w("backlog", { n: state.cloud.backlog }));
  return [icon("cloud-off"), text, node("span", "sp"), backlog];
}

function drawQueue() {
  const holds = waitingHolds();
  $("lanes").hidden = holds.length < 2;
  const focused = document.activeElement?.dataset?.arrival;
  $("lanes").replaceChildren(...holds.map(queueButton));
  if (focused) $("lanes").querySelector(`[data-arrival="${CSS.escape(focused)}"]`)?.focus();
}

function queueButton(hold) {
  const lane = state.lanes.find((one) => one.id === hold.lane_id);
  const button = node("button", "", chip(hold.plate, "p28"), lane.name[lang], node("span", "num dim", w("waiting", { t: span(hold.waiting_s) })));
  button.type = "button";
  button.dataset.arrival = hold.arrival_id;
  button.setAttribute("aria-current", String(hold.arrival_id === shownHold));
  button.addEventListener("click", () => show(hold.arrival_id));
  return button;
}

function show(arrivalId) {
  if (arrivalId === shownHold) return;
  shownHold = arrivalId;
  chosen = null;
  rest();
  $("photo").hidden = true;
  draw();
}

function drawPicture(hold) {
  const photo = $("photo");
  const lane = currentLane(hold);
  photo.alt = hold && hold.has_frame ? w("held_picture") : w("live_picture", { lane: lane.name[lang] });
  if (hold && hold.has_frame) {
    const wanted = `/api/holds/${hold.arrival_id}/frame.jpg`;
    if (photo.getAttribute("src") !== wanted) photo.setAttribute("src", wanted);
  }
  placeBrackets(hold);
}

function placeBrackets(hold) {
  const brackets = $("brackets");
  brackets.hidden = !(hold && hold.quad && hold.frame_size && !$("photo").hidden);
  if (brackets.hidden) return;
  const [box, [width, height]] = [$("picture").getBoundingClientRect(), hold.frame_size];
  const scale = Math.min(box.width / width, box.height / height);
  const [left, top] = [(box.width - width * scale) / 2, (box.height - height * scale) / 2];
  const xs = hold.quad.map((point) => point[0]);
  const ys = hold.quad.map((point) => point[1]);
  brackets.style.left = `${left + Math.min(...xs) * scale - 6}px`;
  brackets.style.top = `${top + Math.min(...ys) * scale - 6}px`;
  brackets.style.width = `${(Math.max(...xs) - Math.min(...xs)) * scale + 12}px`;
  brackets.style.height = `${(Math.max(...ys) - Math.min(...ys)) * scale + 12}px`;
  const place = hold.plate.unsure[0];
  brackets.replaceChildren(...(place === undefined ? [] : [node("span", "", w("unsure_place", { n: place + 1 }))]));
}

function drawFacts(hold) {
  if (!hold) { $("facts").replaceChildren(emptyWords(), ...passRow(currentLane(null).pass)); return; }
  const asks = node("div", "");
  const question = questionOf(hold);
  if (question) asks.append(node("div", "v unsure ask", icon("circle-question-mark"), question), node("div", "mut", w("look_up")));
  else if (!hold.plate) asks.append(node("div", "v hold ask", icon("circle-pause"), w("no_plate")));
  const row = node("div", "readrow", chip(hold.plate, "phut"), asks);
  const told = hold.reasons.filter((reason) => !hold.pass || !reason.code.startsWith("pass_"));
  const parts = [row, ...passRow(hold.pass), ...told.slice(0, 2).map(reasonRow)];
  if (hold.guard) parts.push(node("div", "reason", icon("octagon-x"), w("guard_refused", { by: hold.guard.by })));
  const wait = node("div", "num dim", w("waiting", { t: span(hold.waiting_s) }));
  $("facts").replaceChildren(...parts, wait);
}

/* ---------------------------------------------------------------------------------------------------- vehicle type */

const TYPE_ICON = {
  car: "car", minibus: "van", bus: "bus", pickup: "truck", truck: "truck", fire_engine: "fire-extinguisher",
  ambulance: "ambulance", police_car: "siren", crane: "construction", machinery: "tractor", sanitation: "brush-cleaning",
  golf_cart: "land-plot", motorcycle: "motorbike", tricycle: "bike", unknown: "circle-question-mark",
};

let drawnTypes = "";
function drawTypes(hold) {
  // Like the big buttons: the same elements stay while nothing about them changes.
  const now = JSON.stringify(hold && hold.vehicle ? [hold.arrival_id, hold.vehicle] : null);
  if (now === drawnTypes) return;
  drawnTypes = now;
  $("typerow").hidden = !(hold && hold.vehicle);
  if ($("typerow").hidden) { $("types").close(); return; }
  const focused = document.activeElement?.dataset?.act;
  $("typerow").replaceChildren(...typeChoices(hold));
  if (focused) $("typerow").querySelector(`[data-act="${CSS.escape(focused)}"]`)?.focus();
}

function typeChoices(hold) {
  const { type, confidence, others, named: said } = hold.vehicle;
  const read = confidence === null ? others : [type, ...others];
  const offered = said && !read.includes(said) ? [said, ...read.slice(0, 2)] : read;
  const lead = node("span", "mut", said || confidence !== null ? w("vehicle_type") : w("type_unsure"));
  const more = node("button", "type", w("type_other"), key("T"));
  more.type = "button";
  more.setAttribute("aria-haspopup", "dialog");
  more.addEventListener("click", () => askType(hold));
  return [lead, ...offered.map((one) => named(typeButton(hold, one, one === type ? confidence : null), `type-${one}`)), named(more, "types")];
}

function typeButton(hold, type, confidence) {
  const share = confidence === null ? null : node("span", "num", `${Math.round(confidence * 100)} %`);
  const button = node("button", "type", icon(TYPE_ICON[type]), w(`t_${type}`), share);
  button.type = "button";
  button.setAttribute("aria-pressed", String(hold.vehicle.named === type));
  button.addEventListener("click", () => nameVehicle(hold, type));
  return button;
}

function askType(hold) {
  $("types-all").replaceChildren(...boot.vehicle_types.map((type) => typeButton(hold, type, null)));
  $("types").showModal();
}

function nameVehicle(hold, type) {
  $("types").close();
  const words = (told) => w(told.learnt_from ? "type_kept" : "type_only", { t: w(`t_${type}`) });
  post(`/api/holds/${hold.arrival_id}/vehicle`, { type }, words);
}

function questionOf(hold) {
  if (hold.readings.length < 2) return "";
  const [a, b] = hold.readings;
  if (a.differs === null) return w("which_plate");
  return w("which", { a: a.text[a.differs], b: b.text[b.differs] });
}

function reasonRow(reason) {
  const near = reason.code === "near_permit";
  const text = node("span", "", reason[lang]);
  if (near && reason.detail) text.append(" ", node("b", "num", reason.detail));
  if (reason.code === "plate_unavailable" && boot.words[reason.detail]) text.append(" · ", w(reason.detail));
  return node("div", "reason", node("span", near ? "c-permit" : "c-hold", icon(near ? "shield-check" : "circle-pause")), text);
}

function passRow(pass) {
  if (!pass) return [];
  const problem = pass.problem[lang];
  const words = pass.valid
    ? w("pass_good", { p: pass.spoken, t: untilText(pass.valid_until) })
    : w(pass.spoken ? "pass_bad_for" : "pass_bad", { p: pass.spoken, why: problem });
  const text = node("span", "", words);
  if (pass.valid && pass.entries_left !== null) text.append(" · ", node("span", "num", w("pass_left", { n: pass.entries_left })));
  return [node("div", "reason passrow", node("span", pass.valid ? "c-permit" : "c-refuse", icon(pass.valid ? "shield-check" : "octagon-x")), text)];
}

function untilText(iso) {
  const options = { month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", hour12: false };
  return new Intl.DateTimeFormat(lang === "zh" ? "zh-CN" : "en-GB", options).format(new Date(iso));
}

function emptyWords() {
  const last = state.recent[0];
  const more = last ? w("last_at", { t: clockText(last.at) }) : "";
  return node("p", "empty", `${w("nobody")}${lang === "en" ? " " : ""}${more}`);
}

/* -------------------------------------------------------------------------------------------------------- actions */

function action(kind, iconName, title, small, letter, run) {
  const button = node("button", `big grow ${kind}`, icon(iconName), node("span", "", title, small ? node("small", "", small) : null), letter ? key(letter) : null);
  button.type = "button";
  button.addEventListener("click", run);
  return button;
}

let drawnActs = "";
function drawActs(hold) {
  // Buttons stay the same elements while nothing about them changes, so that no click falls between two drawings.
  const now = JSON.stringify([hold && [hold.arrival_id, hold.readings, hold.guard], chosen, currentLane(hold).id]);
  if (now === drawnActs) return;
  drawnActs = now;
  const focused = document.activeElement?.dataset?.act;
  const acts = hold ? holdActs(hold) : armActs();
  $("acts").replaceChildren(...acts);
  if (focused) $("acts").querySelector(`[data-act="${CSS.escape(focused)}"]`)?.focus();
}

function named(button, act) {
  button.dataset.act = act;
  return button;
}

function holdActs(hold) {
  const acts = [];
  const choices = hold.readings.length > 1;
  if (choices) acts.push(node("div", "pair", ...hold.readings.map((reading, at) => choice(reading, at))));
  const reading = choices ? chosen : hold.readings[0];
  if (reading && reading.permit) acts.push(named(action("permit", "shield-check", w("admit_permit"), permitWords(reading), "P", () => permitAdmit(hold, reading)), "permit"));
  acts.push(named(action("admit", "circle-check", w("admit"), w("admit_small"), "A", () => ask("admit", hold)), "admit"));
  if (!hold.guard) acts.push(named(action("refuse", "octagon-x", w("refuse"), w("refuse_small"), "R", () => ask("refuse", hold)), "refuse"));
  return acts;
}

function permitWords(reading) {
  return w("admit_permit_small", { p: reading.spoken });
}

function choice(reading, at) {
  const short = reading.differs === null ? reading.spoken : w("it_is", { c: reading.text[reading.differs] });
  const plate = plateChip(reading.text, reading.ground, { label: reading.spoken, unsure: reading.differs === null ? [] : [reading.differs] });
  const small = reading.permit ? w("permit_until", { t: clockText(reading.permit.valid_until) }) : w("no_permit_for");
  const button = node("button", "big choice", node("span", "line", short, key(String(at + 1))), plate, node("small", "", reading.permit ? `${w("has_permit", { p: "" })} ${small}` : small));
  button.type = "button";
  button.setAttribute("aria-pressed", String(chosen !== null && chosen.text === reading.text));
  button.addEventListener("click", () => { chosen = reading; draw(); });
  return named(button, `choice${at}`);
}

function armActs() {
  const lane = currentLane(null);
  if (!lane.barrier) return [];
  return [
    named(action("thin", "arrow-up-right", w("open_arm"), w("admit_small"), "", () => ask("open", null)), "open"),
    named(action("thin", "corner-down-left", w("close_arm"), w("admit_small"), "", () => ask("close", null)), "close"),
  ];
}

const TITLE_OF = { admit: "why_admit", refuse: "why_refuse", open: "why_open", close: "why_close" };

function ask(what, hold) {
  const reasons = what === "refuse" ? boot.refuse_reasons : boot.admit_reasons;
  $("why-title").textContent = w(TITLE_OF[what]);
  $("why-note").value = "";
  $("why-trouble").hidden = true;
  $("why-reasons").replaceChildren(...reasons.map((code, at) => reasonButton(code, at, what, hold)));
  $("why").showModal();
}

function reasonButton(code, at, what, hold) {
  const button = node("button", "big thin", node("span", "", w(`r_${code}`)), key(String(at + 1)));
  button.type = "button";
  button.addEventListener("click", () => reasonGiven(code, what, hold));
  return button;
}

function reasonGiven(code, what, hold) {
  const note = $("why-note").value.trim();
  if (code === "other" && !note) {
    $("why-trouble").textContent = w("note_needed");
    $("why-trouble").hidden = false;
    $("why-note").focus();
    return;
  }
  $("why").close();
  if (hold) decide(hold, { outcome: what, reason_code: code, note, reading: readingText() });
  else post(`/api/lanes/${currentLane(null).id}/barrier`, { action: what, reason_code: code, note }, w("done_arm"));
}

function readingText() {
  return chosen ? chosen.text : null;
}

function permitAdmit(hold, reading) {
  decide(hold, { outcome: "admit", reason_code: "permit_checked", reading: reading.text, under_permit: true });
}

function decide(hold, body) {
  const name = chosen ? chosen.spoken : hold.plate ? hold.plate.spoken : w("unread");
  post(`/api/holds/${hold.arrival_id}/decision`, body, w(`done_${body.outcome}`, { p: name }));
}

async function post(url, body, doneWords) {
  if (busy || !armed()) return;
  busy = true;
  try {
    const headers = { "Content-Type": "application/json", "X-Island-CSRF": boot.csrf };
    const answer = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
    if (answer.ok) toast(typeof doneWords === "function" ? doneWords(await answer.json()) : doneWords, false);
    else toast(await failure(answer), true);
  } catch {
    toast(w("a_failed"), true);
  } finally {
    busy = false;
  }
}

async function failure(answer) {
  if (answer.status === 401) { location.assign("/sign-in"); return w("a_failed"); }
  const body = await answer.json().catch(() => ({}));
  return boot.words[`a_${body.detail}`] ? w(`a_${body.detail}`) : w("a_failed");
}

let toastTimer = 0;
function toast(text, bad) {
  const box = $("toast");
  box.className = `toast${bad ? " bad" : ""}`;
  box.textContent = text;
  box.hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => { box.hidden = true; }, bad ? 12000 : 5000);
}

/* --------------------------------------------------------------------------------------------------------- recent */

const LOOK_OF = { admit: ["admit", "circle-check"], admit_under_permit: ["permit", "shield-check"], hold: ["hold", "circle-pause"], refuse: ["refuse", "octagon-x"] };

function drawRecent() {
  const items = state.recent.map((one) => {
    const [look, iconName] = LOOK_OF[one.outcome];
    const text = one.emergency && one.outcome !== "refuse" ? w("out_emergency") : w(`out_${one.outcome}`);
    return node("li", "", node("span", "num dim", clockText(one.at)), chip(one.plate, "p30"), node("span", `v ${look}`, icon(iconName), text));
  });
  $("recent").replaceChildren(...(items.length ? items : [node("li", "mut", w("none_recent"))]));
}

/* ------------------------------------------------------------------------------------------------ sound and speech */

function speak() {
  const ids = new Set(waitingHolds().map((hold) => hold.arrival_id));
  const fresh = known === null ? [...waitingHolds()] : waitingHolds().filter((hold) => !known.has(hold.arrival_id));
  if (fresh.length) {
    const lane = currentLane(fresh[0]).name[lang];
    const plate = fresh[0].plate ? fresh[0].plate.spoken : w("no_plate");
    $("spoken").textContent = w("new_held", { lane, plate });
    if (known !== null) chime();
  }
  known = ids;
}

function chime() {
  if (!window.AudioContext || !navigator.userActivation?.hasBeenActive) return;
  const audio = new AudioContext();
  const tone = audio.createOscillator();
  const level = audio.createGain();
  level.gain.setValueAtTime(0.15, audio.currentTime);
  level.gain.exponentialRampToValueAtTime(0.001, audio.currentTime + 0.5);
  tone.frequency.value = 660;
  tone.connect(level).connect(audio.destination);
  tone.start();
  tone.stop(audio.currentTime + 0.5);
  tone.addEventListener("ended", () => audio.close());
}

/* ------------------------------------------------------------------------------------------------------- live feed */

let liveUrl = "";
async function livePicture() {
  const hold = state && currentHold();
  if (state && !(hold && hold.has_frame) && document.visibilityState === "visible") {
    const answer = await fetch(`/api/lanes/${currentLane(hold).id}/picture.jpg`).catch(() => null);
    if (answer && answer.ok) await showLive(await answer.blob());
    else $("photo").hidden = true;
  }
  setTimeout(livePicture, PICTURE_MS);
}

async function showLive(blob) {
  const url = URL.createObjectURL(blob);
  $("photo").setAttribute("src", url);
  if (liveUrl) URL.revokeObjectURL(liveUrl);
  liveUrl = url;
}

$("photo").addEventListener("load", () => { $("photo").hidden = false; $("nopicture").hidden = true; if (state) placeBrackets(currentHold()); });
$("photo").addEventListener("error", () => { $("photo").hidden = true; $("nopicture").hidden = false; });
window.addEventListener("resize", () => { if (state) placeBrackets(currentHold()); });

function listen() {
  const source = new EventSource("/api/changes");
  source.addEventListener("state", (event) => {
    state = JSON.parse(event.data);
    lastState = performance.now();
    clockSkewMs = new Date(state.at).getTime() - Date.now();
    draw();
  });
  source.addEventListener("error", () => {
    if (source.readyState === EventSource.CLOSED) setTimeout(() => location.reload(), 2000);
  });
}

function tick() {
  $("clock").textContent = clockText(new Date(Date.now() + clockSkewMs).toISOString(), true);
  if (!state) return;
  for (const hold of state.holds) hold.waiting_s += 1;
  state.cloud.for_s += 1;
  drawBanner();
  drawQueue();
}

/* ------------------------------------------------------------------------------------------------------------ keys */

function typing(event) {
  return event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName);
}

function dialogKey(event) {
  const at = Number(event.key) - 1;
  const buttons = $("why-reasons").querySelectorAll("button");
  if ($("why").open && buttons[at]) { event.preventDefault(); buttons[at].click(); }
}

function press(event) {
  if (typing(event)) return;
  if ($("why").open || $("keylist").open || $("types").open) { dialogKey(event); return; }
  if (event.key === "?") { $("keylist").showModal(); return; }
  if (!state || !armed()) return;
  if (event.key.toLowerCase() === "t" && !$("typerow").hidden) { event.preventDefault(); $("typerow").querySelector('[data-act="types"]').click(); return; }
  const act = { p: "permit", a: "admit", r: "refuse", 1: "choice0", 2: "choice1" }[event.key.toLowerCase()];
  const button = act && $("acts").querySelector(`[data-act="${act}"]`);
  if (button) { event.preventDefault(); button.click(); return; }
  if ("jk".includes(event.key.toLowerCase())) turnTo(event.key.toLowerCase() === "j" ? 1 : -1);
}

function turnTo(step) {
  const holds = waitingHolds();
  if (holds.length < 2) return;
  const at = holds.findIndex((hold) => hold.arrival_id === shownHold);
  show(holds[(at + step + holds.length) % holds.length].arrival_id);
}

function keep(name, value) {
  document.cookie = `${name}=${value};path=/;max-age=31536000;samesite=strict`;
}

$("why-cancel").addEventListener("click", () => $("why").close());
$("keys").addEventListener("click", () => $("keylist").showModal());
$("lang").addEventListener("click", () => { keep("island_lang", lang === "zh" ? "en" : "zh"); location.reload(); });
$("theme").addEventListener("click", () => {
  const next = root.dataset.theme === "dark" ? "light" : "dark";
  root.dataset.theme = next;
  keep("island_theme", next);
  $("theme").textContent = w(next === "dark" ? "to_light" : "to_dark");
});
$("out").addEventListener("click", async () => {
  await fetch("/api/sign-out", { method: "POST", headers: { "Content-Type": "application/json", "X-Island-CSRF": boot.csrf }, body: "{}" });
  location.assign("/sign-in");
});
document.addEventListener("keydown", press);
setInterval(tick, 1000);
tick();
rest();
listen();
livePicture();
