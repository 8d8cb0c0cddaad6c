// A life as a tree, as `headrace trace` prints it, and above it what a reader wants to know first: what came of it, and
// if nothing, why.
import { get, Refused } from "./api.js";
import {
  button, byId, clockText, data, el, empty, failure, length, link, objectHash, replace, short, traceLink, visible,
} from "./dom.js";
import * as live from "./live.js";

const BIRTHS = new Set(["object", "sent", "upload"]);
const BAD = new Set(["failed", "refused", "dead", "expired", "fault"]);
const WARN = new Set(["nothing", "passed", "waiting"]);
const AGAIN = 300; // ms after an event until a shown life is asked for anew, at least
const STILL = 5000; // ms until what waits is looked at again, though nothing was told of it
const MOST = 1000; // events of a life that are drawn

export const WHY = {
  no_rule: "The bucket has no notification rule, so S3 told nobody.",
  event: "The notification rule does not ask for this kind of event.",
  prefix: "The key does not begin with what the notification rule asks for.",
  suffix: "The key does not end with what the notification rule asks for.",
  queue_missing: "The queue that the rule names does not exist.",
  policy: "The queue's policy does not let S3 send to it.",
  queue_refused: "The queue did not take the message: it is too long for it, or its key does not exist.",
  not_in_incoming_prefix: "The ingest step takes keys below one prefix only.",
  unsupported_type: "The ingest step takes one kind of file only.",
  too_large: "The file is larger than the ingest step takes.",
  duplicate: "It was there already: the second one changes nothing.",
  upload_aborted: "The multipart upload was aborted.",
  upload_incomplete: "The multipart upload was begun and never completed.",
  retention: "The message was older than the queue keeps messages.",
  max_receives: "It was received too often without being deleted.",
  purged: "The queue was purged.",
  queue_deleted: "The queue was deleted.",
  in_flight: "Somebody received it and has not deleted it yet: nobody else sees it before its visibility timeout ends.",
  delayed: "It is delayed: nobody sees it before its time.",
  group_blocked: "An earlier message of its FIFO group has to go first.",
  dead_letter: "It lies in a dead-letter queue: nothing takes it from there by itself.",
  no_worker: "It is visible, but the built-in stage that would take it is switched off.",
  not_received: "It is visible, and nobody has received it yet.",
};

export const toneOf = (event) =>
  BAD.has(event.kind) ? "bad" : WARN.has(event.kind) && event.reason !== "not_received" ? "warn" : "";

function subject(event) {
  const text = event.subject;
  if (!text) return null;
  const found = /^s3:\/\/([^/]+)\/(.+)$/s.exec(text);
  return found && event.kind === "object" ? link(objectHash(found[1], found[2]), data(text)) : data(text);
}

// A stage's log line is JSON: its action, then the rest.
function note(text) {
  let line;
  try {
    line = JSON.parse(text);
  } catch {
    return data(text, { class: "data note" });
  }
  if (!line || typeof line !== "object" || !line.action) return data(text, { class: "data note" });
  const rest = Object.entries(line).filter(([name]) => !["action", "bucket", "key"].includes(name));
  const parts = rest.map(([name, value]) => [
    ` ${visible(name)} `,
    data(typeof value === "object" ? JSON.stringify(value) : value),
  ]);
  return el("span", { class: "note" }, el("b", null, visible(line.action)), parts);
}

