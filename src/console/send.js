// Sending a file: dropped anywhere on the page, chosen, or typed. Its trace follows at once, its report when it is there.
import { addressable, Gone, objectPath, s3 } from "./api.js";
import { bytes, byId, data, el, empty, failure, link, objectHash, replace, visibleLines } from "./dom.js";
import * as live from "./live.js";
import { follow } from "./trace.js";

const SHOWN = 5; // the newest

let sent = []; // {root, followed, ...}, newest first
let typed = 0;

function destination() {
  const p = live.settings.pipeline;
  const first = live.status.buckets[0];
  return p ? `s3://${p.dropzone}/${p.prefix}` : first ? `s3://${first.name}/` : "";
}

const reportKey = (key) => {
  const p = live.settings.pipeline;
  return p && key.startsWith(p.prefix) ? `${p.outputPrefix}${key.slice(p.prefix.length)}.report.json` : null;
};

// ---- a report ----

function reportBox(key, text) {
  let report;
  try {
    report = JSON.parse(text);
  } catch {
    report = {};
  }
  const figures = Object.entries(report.report || {}).map(([name, value]) =>
    el("div", { class: "big" }, el("b", null, String(value)), el("span", null, name)),
  );
  return [
    el(
      "p",
      null,
      "Report: ",
      link(objectHash(live.settings.pipeline.processed, key), data(`s3://${live.settings.pipeline.processed}/${key}`)),
    ),
    figures.length > 0 && el("div", { class: "bigs" }, figures),
    el(
      "details",
      null,
      el("summary", null, "as it is stored"),
      el("pre", null, visibleLines(JSON.stringify(report, null, 2))),
    ),
  ];
}

async function showReport(item, key) {
  if (item.reported || !key) return;
  item.reported = true;
  try {
    const answer = await s3("GET", objectPath(live.settings.pipeline.processed, key), { as: "text" });
    replace(item.report, reportBox(key, answer.response));
  } catch (error) {
    item.reported = false;
    if (error.status !== 404) replace(item.report, failure(error));
  }
}

// The report that this very upload made; of an older one of the same name the trace says `duplicate`.
function onTrace(item, events) {
  const from = `s3://${live.settings.pipeline?.processed}/`;
  const made = events.filter((event) => event.kind === "object" && event.subject?.startsWith(from)).pop();
  const old = events.some((event) => event.kind === "nothing" && event.reason === "duplicate");
  if (made) showReport(item, made.subject.slice(from.length));
  else if (old) showReport(item, reportKey(item.key));
}

// ---- an upload ----

function card(item) {
  item.state = el("span", { class: "state" }, "is being sent");
  item.report = el("div", { class: "report" });
  item.life = el("div", null);
  item.root = el(
    "article",
    { class: "card" },
    el(
      "h3",
      null,
      link(objectHash(item.bucket, item.key), data(`s3://${item.bucket}/${item.key}`)),
      " ",
      el("span", { class: "muted" }, bytes(item.size)),
      " ",
      item.state,
    ),
    item.report,
    item.life,
  );
  sent.unshift(item);
  for (const old of sent.splice(SHOWN)) (old.followed?.end(), old.root.remove());
  byId("sent")?.prepend(item.root);
  byId("sent-empty")?.remove();
}

async function put(bucket, key, body, type) {
  const item = { bucket, key, size: body.size };
  card(item);
  try {
    if (!addressable(key)) throw new Error(`No browser can send to a key that is only "${key}".`);
    await s3("PUT", objectPath(bucket, key), {
      body,
      headers: { "Content-Type": type },
      progress: (done, all) => (item.state.textContent = `${Math.floor((100 * done) / (all || 1))} %`),
    });
    item.state.textContent = "stored";
    if (live.settings.trace)
      item.followed = follow(item.life, `s3://${bucket}/${key}`, (events) => onTrace(item, events));
    else item.waits = true;
    await live.look();
  } catch (error) {
    item.state.textContent = "was not stored";
    item.state.classList.add("bad");
    replace(item.life, failure(error), error instanceof Gone ? null : refusalHint());
  }
}

const refusalHint = () =>
  live.settings.auth !== "off" &&
  el("p", { class: "hint" }, `This server runs with --auth ${live.settings.auth}, and this page signs nothing.`);

