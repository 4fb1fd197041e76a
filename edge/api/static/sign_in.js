/* Signing in: name and PIN as JSON, then the page. */
const form = document.querySelector("#door");
const trouble = document.querySelector("#trouble");

function say(text) {
  trouble.textContent = text;
  trouble.hidden = false;
  form.pin.focus();
  form.pin.select();
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (!form.reportValidity()) return;
  const body = JSON.stringify({ name: form.elements.name.value.trim(), pin: form.pin.value });
  const answer = await fetch("/api/sign-in", { method: "POST", headers: { "Content-Type": "application/json" }, body });
  if (answer.ok) { location.assign("/"); return; }
  if (answer.status === 429) say(form.dataset.locked.replace("{t}", `${answer.headers.get("Retry-After")} s`));
  else say(form.dataset.wrong);
});
form.elements.name.focus();
