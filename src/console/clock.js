// Virtual time: what it is, moving it, and what happened on the way.
import { post } from "./api.js";
import { busy, button, byId, clockText, el, empty, failure, length, replace } from "./dom.js";
import * as live from "./live.js";
import { sentence, toneOf } from "./trace.js";

const STEPS = ["1s", "30s", "1m", "1h", "12h"];
const TOLD = 200; // events on the way that are listed

let tick = 0;

// The clock in the head of the page runs on by itself while it is seen, without asking.
function show() {
  clearTimeout(tick);
  if (!live.status) return;
  const { mode } = live.status.clock,
    text = new Date(live.now()).toISOString();
  for (const place of document.querySelectorAll(".now"))
    place.textContent = `${text.slice(0, 10)} ${text.slice(11, 19)} UTC`;
  for (const place of document.querySelectorAll(".mode")) {
    place.textContent = { real: "real time", offset: "moved", frozen: "frozen" }[mode];
    place.className = `mode ${mode}`;
  }
  if (mode !== "frozen" && !document.hidden) tick = setTimeout(show, 1000 - (live.now() % 1000));
}

export function init() {
  live.on("status", show);
  live.on("state", (state) => state === "gone" && clearTimeout(tick));
  document.addEventListener("visibilitychange", () => clearTimeout(tick));
}

function happened(answer) {
  const events = (answer.events || []).slice(0, TOLD);
  const more = (answer.events || []).length - events.length + (answer.eventsLeftOut || 0);
  if (answer.instants === undefined)
    return el("p", { class: "notice info" }, "The clock runs with the real one again.");
  return [
    el(
      "p",
      { class: "notice info" },
      events.length
        ? `On the way something was due at ${answer.instants} ${answer.instants === 1 ? "instant" : "instants"}:`
        : "Nothing was due on the way.",
    ),
    el(
      "ul",
      { class: "log" },
      events.map((event) =>
        el("li", { class: toneOf(event) }, el("time", { title: event.at }, clockText(event.at)), " ", sentence(event)),
      ),
    ),
    more > 0 && el("p", { class: "hint" }, `and ${more} events more`),
  ];
}

async function move(body) {
  const result = byId("moved");
  try {
    replace(result, happened(await busy(byId("clock"), () => post("clock", body))));
    await live.look();
  } catch (error) {
    replace(result, failure(error));
  }
}

export function view(root) {
  const own = el("input", {
    id: "own",
    placeholder: "90s, 1h30m, 2d",
    size: 12,
    spellcheck: "false",
    autocomplete: "off",
  });
  const instant = el("input", {
    id: "instant",
    placeholder: "2026-01-01T00:00:00Z",
    size: 22,
    spellcheck: "false",
    autocomplete: "off",
  });
  root.append(
    el("h2", null, "Clock"),
    el("p", { id: "clock" }, el("span", { class: "now big-now" }), " ", el("span", { class: "mode" })),
    el(
      "p",
      { class: "hint" },
      "Moving it runs everything that falls due on the way, in order, each at its own instant: visibility timeouts, delays, retention, retries. Twelve hours are a moment.",
    ),
    el(
      "div",
      { class: "row" },
      STEPS.map((step) => button(`+ ${step}`, () => move({ advance: step }))),
    ),
    el(
      "form",
      {
        class: "row",
        onsubmit: (event) => (event.preventDefault(), own.value.trim() && move({ advance: own.value.trim() })),
      },
      el("label", { for: "own" }, "Advance by"),
      own,
      el("button", null, "Advance"),
    ),
    el(
      "form",
      {
        class: "row",
        onsubmit: (event) => (event.preventDefault(), instant.value.trim() && move({ set: instant.value.trim() })),
      },
      el("label", { for: "instant" }, "Set to"),
      instant,
      el("button", null, "Set"),
    ),
    el(
      "div",
      { class: "row" },
      button("Freeze", () => move({ freeze: true })),
      button("Real time", () => move({ real: true })),
    ),
    el(
      "div",
      { id: "moved", "aria-live": "polite" },
      empty("Hide a message by receiving it, then advance the clock past its visibility timeout: it comes back."),
    ),
  );
  show();
  return { status: show };
}
