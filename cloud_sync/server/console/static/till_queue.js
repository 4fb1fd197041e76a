/* Requests that must arrive, and count once. Each has an id of its own and is kept in the browser until the server has
   answered it; after a lost connection it goes out again with the same id, so that the server knows it. */
const TIMEOUT_MS = 12000;
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 15000;
const TOO_OLD = new Set(["csrf", "foreign_origin"]);
const AGAIN = new Set([401, 408, 425, 429, 500, 502, 503, 504]);

export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

export async function ask(path, { method = "GET", body, id, csrf } = {}) {
  const headers = { Accept: "application/json" };
  if (body) headers["Content-Type"] = "application/json";
  if (csrf) headers["X-CSRF-Token"] = csrf;
  if (id) headers["Idempotency-Key"] = id;
  const answer = await fetch(path, { method, headers, body: body && JSON.stringify(body), signal: AbortSignal.timeout(TIMEOUT_MS) });
  return { status: answer.status, ok: answer.ok, said: await answer.json().catch(() => ({})) };
}

/* Whether an answer settles the request. A session that is over or a busy server settles nothing. */
export function settles(answer) {
  return !AGAIN.has(answer.status) && !TOO_OLD.has(answer.said.code);
}

export class Queue {
  constructor({ key, csrf, answered, changed }) {
    Object.assign(this, { key, csrf, answered, changed });
    this.running = null;
    this.timer = 0;
    this.wait = FIRST_WAIT_MS;
    this.trouble = "";
    addEventListener("online", () => this.now());
    addEventListener("storage", (event) => { if (event.key === key) this.changed(); });
  }

  get items() {
    try { return JSON.parse(localStorage.getItem(this.key) || "[]"); } catch { return []; }
  }

  keep(items) {
    localStorage.setItem(this.key, JSON.stringify(items));
    this.changed();
  }

  add(item) {
    this.keep([...this.items, { id: newId(), at: Date.now(), tries: 0, ...item }]);
    return this.now();
  }

  now() {
    this.wait = FIRST_WAIT_MS;
    clearTimeout(this.timer);
    return this.run();
  }

  run() {
    this.running ||= this.#sendAll().finally(() => { this.running = null; });
    return this.running;
  }

  async #sendAll() {
    const tried = new Set();
    const next = () => this.items.find((item) => !tried.has(item.id));
    for (let item = next(); item; item = next()) {
      tried.add(item.id);
      await this.#send(item);
      if (this.trouble === "lost") break;
    }
    if (!this.items.length) { this.wait = FIRST_WAIT_MS; return; }
    this.timer = setTimeout(() => this.run(), this.wait);
    this.wait = Math.min(LONGEST_WAIT_MS, this.wait * 2);
  }

  async #send(item) {
    let answer = null;
    try {
      answer = await ask(item.path, { method: "POST", body: item.body, id: item.id, csrf: this.csrf });
    } catch (error) {
      if (!(error instanceof TypeError) && error.name !== "TimeoutError") throw error;
    }
    if (answer && settles(answer)) {
      this.trouble = "";
      this.keep(this.items.filter((one) => one.id !== item.id));
      this.answered(item, answer);
      return;
    }
    this.trouble = !answer ? "lost" : answer.status === 401 || answer.status === 403 ? "signed_out" : "busy";
    this.keep(this.items.map((one) => (one.id === item.id ? { ...one, tries: one.tries + 1 } : one)));
  }
}
