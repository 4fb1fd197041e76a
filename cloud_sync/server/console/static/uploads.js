/* Papers of a form: sent one by one as soon as they are chosen, so that the form only carries what was kept. */
import { $, $$ } from "./app.js";

const WAIT_MS = 60000;
const zh = document.body.dataset.lang === "zh";
const list = $("[data-uploads]");
const form = list?.closest("form");

function sizeText(bytes) { return bytes >= 1e6 ? `${(bytes / 1e6).toFixed(1)} MB` : `${Math.max(1, Math.round(bytes / 1000))} kB`; }

async function sendPaper(file) {
  const answer = await fetch("/api/v1/documents", { method: "POST", body: file, headers: { "Content-Type": file.type || "application/octet-stream", "X-CSRF-Token": document.body.dataset.csrf, Accept: "application/json" }, signal: AbortSignal.timeout(WAIT_MS) });
  const stored = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(`${file.name}: ${(zh ? stored.why_zh || stored.title_zh : stored.why_en || stored.title) || answer.status}`);
  const row = $("[data-upload-row]", form).content.firstElementChild.cloneNode(true);
  $("[data-token]", row).value = [stored.sha256, stored.media_type, stored.size_bytes, file.name.replaceAll("|", " ")].join("|");
  $("[data-name]", row).textContent = file.name;
  $("[data-size]", row).textContent = sizeText(stored.size_bytes);
  const kinds = $("select", row);
  if (kinds) guessKind(kinds, file.name);
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

function whyNot(error, file) {
  const away = error.name === "TimeoutError" || error instanceof TypeError;
  return away ? `${file.name}: ${zh ? "没有传上去，再试一次" : "not sent, try again"}` : error.message;
}

async function sendAll(files, said) {
  const failed = [];
  for (const [at, file] of files.entries()) {
    const most = Number(list.dataset.most) || Infinity;
    if (list.children.length >= most) {
      failed.push(zh ? `最多 ${most} 份` : `At most ${most} files`);
      break;
    }
    said.textContent = zh ? `正在上传第 ${at + 1} 份，共 ${files.length} 份` : `Sending ${at + 1} of ${files.length}`;
    try { await sendPaper(file); } catch (error) { failed.push(whyNot(error, file)); }
  }
  said.textContent = failed.join(zh ? "；" : "; ") || (zh ? "已上传" : "Sent");
  said.classList.toggle("c-refuse", failed.length > 0);
}

const input = form && $("[data-files]", form);
input?.addEventListener("change", async () => {
  await sendAll([...input.files], $("[data-upload-said]", form));
  input.value = "";
});
list?.addEventListener("click", (event) => {
  const button = event.target.closest("[data-remove]");
  if (button) { button.closest("li").remove(); input.focus(); }
});
