// Elements made of text. Keys, bodies and messages may have been written by anybody: everything goes through
// createElement and text nodes, and no attribute that could run or load something is ever set from data.

const LINK = /^(#|\/(?!\/))/;

export function el(tag, props, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "value" || name === "checked" || name === "disabled") node[name] = value;
    else if (name === "href" && !LINK.test(value)) throw new Error("a link that leaves the page");
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

export const byId = (id) => document.getElementById(id);

// What cannot be seen, or would turn the text around it, by its number.
const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;
const UNSEEN_IN_LINES =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;
const number = (c) => `\u27e8${c.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}\u27e9`;

export const visible = (text) => String(text).replace(UNSEEN, number);
export const visibleLines = (text) => String(text).replace(/\r\n/g, "\n").replace(UNSEEN_IN_LINES, number);

// A text of somebody else's: its direction ends where it ends. A very long one is cut in its middle.
export function data(text, props) {
  const clean = short(text, 240);
  return el("bdi", { class: "data", title: clean.length < String(text).length && visible(text), ...props }, clean);
}

export function short(text, most = 80) {
  const clean = visible(text);
  const points = [...clean];
  return points.length <= most
    ? clean
    : `${points.slice(0, most * 0.6).join("")}\u2026${points.slice(-most * 0.3).join("")}`;
}

export function link(hash, text, props) {
  return el("a", { href: hash, ...props }, text);
}
export const traceLink = (target, text) => link(`#trace/${encodeURIComponent(target)}`, text || data(target));
export const bucketLink = (bucket) => link(`#bucket/${encodeURIComponent(bucket)}`, data(bucket));
export const objectHash = (bucket, key) => `#object/${encodeURIComponent(bucket)}/${encodeURIComponent(key)}`;
export const queueHash = (url) => `#queue/${encodeURIComponent(url)}`;

export function button(text, onclick, props) {
  return el("button", { type: "button", onclick, ...props }, text);
}

// Shows what a promise came to: while it runs the element is busy, afterwards it holds a notice when it failed.
export async function busy(element, work) {
  element.setAttribute("aria-busy", "true");
  try {
    return await work();
  } finally {
    element.removeAttribute("aria-busy");
  }
}

export function failure(error) {
  return el("p", { class: "notice bad", role: "alert" }, visibleLines(error.message || String(error)));
}
export function empty(...children) {
  return el("p", { class: "empty" }, ...children);
}

// Puts new children in, and the focus back where it was when an element of the same data-focus is there again.
export function replace(root, ...children) {
  const held = root.contains(document.activeElement) ? document.activeElement.dataset.focus : undefined;
  root.replaceChildren(...children.flat(Infinity).filter(Boolean));
  if (held) [...root.querySelectorAll("[data-focus]")].find((node) => node.dataset.focus === held)?.focus();
}

// In a narrow window a row is a small card, and each of its cells says what it is.
export function table(heads, rows, props) {
  const head = el(
    "tr",
    null,
    heads.map((text) => el("th", { scope: "col", class: text.endsWith(" ") && "number" }, text.trim())),
  );
  for (const row of rows)
    heads.forEach((text, i) => i && text.trim() && row.children[i]?.setAttribute("data-label", text.trim()));
  return el("div", { class: "scroll" }, el("table", props, el("thead", null, head), el("tbody", null, rows)));
}
export const cell = (...children) => el("td", null, ...children);
export const tightCell = (...children) => el("td", { class: "tight" }, ...children);
export const numberCell = (value) =>
  el("td", { class: "number" }, typeof value === "number" ? value.toLocaleString("en-US") : value);

export function bytes(n) {
  if (n < 1024) return `${n} B`;
  const units = ["KiB", "MiB", "GiB", "TiB"];
  let i = -1;
  do ((n /= 1024), i++);
  while (n >= 1024 && i < units.length - 1);
  return `${n.toFixed(n < 10 ? 1 : 0)} ${units[i]}`;
}

export function length(ms) {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 120000) return `${(ms / 1000).toFixed(ms < 10000 ? 1 : 0)} s`;
  if (ms < 7200000) return `${Math.floor(ms / 60000)} min`;
  if (ms < 172800000) return `${Math.floor(ms / 3600000)} h`;
  return `${Math.floor(ms / 86400000)} d`;
}

export const clockText = (iso) => iso.slice(11, 23);
