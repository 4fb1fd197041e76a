// Renews what is of this minute while the page is looked at; without scripts the page is whole as it came.
const PAUSE_MS = 60_000;

async function renew() {
  if (document.hidden) return;
  try {
    const answer = await fetch(location.pathname, { headers: { Accept: "text/html" } });
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const was = document.querySelector("[data-fresh]"), now = fresh.querySelector("[data-fresh]");
    if (was && now && !was.contains(document.activeElement)) was.replaceWith(now);
  } catch {
    // The next minute asks again; what is shown names its own time.
  }
}

setInterval(renew, PAUSE_MS);
