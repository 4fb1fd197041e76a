/* Dialogs of points and vouchers that begin with what holds now. */
document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-fill]");
  if (!opener) return;
  const form = document.querySelector(`#${opener.dataset.open} form`);
  for (const [name, value] of Object.entries(JSON.parse(opener.dataset.fill))) form.elements[name].value = value;
}, true);
