/* The rule form says what it would do while it is filled in; unchanged fields are not sent. */
const form = document.querySelector("[data-rule-form]");
const place = form?.querySelector("[data-preview]");
let asked = 0;
let timer = 0;

async function preview() {
  const turn = ++asked;
  if (!form.elements.source.value.trim()) { place.replaceChildren(); return; }
  try {
    const answer = await fetch(place.dataset.preview, { method: "POST", body: new URLSearchParams(new FormData(form)), signal: AbortSignal.timeout(15000) });
    const text = await answer.text();
    if (turn === asked && answer.ok) place.innerHTML = text;
  } catch { if (turn === asked) place.replaceChildren(); }
}

form?.addEventListener("input", (event) => {
  if (event.target.name === "why") return;
  clearTimeout(timer);
  timer = setTimeout(preview, 250);
});
/* Fields that stay as they were are left out, so that their sources stay too. */
form?.addEventListener("formdata", (event) => {
  for (const field of form.querySelectorAll("[data-field]")) if (field.value === field.defaultValue) event.formData.delete(field.name);
});
document.querySelector("tr.sel")?.scrollIntoView({ block: "nearest" });
