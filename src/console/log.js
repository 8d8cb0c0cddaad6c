// The events as they are told, newest first: as many as are read, no more.
import { byId, clockText, el, traceLink } from "./dom.js";
import * as live from "./live.js";
import { sentence, toneOf } from "./trace.js";

const KEPT = 1000; // in memory, for the filter
const SHOWN = 200; // on the page

let kept = []; // newest last
let fresh = [];
let drawing = false,
  paused = false;

function fits(entry, words) {
  return words.every((word) => entry.text.includes(word));
}
const words = () => byId("log-filter").value.toLowerCase().split(/\s+/).filter(Boolean);

function row(entry) {
  if (entry.skipped)
    return el("li", { class: "skipped" }, `${entry.skipped.toLocaleString("en-US")} events came too fast to be shown`);
  const event = entry.event;
  const target = event.id || event.subject;
  return el(
    "li",
    { class: toneOf(event) },
    el("time", { datetime: event.at, title: event.at }, clockText(event.at)),
    " ",
    sentence(event, false, true),
    target && [" ", traceLink(target, "why?")],
  );
}

function draw() {
  drawing = false;
  const list = byId("log"),
    wanted = words();
  const rows = fresh
    .filter((entry) => fits(entry, wanted))
    .slice(-SHOWN)
    .reverse()
    .map(row);
  fresh = [];
  list.prepend(...rows);
  while (list.children.length > SHOWN) list.lastElementChild.remove();
  count();
}

function count() {
  byId("log-empty").hidden = byId("log").children.length > 0;
  byId("log-empty").textContent =
    live.settings && !live.settings.trace
      ? "This server runs with --trace off: it tells no events."
      : kept.length
        ? "No event fits the filter."
        : "Nothing has happened yet. Send a file, and watch.";
}

function redraw() {
  byId("log").replaceChildren();
  fresh = [...kept];
  draw();
}

function add(entry) {
  kept.push(entry);
  if (kept.length > 2 * KEPT) kept = kept.slice(-KEPT);
  if (paused) return;
  fresh.push(entry);
  if (fresh.length > 2 * KEPT) fresh = fresh.slice(-KEPT);
  if (!drawing) {
    drawing = true;
    requestAnimationFrame(draw);
  }
}

export function init() {
  live.on("event", (event) => add({ event, text: JSON.stringify(event).toLowerCase() }));
  live.on("skipped", (skipped) => add({ skipped, text: "" }));
  live.on("state", count);
  byId("log-filter").addEventListener("input", redraw);
  byId("log-clear").addEventListener("click", () => ((kept = []), redraw()));
  byId("log-pause").addEventListener("click", (event) => {
    paused = !paused;
    event.target.setAttribute("aria-pressed", String(paused));
    event.target.textContent = paused ? "Go on" : "Pause";
    if (!paused) redraw();
  });
}
