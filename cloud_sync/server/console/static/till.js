/* The counter: a code is looked up, what to hand over is shown, and taking it is a request that arrives once. */
import { Queue, ask, newId, settles } from "./till_queue.js";
import { button, card, day, el, grouped, named, plain, problem, refusedCode, result, say, yuan } from "./till_cards.js";
import { offerCamera } from "./till_camera.js";
import { showToday } from "./till_today.js";

const root = document.getElementById("till");
const csrf = document.body.dataset.csrf;
const $ = (selector, place = document) => place.querySelector(selector);
const $$ = (selector, place = document) => [...place.querySelectorAll(selector)];
const API = "/api/v1/merchant";
const LOOK_AGAIN_MS = 2500;
const queue = new Queue({ key: `island_till_${root.dataset.user}`, csrf, answered, changed: showWaiting });
let looking = null;

/* ---- the line to the cloud */
function line(state) {
  const net = $("#net");
  const text = say({ "": "online", lost: "offline", signed_out: "signed_out", busy: "busy" }[state]);
  if (net.textContent !== text) net.textContent = text;
  net.classList.toggle("lost", state !== "");
}

/* ---- requests on their way */
function showWaiting() {
  const items = queue.items;
  line(items.length ? queue.trouble : looking ? "lost" : "");
  const waiting = items.filter((one) => one.tries > 0);
  for (const one of waiting) $(`[data-request="${one.id}"]`)?.remove();
  $("#waiting").replaceChildren(...waiting.map(waitingCard));
}

function waitingCard(item) {
  const title = say({ signed_out: "waits_signed_out", busy: "busy" }[queue.trouble] ?? "waits_network");
  const made = card("wait", "wifi-off", title, [item.what, say("waits_detail", { code: item.id.slice(0, 6), n: item.tries })], [button(say("try_now"), () => queue.now())]);
  if (queue.trouble === "signed_out") $(".row", made).append(el("a", { className: "btn", href: "/sign-in?next=/till", textContent: say("sign_in") }));
  return made;
}

function answered(item, answer) {
  const panel = $(`#panel-${item.panel}`);
  $(".answer", panel).replaceChildren(result(item, answer));
  refreshToday();
}

/* Sends what must count once; its card stands until it is answered, or until it has to wait for the network. */
function submit(panel, request) {
  const id = newId();
  const sending = card("ask", "clock", say("taking"), [request.what]);
  sending.dataset.request = id;
  put(panel, sending);
  queue.add({ ...request, id, panel, body: { ...request.body, request_id: id } });
}

function put(panel, ...cards) { $(".answer", $(`#panel-${panel}`)).replaceChildren(...cards); }

/* ---- a redemption: look up, then take */
async function lookUp(code) {
  looking = { code };
  const mine = looking;
  put("redeem", card("ask", "clock", say("looking"), [grouped(code)]));
  const answer = await ask(`${API}/redemptions/check`, { method: "POST", body: { code }, csrf }).catch(() => null);
  if (looking !== mine) return;
  if (answer?.ok || (answer && settles(answer))) {
    looking = null;
    showWaiting();
    put("redeem", answer.ok ? lookedUp(code, answer.said) : card("bad", "octagon-x", problem(answer)));
    $("#panel-redeem .answer [autofocus]")?.focus();
    return;
  }
  if (answer?.status === 401) { location.assign("/sign-in?next=/till"); return; }
  line("lost");
  put("redeem", card("wait", "wifi-off", say("look_waits"), [say("look_waits_detail")], [button(say("give_up"), () => { looking = null; showWaiting(); put("redeem"); clear("redeem"); })]));
  setTimeout(() => { if (looking === mine) lookUp(code); }, LOOK_AGAIN_MS);
}

function lookedUp(code, said) {
  if (!said.ok) return refusedCode(said);
  const take = button(say("handed_over"), () => {
    clear("redeem");
    submit("redeem", { kind: "use", path: `${API}/redemptions/use`, body: { code }, what: named(said) });
  }, { primary: true, focus: true });
  return card("ask", "gift", say("hand_over", { what: named(said) }), [said.ends_at ? say("until", { day: day(said.ends_at) }) : ""], [take, button(say("not_now"), () => { put("redeem"); clear("redeem"); })]);
}

function clear(id) {
  const form = document.getElementById(id);
  form?.reset();
  $(".code", form)?.focus();
}

/* ---- what each form does */
const acts = {
  redeem(form) { lookUp(plain(form.elements.code.value)); },
  act(form) {
    const chosen = $$("input[name=key]", form).find((one) => one.checked);
    const body = { code: plain(form.elements.person.value), acts: [{ key: chosen.value }] };
    submit("act", { kind: "act", path: `${API}/confirmations`, body, what: chosen.dataset.name });
    form.elements.person.value = "";
  },
  voucher(form) {
    const fen = Math.round(Number(form.elements.amount.value.replace(",", ".")) * 100);
    const body = { code: plain(form.elements.voucher.value), amount_fen: fen };
    submit("voucher", { kind: "spend", path: `${API}/vouchers/spend`, body, what: say("cny", { n: yuan(fen) }) });
    form.reset();
  },
};

function lacking(form) {
  const empty = $$("[required]", form).find((one) => !one.value.trim());
  if (empty) return empty;
  const amount = form.elements.amount;
  return amount && !(Number(amount.value.replace(",", ".")) > 0) ? amount : null;
}

for (const form of $$(".till-panel form")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const missing = lacking(form);
    for (const one of $$("[aria-invalid]", form)) one.removeAttribute("aria-invalid");
    if (missing) { missing.setAttribute("aria-invalid", "true"); missing.focus(); put(form.id, card("bad", "triangle-alert", say("fill_in"))); return; }
    acts[form.id](form);
  });
}

/* ---- codes are grouped while they are typed; the cursor stays at the end, where scanners type */
for (const input of $$("[data-code]")) {
  input.addEventListener("input", () => {
    if (input.selectionStart !== input.value.length) return;
    input.value = grouped(input.value.toUpperCase().replace(/[\s-]/g, ""), Number(input.dataset.code));
  });
}

/* ---- tabs */
const tabs = $$("[role=tab]");
function choose(tab) {
  for (const one of tabs) {
    const on = one === tab;
    one.setAttribute("aria-selected", String(on));
    one.tabIndex = on ? 0 : -1;
    document.getElementById(one.getAttribute("aria-controls")).hidden = !on;
  }
  $(`#${tab.getAttribute("aria-controls")} .code`)?.focus();
  if (tab.id === "tab-today") refreshToday();
}
for (const tab of tabs) {
  tab.addEventListener("click", () => choose(tab));
  tab.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const next = tabs[(tabs.indexOf(tab) + step + tabs.length) % tabs.length];
    choose(next);
    next.focus();
  });
}
function refreshToday() { if (!$("#panel-today")?.hidden) showToday($("#today")); }

/* ---- start */
if (tabs.length) {
  offerCamera($$("[data-camera]"), $("#camera"));
  showWaiting();
  queue.run();
  $("#redeem .code").focus();
}
addEventListener("offline", () => line("lost"));
addEventListener("online", () => showWaiting());
navigator.serviceWorker?.register("/till/worker.js", { scope: "/till" }).catch(() => {});
