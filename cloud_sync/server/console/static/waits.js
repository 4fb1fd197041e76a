/* Waiting times: the one number that moves by itself. m:ss for an hour, then hours and minutes. */
const zh = document.body.dataset.lang === "zh";

export function waitText(seconds) {
  if (seconds < 3600) return `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  if (hours < 24) return zh ? `${hours} 小时 ${minutes} 分` : `${hours} h ${minutes} min`;
  return zh ? `${Math.floor(hours / 24)} 天 ${hours % 24} 小时` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

export function fillWaits(root = document) {
  const now = Date.now();
  for (const place of root.querySelectorAll("[data-since]")) {
    const text = waitText(Math.max(0, (now - Date.parse(place.dataset.since)) / 1000));
    if (place.textContent !== text) place.textContent = text;
  }
}
