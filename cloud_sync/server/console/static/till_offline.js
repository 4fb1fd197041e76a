/* The counter without a network: says what is kept in this browser, and goes on as soon as the cloud answers. */
const LOOK_MS = 3000;
const place = document.getElementById("kept");

function waiting() {
  return Object.keys(localStorage)
    .filter((key) => key.startsWith("island_till_"))
    .flatMap((key) => { try { return JSON.parse(localStorage.getItem(key)); } catch { return []; } });
}

function show() {
  const items = waiting();
  document.getElementById("kept-none").hidden = items.length > 0;
  document.getElementById("kept-some").hidden = items.length === 0;
  place.replaceChildren(...items.map((item) => {
    const line = document.createElement("li");
    const what = document.createElement("b");
    const id = document.createElement("span");
    what.textContent = item.what;
    id.textContent = item.id.slice(0, 6);
    id.className = "num";
    line.append(id, what);
    return line;
  }));
}

async function look() {
  const answer = await fetch("/static/mark.svg", { cache: "no-store" }).catch(() => null);
  if (answer?.ok) { location.assign("/till"); return; }
  setTimeout(look, LOOK_MS);
}

document.getElementById("again").addEventListener("click", () => location.assign("/till"));
show();
setTimeout(look, LOOK_MS);
