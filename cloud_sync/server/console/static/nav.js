/* The navigation's groups: what a reader opened or folded stays so in this browser. */
const NAME = "island_nav";
const YEAR_S = 31536000;

function chosen() {
  const found = document.cookie.split("; ").find((one) => one.startsWith(`${NAME}=`))?.slice(NAME.length + 1) || "";
  return new Map(found.split(".").filter(Boolean).map((one) => [one.slice(0, -1), one.slice(-1)]));
}

function keep(group) {
  const all = chosen().set(group.dataset.group, group.open ? "1" : "0");
  const value = [...all].map(([name, flag]) => name + flag).join(".");
  const secure = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `${NAME}=${value}; path=/; max-age=${YEAR_S}; samesite=lax${secure}`;
}

for (const group of document.querySelectorAll(".nav details")) {
  group.querySelector("summary").addEventListener("click", () => requestAnimationFrame(() => keep(group)));
}
document.querySelector(".nav .on")?.scrollIntoView({ block: "nearest" });
