/* Keeps the counter's shell for a tablet that is switched on without a network. Nothing of a person is kept: pages come
   from the network, and without one the shell says what is so and waits. */
const KEPT = "island-till-1";
const SHELL = "/till/offline";
const FILES = ["/look/tokens.css", "/look/base.css", "/look/fonts.css", "/look/icons.svg", "/static/console.css", "/static/till.css", "/static/till_offline.js"];

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(KEPT).then((kept) => kept.addAll([SHELL, ...FILES])).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(caches.keys().then((names) => Promise.all(names.filter((name) => name.startsWith("island-till-") && name !== KEPT).map((name) => caches.delete(name)))));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET") return;
  const { pathname } = new URL(request.url);
  if (request.mode === "navigate") {
    event.respondWith(fetch(request).catch(() => caches.match(SHELL)));
  } else if (FILES.includes(pathname)) {
    event.respondWith(fetch(request).catch(() => caches.match(pathname)));
  }
});
