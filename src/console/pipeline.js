// The picture: buckets, queues and steps in the order in which a file goes through them, what they hold now, and a
// pulse on each way that something takes. A file is through in a millisecond; the pulses follow one another slowly
// enough to be seen.
import { bucketLink, byId, el, length, link, queueHash, replace } from "./dom.js";
import * as live from "./live.js";

const BEAT = 220; // ms between the pulses of two neighbouring ways

// id, place in the grid, what it is; the name is the server's own
const NODES = [
  ["dropzone", "S3 bucket", "bucket"],
  ["ingestQueue", "SQS queue", "queue"],
  ["ingest", "step", "stage"],
  ["jobsQueue", "SQS queue", "queue"],
  ["worker", "step", "stage"],
  ["processed", "S3 bucket", "bucket"],
  ["resultsQueue", "SQS queue", "queue"],
  ["deadLetterQueue", "dead-letter queue", "queue"],
];
// from, to, how many beats after the upload, words
const WAYS = [
  ["dropzone", "ingestQueue", 0, "event"],
  ["ingestQueue", "ingest", 1, ""],
  ["ingest", "jobsQueue", 2, "job"],
  ["jobsQueue", "worker", 3, ""],
  ["worker", "processed", 4, "report"],
  ["worker", "resultsQueue", 4, "result"],
  ["jobsQueue", "deadLetterQueue", 0, ""],
];

const counts = {}; // id -> element
const ways = {}; // "from-to" -> element

function wayOf(event) {
  const p = live.settings.pipeline;
  const s3 = (bucket) => event.subject?.startsWith(`s3://${bucket}/`);
  if (event.kind === "object" && s3(p.processed)) return "worker-processed";
  if (event.kind === "sent")
    return {
      [p.ingestQueue]: "dropzone-ingestQueue",
      [p.jobsQueue]: "ingest-jobsQueue",
      [p.resultsQueue]: "worker-resultsQueue",
      [p.deadLetterQueue]: "jobsQueue-deadLetterQueue",
    }[event.subject];
  if (event.kind === "received")
    return { [p.ingestQueue]: "ingestQueue-ingest", [p.jobsQueue]: "jobsQueue-worker" }[event.subject];
  return null;
}

function pulse(element, beats, tone) {
  const name = tone ? "hurt" : "pulse";
  if (!element || element.classList.contains(name)) return;
  setTimeout(() => element.classList.add(name), beats * BEAT);
}

function onEvent(event, old) {
  if (old || !live.settings.pipeline) return;
  const way = wayOf(event);
  if (way) pulse(ways[way], WAYS.find(([from, to]) => `${from}-${to}` === way)[2]);
  if (event.kind === "object" && event.subject?.startsWith(`s3://${live.settings.pipeline.dropzone}/`))
    pulse(byId("node-dropzone"), 0);
  const stage = /^(ingest|worker)/.exec(event.actor || "")?.[1];
  if (event.kind === "failed" && stage) pulse(byId(`node-${stage}`), 0, "hurt");
  if (event.kind === "fault" && event.reason === "kill-worker") pulse(byId("node-worker"), 0, "hurt");
}

// ---- what they hold ----

const figure = (value, word, tone) =>
  el("span", { class: `figure ${(value && tone) || ""}` }, el("b", null, value.toLocaleString("en-US")), ` ${word}`);

export const queueOf = (name) =>
  live.status.queues.find(
    (queue) => queue.name === name && queue.account === live.settings.account && queue.region === live.settings.region,
  );
const bucketOf = (name) => live.status.buckets.find((bucket) => bucket.name === name);

function queueFigures(queue, dead) {
  if (!queue) return el("span", { class: "figure bad" }, "is not there");
  return [
    figure(queue.visible, "visible", dead ? "bad" : "some"),
    figure(queue.inFlight, "in flight", "some"),
    queue.delayed > 0 && figure(queue.delayed, "delayed", "some"),
    el("span", { class: "figure age" }, queue.oldestAgeMs ? `oldest ${length(queue.oldestAgeMs)}` : "\u00a0"),
  ];
}

function stageFigures(stage) {
  const failed = stage.failed + stage.killed;
  return [
    el("span", { class: `figure ${stage.busy ? "some" : ""}` }, el("b", null, stage.busy), ` of ${stage.slots} busy`),
    figure(stage.done, "done"),
    figure(failed, "failed", "bad"),
  ];
}

function figuresOf(id, kind) {
  const name = live.settings.pipeline[id];
  if (kind === "queue") return queueFigures(queueOf(name), id === "deadLetterQueue");
  if (kind === "stage") return stageFigures(live.status.workers.find((stage) => stage.stage === id));
  const bucket = bucketOf(name);
  return bucket
    ? figure(bucket.versions, bucket.versions === 1 ? "object" : "objects")
    : el("span", { class: "figure bad" }, "is not there");
}

function onStatus() {
  if (!live.settings.pipeline) return;
  for (const [id, , kind] of NODES)
    if (counts[id]) counts[id].replaceChildren(...[figuresOf(id, kind)].flat().filter(Boolean));
}

// ---- the drawing ----

function nodeOf([id, what, kind]) {
  const p = live.settings.pipeline;
  const name = { ingest: "ingest", worker: "workers" }[id] || p[id];
  const href = {
    bucket: () => bucketLink(name).getAttribute("href"),
    queue: () => queueHash(queueOf(name)?.url || name),
    stage: () => "#faults",
  }[kind]();
  const rule = {
    dropzone: `${p.prefix}\u2026${p.suffix}`,
    processed: `${p.outputPrefix}\u2026`,
    deadLetterQueue: `after ${p.maxReceives} receives`,
  }[id];
  counts[id] = el("span", { class: "figures" });
  const inside = [
    el("span", { class: "what" }, what),
    el("span", { class: "name", title: name }, name),
    rule && el("span", { class: "rule" }, rule),
    counts[id],
  ];
  const node =
    kind === "stage"
      ? el("div", { id: `node-${id}`, class: `node ${kind}` }, inside)
      : el("a", { id: `node-${id}`, class: `node ${kind}`, href }, inside);
  node.addEventListener("animationend", () => node.classList.remove("pulse", "hurt"));
  return node;
}

function wayElement([from, to, , words]) {
  const way = el(
    "div",
    { class: `way way-${from}-${to}`, "aria-hidden": "true" },
    el("span", { class: "dot" }),
    words && el("span", { class: "words" }, words),
  );
  way.addEventListener("animationend", () => way.classList.remove("pulse"));
  return (ways[`${from}-${to}`] = way);
}

export function draw() {
  const root = byId("pipeline");
  if (!live.settings.pipeline) {
    replace(
      root,
      el(
        "p",
        { class: "empty" },
        "The built-in pipeline is switched off (--no-pipeline). What your own programs do with ",
        link("#buckets", "buckets"),
        " and ",
        link("#queues", "queues"),
        " shows in the events and in traces.",
      ),
    );
    return;
  }
  replace(root, el("div", { class: "picture" }, NODES.map(nodeOf), WAYS.map(wayElement)));
  onStatus();
}

export function init() {
  live.on("event", onEvent);
  live.on("status", onStatus);
}
