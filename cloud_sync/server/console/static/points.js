/* Dialogs of points and vouchers begin with what holds now: fields by name, boxes by their values. */
document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-fill]");
  if (!opener) return;
  const form = document.querySelector(`#${opener.dataset.open} form`);
  for (const [name, value] of Object.entries(JSON.parse(opener.dataset.fill))) {
    const boxes = form.querySelectorAll(`input[type=checkbox][name="${name}"]`);
    for (const box of boxes) box.checked = value.includes(box.value);
    if (!boxes.length) form.elements[name].value = value;
  }
}, true);
