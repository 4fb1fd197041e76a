/* The number-plate chip in a browser: the twin of plates.py. Text goes in as text, never as markup. */
const PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼";
const LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ";
const SUFFIXES = "警学挂港澳使领应急";
const GROUND_OF_COLOUR = { blue: "blue", yellow: "yellow", green: "nev", yellow_green: "nevl", white: "white", black: "black", farm_green: "farm", paper: "temp" };
const GROUND_OF_KIND = { small: "blue", large: "yellow", trailer: "yellow", coach: "yellow", nev_small: "nev", nev_large: "nevl", police: "white", emergency: "white", armed_police: "white", military: "white", hong_kong: "black", macau: "black", embassy: "black", consulate: "black", tractor: "farm", aviation: "farm", temporary: "temp" };

export function groundOf(kind, colour) {
  return GROUND_OF_COLOUR[colour] || GROUND_OF_KIND[kind] || "plain";
}

export function dotted(text) {
  return text.length > 2 && PROVINCES.includes(text[0]) && LETTERS.includes(text[1]);
}

export function spoken(text) {
  return dotted(text) ? `${text.slice(0, 2)}·${text.slice(2)}` : text;
}

function isRed(text, at, ground) {
  if (ground === "black") return "港澳使领".includes(text[at]);
  if (ground !== "white") return false;
  return "警应急".includes(text[at]) || (text.startsWith("WJ") && at < 2);
}

function character(text, at, ground, unsure) {
  const tag = SUFFIXES.includes(text[at]) ? "em" : text.charCodeAt(at) > 0x2e80 ? "i" : "span";
  const inner = document.createElement(tag);
  inner.textContent = text[at];
  if (isRed(text, at, ground)) inner.className = "rd";
  if (!unsure) return inner;
  const box = document.createElement("b");
  box.className = "q";
  box.append(inner);
  return box;
}

/* Returns an element. `unsure` is an array of indices; `size` one of ps, p28, p30, pl, pxl, phut or empty. */
export function plateChip(text, ground, { label, size = "", unsure = [] }) {
  const chip = document.createElement("span");
  chip.className = ["plate", text ? ground : "none", size].filter(Boolean).join(" ");
  if (!text) { chip.textContent = label; return chip; }
  chip.setAttribute("role", "img");
  chip.setAttribute("lang", "zh-CN");
  chip.setAttribute("aria-label", label);
  for (let at = 0; at < text.length; at += 1) {
    if (at === 2 && dotted(text)) chip.append(document.createElement("u"));
    chip.append(character(text, at, ground, unsure.includes(at)));
  }
  return chip;
}
