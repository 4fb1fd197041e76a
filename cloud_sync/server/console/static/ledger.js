/* The ledger: another amount or lot shows at once which visits it would cover; another year opens by itself. */
import { $ } from "./app.js";

const PARTS = ["#preview", "#rows", "#send"];
const form = $("[data-amount]");
let asked = 0;

$("#year")?.addEventListener("change", (event) => event.target.form.submit());

function typedText() { return $("#text")?.value; }

async function compute() {
  const turn = (asked += 1);
  const address = new URL(location.href);
  for (const [name, value] of new FormData(form)) address.searchParams.set(name, String(value));
  $("#preview").classList.add("is-stale");
  let fresh;
  try {
    const answer = await fetch(address, { headers: { Accept: "text/html" } });
    if (!answer.ok) throw new Error(String(answer.status));
    fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  } catch {
    if (turn === asked) form.submit();
    return;
  }
  if (turn !== asked) return;
  const kept = typedText();
  for (const part of PARTS) {
    const next = $(part, fresh);
    if (next && $(part)) $(part).replaceWith(document.adoptNode(next));
  }
  if (kept !== undefined && $("#text")) $("#text").value = kept;
  history.replaceState(null, "", address);
}

function step(by) {
  const input = $("#tonnes");
  const wanted = Math.round(Number(input.value) || 1) + by;
  input.value = String(Math.min(Number(input.max), Math.max(Number(input.min), wanted)));
  compute();
}

form?.addEventListener("submit", (event) => { event.preventDefault(); step(0); });
form?.addEventListener("change", () => step(0));
form?.addEventListener("click", (event) => {
  const button = event.target.closest("[data-step]");
  if (button) step(Number(button.dataset.step));
});
