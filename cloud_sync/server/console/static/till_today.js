/* What this counter did today: sums and lines, as the server has them. */
import { ask } from "./till_queue.js";
import { at, card, el, points, say, yuan } from "./till_cards.js";

export async function showToday(place) {
  place.setAttribute("aria-busy", "true");
  const answer = await ask("/till/today").catch(() => null);
  place.setAttribute("aria-busy", "false");
  if (!answer?.ok) { place.replaceChildren(card("wait", "wifi-off", say("today_away"), [say("today_away_detail")])); return; }
  const { said } = answer;
  const sums = [["sum_redeemed", points(said.redemptions)], ["sum_acts", points(said.confirmations)], ["sum_vouchers", yuan(said.total_fen)]];
  const boxes = sums.map(([key, text]) => el("div", {}, el("dt", { textContent: say(key) }), el("dd", { className: "n1", textContent: text })));
  const lines = said.lines.map((one) => el("li", {}, el("span", { className: "num", textContent: at(one.at) }), el("b", { textContent: one.name }), el("span", { className: "r num", textContent: one.amount_fen === null ? (one.points === null ? "" : points(one.points)) : yuan(one.amount_fen) })));
  place.replaceChildren(el("dl", { className: "till-sum" }, ...boxes), lines.length ? el("ul", { className: "till-list" }, ...lines) : el("p", { className: "dim", textContent: say("today_empty") }));
}
