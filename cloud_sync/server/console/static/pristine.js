/* What the server sent, part by part, before any script touches it: so that a refresh replaces only what changed. */
export const pristine = new WeakMap();
export const WHOLE_PARTS = [".head", "aside.context", "section.work"];

for (const part of document.querySelectorAll(`[data-live], [data-key], ${WHOLE_PARTS.join(", ")}`)) pristine.set(part, part.outerHTML);
