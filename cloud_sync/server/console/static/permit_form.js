/* Filing an application at the office: the plate is checked while it is typed, and what is wrong is read first. */
import { $ } from "./app.js";

const PAUSE_MS = 300;
const zh = document.body.dataset.lang === "zh";
const form = $("[data-entry]");

$("[data-print]")?.addEventListener("click", () => print());

/* ---- the plate, while it is typed */
const plate = form && $("[data-plate]", form);
const answerBox = form && $("[data-plate-answer]", form);
const quiet = answerBox?.innerHTML;
let asked = 0;
let timer = 0;

async function checkPlate() {
  const mine = ++asked;
  const text = plate.value.trim();
  if (!text) { answerBox.innerHTML = quiet; return; }
  const query = new URLSearchParams({ plate: text, colour: form.elements.plate_colour.value });
  try {
    const answer = await fetch(`/reviews/plate?${query}`, { headers: { Accept: "text/html" }, signal: AbortSignal.timeout(10000) });
    const said = await answer.text();
    if (mine === asked && answer.ok) answerBox.innerHTML = said;
  } catch (error) {
    if (!(error instanceof TypeError || error.name === "TimeoutError" || error.name === "AbortError")) throw error;
    if (mine === asked) answerBox.textContent = zh ? "没有连上服务器，提交时再核对车牌。" : "The server did not answer. The plate is checked when you submit.";
  }
}

if (form) {
  const soon = () => { clearTimeout(timer); timer = setTimeout(checkPlate, PAUSE_MS); };
  plate.addEventListener("input", soon);
  form.elements.plate_colour.addEventListener("change", checkPlate);
  if (plate.value) checkPlate();
}

/* ---- keys and errors */
form?.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); form.requestSubmit($("[name=act][value=submit]", form)); }
});
const summary = form && $("[data-summary]", form);
if (summary) summary.focus();
