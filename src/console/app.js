// The page: which view is open, and who is told what.
import { byId, el, failure, replace } from "./dom.js";
import * as buckets from "./buckets.js";
import * as clock from "./clock.js";
import * as faults from "./faults.js";
import * as live from "./live.js";
import * as log from "./log.js";
import * as pipeline from "./pipeline.js";
import * as queues from "./queues.js";
import * as send from "./send.js";
import * as state from "./state.js";
import * as trace from "./trace.js";

// A view draws into its root and returns {event, status, end}, each optional, or null.
const VIEWS = {
  send: { show: send.view, tab: "send" },
  buckets: { show: buckets.all, tab: "buckets" },
  bucket: { show: buckets.bucket, tab: "buckets" },
  object: { show: buckets.object, tab: "buckets" },
  queues: { show: queues.all, tab: "queues" },
  queue: { show: queues.queue, tab: "queues" },
  trace: { show: trace.view, tab: "trace" },
  clock: { show: clock.view, tab: "clock" },
  faults: { show: faults.view, tab: "faults" },
  checks: { show: state.checks, tab: "checks" },
  state: { show: state.view, tab: "state" },
};

let open = null; // the view
let shownFor = ""; // settings that it was drawn for

function wanted() {
  const parts = location.hash
    .slice(1)
    .split("/")
    .map((part) => {
      try {
        return decodeURIComponent(part);
      } catch {
        return part;
      }
    });
  // A target that was typed by hand keeps its slashes: #trace/s3://bucket/key.
  if (parts[0] === "trace" && parts.length > 1) return ["trace", parts.slice(1).join("/")];
  return VIEWS[parts[0]] ? parts : ["send"];
}

function show() {
  if (!live.settings || !live.status) return;
  const [name, ...rest] = wanted(),
    root = byId("view");
  open?.end?.();
  open = null;
  root.replaceChildren();
  for (const tab of document.querySelectorAll("#tabs a")) {
    if (tab.hash === `#${VIEWS[name].tab}`) tab.setAttribute("aria-current", "page");
    else tab.removeAttribute("aria-current");
  }
  try {
    open = VIEWS[name].show(root, rest) || null;
  } catch (error) {
    replace(root, failure(error));
  }
}

const STATES = {
  connecting: ["", "connecting"],
  live: ["good", "live"],
  untraced: ["", "connected; no events (--trace off)"],
  gone: ["bad", "server gone"],
};

function connection(name) {
  const [tone, words] = STATES[name];
  replace(byId("connection"), el("span", { class: `light ${tone}` }), words);
  byId("gone").hidden = name !== "gone";
  document.body.classList.toggle("stale", name === "gone");
  if (name === "gone") return;
  // A server that is back is asked anew, but what stands half typed in a form stays.
  const known = JSON.stringify(live.settings);
  const typing = known === shownFor && byId("view").contains(document.activeElement);
  shownFor = known;
  byId("version").textContent = live.settings.version;
  pipeline.draw();
  if (!typing) show();
}

live.on("state", connection);
live.on("event", (event, old) => old || open?.event?.(event));
live.on("status", () => open?.status?.());
for (const part of [pipeline, log, clock, send]) part.init();
addEventListener("hashchange", () => {
  show();
  if (document.activeElement === document.body) byId("view").focus({ preventScroll: true });
  const { top } = byId("tabs").getBoundingClientRect();
  if (top < 0 || top > innerHeight * 0.6) byId("tabs").scrollIntoView();
});
live.start();
