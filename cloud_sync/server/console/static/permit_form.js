/* Filing an application at the office: the plate is checked while it is typed, papers are sent one by one. */
import { $, $$ } from "./app.js";

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

/* ---- papers */
const list = form && $("[data-uploads]", form);
const said = form && $("[data-upload-said]", form);

function sizeText(bytes) { return bytes >= 1e6 ? `${(bytes / 1e6).toFixed(1)} MB` : `${Math.max(1, Math.round(bytes / 1000))} kB`; }

async function sendPaper(file) {
  const answer = await fetch("/api/v1/documents", { method: "POST", body: file, headers: { "Content-Type": file.type || "application/octet-stream", "X-CSRF-Token": document.body.dataset.csrf, Accept: "application/json" }, signal: AbortSignal.timeout(60000) });
  const stored = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(`${file.name}: ${(zh ? stored.why_zh || stored.title_zh : stored.why_en || stored.title) || answer.status}`);
  const row = $("[data-upload-row]").content.firstElementChild.cloneNode(true);
  $("[data-token]", row).value = [stored.sha256, stored.media_type, stored.size_bytes, file.name.replaceAll("|", " ")].join("|");
  $("[data-name]", row).textContent = file.name;
  $("[data-size]", row).textContent = sizeText(stored.size_bytes);
  guessKind($("select", row), file.name);
  list.append(row);
}

/* Most files are named after what they show; the first kind that is not there yet is the next best guess. */
const GUESSES = [[/驾驶证|driving/i, "driving_licence"], [/行驶|licen[cs]e/i, "vehicle_licence"], [/照片|photo|img/i, "vehicle_photo"], [/任务|工单|order/i, "duty_order"], [/合同|委托|contract/i, "contract"]];
function guessKind(select, name) {
  const [, kind] = GUESSES.find(([pattern]) => pattern.test(name)) || [];
  const taken = new Set($$("[name=paper_kind]", list).map((one) => one.value));
  const open = [...select.options].find((one) => !taken.has(one.value));
  select.value = kind || open?.value || "other";
}

$("[data-files]")?.addEventListener("change", async (event) => {
  const files = [...event.target.files];
  const failed = [];
  for (const [at, file] of files.entries()) {
    said.textContent = zh ? `正在上传第 ${at + 1} 份，共 ${files.length} 份` : `Sending ${at + 1} of ${files.length}`;
    try { await sendPaper(file); } catch (error) { failed.push(error.name === "TimeoutError" || error instanceof TypeError ? `${file.name}: ${zh ? "没有传上去，再试一次" : "not sent, try again"}` : error.message); }
  }
  said.textContent = failed.join(zh ? "；" : "; ") || (zh ? "已上传" : "Sent");
  said.classList.toggle("c-refuse", failed.length > 0);
  event.target.value = "";
});
list?.addEventListener("click", (event) => {
  const button = event.target.closest("[data-remove]");
  if (button) { button.closest("li").remove(); $("[data-files]").focus(); }
});

/* ---- keys and errors */
form?.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); form.requestSubmit($("[name=act][value=submit]", form)); }
});
const summary = form && $("[data-summary]", form);
if (summary) summary.focus();
