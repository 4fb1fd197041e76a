/* What the counter says: cards from answers, in the reader's words. */
const root = document.getElementById("till");
const words = JSON.parse(root.dataset.words);
const zh = document.documentElement.lang.startsWith("zh");
const clock = new Intl.DateTimeFormat(document.documentElement.lang, { hour: "2-digit", minute: "2-digit", hour12: false, timeZone: root.dataset.zone });
const calendar = new Intl.DateTimeFormat("en-CA", { dateStyle: "short", timeZone: root.dataset.zone });
const whole = new Intl.NumberFormat("en-GB");

export function say(key, values = {}) {
  return words[key].replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

export function at(text) { return clock.format(new Date(text)); }
export function day(text) { return calendar.format(new Date(text)); }
export function named(record, stem = "name") { return record[`${stem}_${zh ? "zh" : "en"}`]; }
export function sentence(reason) { return reason ? reason[zh ? "zh" : "en"] : ""; }
export function points(n) { return whole.format(n).replace("-", "−"); }
export function yuan(fen) { return (Math.abs(fen) / 100).toLocaleString("en-GB", { minimumFractionDigits: 2 }).replace(/^/, fen < 0 ? "−" : ""); }
export function grouped(text, size = 4) { return text.match(new RegExp(`.{1,${size}}`, "g"))?.join("-") ?? ""; }

/* What a code is without its hyphens and blanks; letters that look like digits are those digits. */
export function plain(text) {
  return text.toUpperCase().replace(/[\s-]/g, "").replace(/[IL]/g, "1").replace(/O/g, "0");
}

export function icon(name) {
  return document.querySelector(`#icons`).content.querySelector(`[data-icon="${name}"] svg`).cloneNode(true);
}

export function el(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children.filter(Boolean));
  return made;
}

export function card(tone, sign, title, lines = [], buttons = []) {
  const head = el("div", { className: "top" }, icon(sign), el("div", {}, el("p", { className: "big", textContent: title }), ...lines.filter(Boolean).map((line) => el("p", { className: "mut num", textContent: line }))));
  return el("div", { className: `till-card ${tone}` }, head, buttons.length ? el("div", { className: "row" }, ...buttons) : null);
}

export function button(text, act, { primary = false, focus = false } = {}) {
  const made = el("button", { type: "button", className: primary ? "btn pri" : "btn", textContent: text });
  made.addEventListener("click", act, { once: true });
  if (focus) made.autofocus = true;
  return made;
}

/* The sentence of a problem: what the server said, or what a status means. */
export function problem(answer) {
  const { said } = answer;
  return (zh ? said.sentence_zh || said.title_zh : said.sentence_en || said.title) || say("strange", { status: answer.status });
}

function reasonOf(answer) { return answer.said.reason ?? answer.said.acts?.[0]?.reason ?? null; }

/* The card of a settled request. */
export function result(item, answer) {
  const { said } = answer;
  const reason = reasonOf(answer);
  if (!answer.ok) return card("bad", "octagon-x", problem(answer), [item.what]);
  switch (item.kind) {
    case "use":
      if (said.ok === false) return refusedCode(said);
      return card("good", "circle-check", say("used_now", { what: named(said) || item.what }), [say("at", { time: at(said.used_at) }), say("once")]);
    case "act": {
      const act = said.acts[0];
      if (act.state === "granted") return card("good", "circle-check", say("granted", { n: points(act.points) }), [item.what]);
      if (act.state === "held") return card("ask", "clock", say("held"), [item.what, sentence(reason)]);
      return card("bad", "octagon-x", sentence(reason) || say("refused"), [item.what]);
    }
    default:
      return card("good", "circle-check", say("taken", { n: yuan(said.amount_fen) }), [said.left_fen === undefined ? "" : say("left", { n: yuan(said.left_fen) })]);
  }
}

/* A code that is not taken, in plain words; one that was used says when, and whether here. */
export function refusedCode(said) {
  const used = said.used_at ? say(said.used_here ? "used_here" : "used_before", { time: day(said.used_at) === day(Date.now()) ? at(said.used_at) : `${day(said.used_at)} ${at(said.used_at)}` }) : sentence(said.reason) || say("refused");
  return card("bad", "octagon-x", used, [named(said), say("give_nothing")]);
}