function target() {
  const text = byId("to")?.value ?? destination();
  const found = /^(?:s3:\/\/)?([^/]+)(?:\/(.*))?$/s.exec(text.trim());
  return found ? { bucket: found[1], prefix: found[2] || "" } : null;
}

export function sendFiles(files) {
  const to = target();
  if (!to) return complain();
  for (const file of files) put(to.bucket, to.prefix + file.name, file, file.type || "application/octet-stream");
}

function complain() {
  replace(byId("sent"), failure(new Error("Say where to: s3://BUCKET/ and, if you like, the beginning of a key.")));
}

function sendText(event) {
  event.preventDefault();
  const to = target(),
    name = byId("name").value || "note.txt";
  if (!to) return complain();
  put(to.bucket, to.prefix + name, new Blob([byId("text").value]), "text/plain; charset=utf-8");
  byId("name").value = `note-${++typed + 1}.txt`;
}

// ---- the view ----

function signed() {
  return el(
    "p",
    { class: "notice warn" },
    `This server runs with --auth ${live.settings.auth}: S3 and SQS want signed requests, and this page has no keys. `,
    "Sending files and looking into buckets are refused here; use the AWS command line or an SDK with your keys. Everything else on this page works.",
  );
}

function form() {
  const chosen = el("input", {
    type: "file",
    id: "files",
    multiple: true,
    class: "sr",
    onchange: (event) => (sendFiles(event.target.files), (event.target.value = "")),
  });
  return el(
    "form",
    { class: "send", onsubmit: sendText },
    el(
      "div",
      { class: "row" },
      el("label", { for: "to" }, "To"),
      el("input", { id: "to", value: destination(), spellcheck: "false", autocomplete: "off" }),
      el("label", { class: "button", for: "files" }, "Choose files\u2026"),
      chosen,
    ),
    el("label", { for: "text" }, "Or type a text"),
    el("textarea", { id: "text", rows: 3, spellcheck: "false" }, "hello world\nthis is a test\n"),
    el(
      "div",
      { class: "row" },
      el("label", { for: "name" }, "Name"),
      el("input", {
        id: "name",
        value: typed ? `note-${typed + 1}.txt` : "note.txt",
        spellcheck: "false",
        autocomplete: "off",
      }),
      el("button", { class: "main" }, "Send"),
    ),
  );
}

export const notices = () => (live.settings.auth === "off" ? null : signed());

export function view(root) {
  root.append(el("h2", null, "Send a file"));
  if (live.settings.auth !== "off") root.append(signed());
  if (!destination()) {
    root.append(empty("There is no bucket yet. Make one: ", el("code", null, "aws s3 mb s3://my-bucket")));
    return { status: () => destination() && dispatchEvent(new Event("hashchange")) };
  }
  root.append(
    el(
      "p",
      { class: "hint" },
      "Drop files anywhere on this page. ",
      live.settings.pipeline
        ? "The pipeline counts their words; try another name or prefix to see why nothing happens."
        : "",
    ),
    form(),
  );
  root.append(
    el(
      "div",
      { id: "sent" },
      sent.length
        ? sent.map((item) => item.root)
        : el("p", { id: "sent-empty", class: "empty" }, "Nothing sent from this page yet."),
    ),
  );
  for (const item of sent) item.followed?.again();
  return { event: (event) => sent.forEach((item) => item.followed?.event(event)), status: onStatus };
}

function onStatus() {
  for (const item of sent) {
    item.followed?.status();
    if (item.waits) showReport(item, reportKey(item.key));
  }
}

export function init() {
  const zone = document.documentElement;
  const carries = (event) => event.dataTransfer?.types.includes("Files");
  addEventListener("dragover", (event) => carries(event) && (event.preventDefault(), zone.classList.add("dropping")));
  addEventListener("dragleave", (event) => !event.relatedTarget && zone.classList.remove("dropping"));
  addEventListener("drop", (event) => {
    if (!carries(event)) return;
    event.preventDefault();
    zone.classList.remove("dropping");
    const files = [...event.dataTransfer.files];
    if (!live.settings) return;
    if (location.hash && !location.hash.startsWith("#send")) {
      addEventListener("hashchange", () => sendFiles(files), { once: true });
      location.hash = "send";
    } else sendFiles(files);
  });
}