// Where many events stand below each other the words that matter are enough.
function brief(text) {
  const action = /^\{"action":"([A-Z_]+)"/.exec(text)?.[1];
  return action
    ? el("b", null, action)
    : el("bdi", { class: "data note", title: visible(text) }, short(text.replace(/arn:aws:sqs:[^:]*:[^:]*:/, ""), 70));
}

// One event in words; `linked`: with ways to go on.
export function sentence(event, linked = true, few = false) {
  const until =
    event.until && `${{ sent: ", delayed ", waiting: ", " }[event.kind] ?? ", hidden "}until ${clockText(event.until)}`;
  const id = event.kind === "sent" && event.id && [linked ? traceLink(event.id) : data(event.id), " in "];
  const word =
    { object: event.actor ? "" : "write ", sent: "message ", upload: "upload of " }[event.kind] ?? `${event.kind} `;
  return [
    el("b", { class: `kind ${toneOf(event)}` }, word),
    id,
    linked ? subject(event) : event.subject && data(event.subject),
    event.kind === "received" && `, attempt ${event.number}`,
    event.actor && [" by ", data(event.actor)],
    until,
    event.reason && [": ", el("b", { class: `reason ${toneOf(event)}` }, data(event.reason))],
    event.note && [" ", few ? brief(event.note) : note(event.note)],
  ];
}

// ---- the tree ----

function below(events) {
  const caused = new Map(),
    about = new Map();
  const put = (map, key, event) => key && (map.get(key)?.push(event) ?? map.set(key, [event]));
  for (const event of events) BIRTHS.has(event.kind) ? put(caused, event.because, event) : put(about, event.id, event);
  return (parent) =>
    [...(about.get(parent.id) || []), ...(caused.get(parent.id) || [])].sort((a, b) => order(a) - order(b));
}
// What waits is told last; it has no number.
const order = (event) => event.seq || Number.MAX_SAFE_INTEGER;

function branch(event, children, shown, start, before) {
  shown.add(event);
  const at = Date.parse(event.at);
  const gap = before !== undefined && at - before >= 1000;
  const line = el(
    "div",
    { class: `line ${event.kind}`, title: event.at },
    sentence(event),
    el("span", { class: "since" }, ` +${length(at - start)}`),
    gap && el("span", { class: "gap" }, ` ${length(at - before)} later`),
  );
  if (!BIRTHS.has(event.kind)) return el("li", null, line);
  let previous = at;
  const rows = children(event)
    .filter((one) => !shown.has(one))
    .map((one) => {
      shown.add(one);
      const row = branch(one, children, shown, start, previous);
      previous = Date.parse(one.at);
      return row;
    });
  return el("li", null, line, rows.length > 0 && el("ul", null, rows));
}

export function tree(events) {
  const children = below(events),
    shown = new Set(),
    start = Date.parse(events[0]?.at);
  const born = new Set(events.filter((event) => BIRTHS.has(event.kind)).map((event) => event.id));
  const roots = events.filter((event) => (BIRTHS.has(event.kind) ? !born.has(event.because) : !born.has(event.id)));
  const rows = [];
  for (const event of [...roots, ...events]) if (!shown.has(event)) rows.push(branch(event, children, shown, start));
  return el("ul", { class: "tree" }, rows);
}

// ---- what came of it ----

function verdictOf(event) {
  const why = WHY[event.reason];
  return why ? [el("b", null, why), el("div", { class: "hint" }, sentence(event, false))] : sentence(event, false);
}

function remarkable(events) {
  const matched = new Set(events.filter((event) => event.kind === "matched").map((event) => event.id));
  return events.filter(
    (event) =>
      BAD.has(event.kind) ||
      event.kind === "nothing" ||
      event.kind === "waiting" ||
      (event.kind === "passed" && !matched.has(event.id)),
  );
}

function processed(events) {
  const done = events.find((event) => event.kind === "step" && event.note?.startsWith('{"action":"PROCESSED"'));
  return (
    done &&
    el(
      "p",
      { class: "notice good" },
      `Processed ${length(Date.parse(done.at) - Date.parse(events[0].at))} after it began.`,
    )
  );
}

export function verdict(events) {
  const groups = new Map();
  for (const event of remarkable(events)) {
    const key = [
      event.kind,
      event.reason,
      event.kind === "waiting" ? event.id : event.subject,
      event.kind === "failed" && event.note,
    ].join();
    groups.set(key, [...(groups.get(key) || []), event]);
  }
  const notices = [...groups.values()].map((same) =>
    el(
      "p",
      { class: toneOf(same[0]) ? `notice ${toneOf(same[0])}` : "hint" },
      same.length > 1 && `${same.length} times: `,
      toneOf(same[0]) ? verdictOf(same[same.length - 1]) : sentence(same[0], false),
    ),
  );
  return [processed(events), ...notices];
}

export async function life(target) {
  return (await get(`trace?target=${encodeURIComponent(target)}`)).events;
}

export function belongs(event, target, events) {
  return (
    event.subject === target ||
    event.id === target ||
    events.some((one) => one.id && (one.id === event.id || one.id === event.because))
  );
}

const newest = (n) =>
  el("p", { class: "hint" }, `The newest ${MOST} of ${n} events are drawn; headrace trace prints them all.`);

// Keeps a life on show up to date; the function that it returns is to be given every event.
export function follow(root, target, changed) {
  let events = [],
    timer = 0,
    rest = AGAIN,
    last = 0,
    gone = false;
  const load = async () => {
    clearTimeout(timer);
    timer = 0;
    try {
      const began = (last = performance.now());
      events = await life(target);
      // A question walks the server's whole memory of events: it is put rarely where that takes long.
      rest = Math.max(AGAIN, 20 * (performance.now() - began));
      if (gone || !root.isConnected) return;
      replace(
        root,
        events.length
          ? [verdict(events), events.length > MOST && newest(events.length), tree(events.slice(-MOST))]
          : empty(
              "Nothing is known of that. The trace remembers what happened since the start, and forgets the oldest first.",
            ),
      );
      changed?.(events);
    } catch (error) {
      if (root.isConnected) replace(root, failure(error));
    }
  };
  load();
  return {
    event: (event) => timer || (belongs(event, target, events) && (timer = setTimeout(load, rest))),
    status: () => {
      const waits = events.some((event) => event.kind === "waiting");
      if (waits && !timer && performance.now() - last > Math.max(STILL, rest)) load();
    },
    again: load,
    end: () => ((gone = true), clearTimeout(timer)),
  };
}

// ---- the view ----

export function view(root, [target]) {
  const input = el("input", {
    id: "target",
    value: target || "",
    placeholder: "s3://bucket/key, a message id, a job id",
    spellcheck: "false",
    autocomplete: "off",
  });
  const form = el(
    "form",
    {
      class: "row",
      onsubmit: (event) => (
        event.preventDefault(),
        input.value.trim() && (location.hash = `trace/${encodeURIComponent(input.value.trim())}`)
      ),
    },
    el("label", { for: "target" }, "Life of"),
    input,
    el("button", null, "Trace"),
  );
  const life = el("div", { "aria-live": "polite" });
  root.append(el("h2", null, "Why did it happen, and why not?"), form, life);
  if (!live.settings.trace) return void life.append(empty("This server runs with --trace off: nothing is remembered."));
  if (!target) {
    life.append(
      empty(
        "Type what you want to know of, or follow a link in the events, the buckets or the queues. ",
        "A trace tells which notification rules matched, who received a message and how often, and why something was skipped.",
      ),
    );
    input.focus({ preventScroll: true });
    return null;
  }
  if (short(target) === target)
    root.append(
      el(
        "p",
        { class: "hint" },
        "In a terminal: ",
        el("code", null, `headrace trace '${target.replace(/'/g, "'\\''")}'`),
      ),
    );
  return follow(life, target);
}
