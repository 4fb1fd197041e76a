/* How many applications wait, beside their entry in the navigation. */
const badge = document.querySelector("[data-badge]");

async function fill() {
  try {
    const answer = await fetch(badge.dataset.badge, { headers: { Accept: "application/json" }, signal: AbortSignal.timeout(15000) });
    if (!answer.ok) return;
    const { waiting } = await answer.json();
    badge.firstChild.textContent = String(waiting);
    badge.hidden = waiting === 0;
  } catch (error) {
    if (!(error instanceof TypeError || error.name === "TimeoutError" || error.name === "AbortError")) throw error;
  }
}

if (badge) fill();
