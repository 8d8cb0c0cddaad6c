// Looking into buckets and queues. Objects are listed by S3 itself, messages are looked at without being received.
import { addressable, downloadPath, get, listObjects, objectPath, s3 } from "./api.js";
import { bucketLink, busy, button, bytes, cell, clockText, data, el, empty, failure, length, link, numberCell, objectHash, queueHash, replace, short, table, traceLink, visibleLines } from "./dom.js";
import * as live from "./live.js";
import { notices } from "./send.js";
import { follow, WHY } from "./trace.js";

const PAGE = 50; // objects or messages at a time
const PREVIEW = 4096; // bytes of an object

// ---- buckets ----

export function buckets(root) {
  const list = el("div");
  root.append(el("h2", null, "Buckets"), notices() || "", list);
  const draw = () => {
    const rows = live.status.buckets.map((bucket) => el("tr", null, cell(bucketLink(bucket.name)), cell(bucket.account), numberCell(bucket.versions)));
    replace(list, rows.length ? table(["Bucket", "Account", "Objects and versions "], rows) : empty("There is no bucket. Make one: ", el("code", null, "aws s3 mb s3://my-bucket")));
  };
  draw();
  return { status: draw };
}

function objectRow(bucket, object) {
  const url = `s3://${bucket}/${object.key}`;
  return el("tr", null, cell(link(objectHash(bucket, object.key), data(object.key))), numberCell(bytes(object.size)), cell(object.modified.replace("T", " ").replace(".000Z", "")),
    cell(traceLink(url, "trace"), " ", addressable(object.key) && el("a", { href: downloadPath(bucket, object.key), download: true }, "download")));
}

export function bucket(root, [name]) {
  const list = el("div");
  const filter = el("input", { id: "prefix", placeholder: "all keys", spellcheck: "false", autocomplete: "off", oninput: () => load("") });
  const pages = el("div", { class: "row" });
  let asked = 0, token = "";
  const load = async (from) => {
    const mine = ++asked;
    token = from;
    try {
      const page = await busy(list, () => listObjects(name, { prefix: filter.value, token: from, most: PAGE }));
      if (mine !== asked) return;
      replace(list, page.objects.length ? table(["Key", "Size ", "Modified", ""], page.objects.map((object) => objectRow(name, object)))
        : empty(filter.value ? "No key begins like that." : "The bucket is empty. "));
      replace(pages, from && button("First page", () => load(""), { "data-focus": "first" }), page.next && button("Next page", () => load(page.next), { "data-focus": "next" }));
    } catch (error) {
      if (mine === asked) replace(list, failure(error), error.status === 403 && notices());
    }
  };
  root.append(el("h2", null, link("#buckets", "Buckets"), " / ", data(name)),
    el("form", { class: "row", onsubmit: (event) => event.preventDefault() }, el("label", { for: "prefix" }, "Keys beginning with"), filter), list, pages);
  load("");
  let timer = 0;
  const event = (one) => one.kind === "object" && one.subject?.startsWith(`s3://${name}/`) && (timer ||= setTimeout(() => ((timer = 0), load(token)), 500));
  return { event, end: () => clearTimeout(timer) };
}

async function headOf(bucket, key) {
  const answer = await s3("HEAD", objectPath(bucket, key), { as: "text" });
  const names = answer.getAllResponseHeaders().split("\r\n").filter((line) => /^(content-|etag|last-modified|x-amz-(?!request-id|id-2))/i.test(line));
  return { size: Number(answer.getResponseHeader("Content-Length")), lines: names.map((line) => line.split(/: (.*)/s)) };
}

async function preview(bucket, key, size) {
  if (!size) return empty("The object is empty.");
  const answer = await s3("GET", objectPath(bucket, key), { as: "text", headers: { Range: `bytes=0-${PREVIEW - 1}` } });
  if (answer.response.includes("\0")) return empty("This is no text.");
  return [el("pre", null, visibleLines(answer.response)), size > PREVIEW && el("p", { class: "hint" }, `The first ${bytes(PREVIEW)} of ${bytes(size)}.`)];
}

export function object(root, [name, key]) {
  const url = `s3://${name}/${key}`, facts = el("div"), text = el("div"), life = el("div");
  root.append(el("h2", null, link("#buckets", "Buckets"), " / ", bucketLink(name), " / ", data(key)), facts, text, el("h3", null, "Its life"), life);
  (async () => {
    try {
      if (!addressable(key)) throw new Error("No browser can ask for a key that is only dots; use the command line.");
      const head = await headOf(name, key);
      replace(facts, el("p", null, el("a", { class: "button", href: downloadPath(name, key), download: true }, "Download")),
        el("dl", null, head.lines.map(([field, value]) => [el("dt", null, field), el("dd", null, data(value || ""))])));
      replace(text, await preview(name, key, head.size));
    } catch (error) {
      replace(facts, error.status === 404 ? empty("There is no such object now.") : failure(error), error.status === 403 && notices());
    }
  })();
  if (live.settings.trace) return follow(life, url);
  life.append(empty("This server runs with --trace off."));
  return null;
}

// ---- queues ----

export function queues(root) {
  const list = el("div");
  root.append(el("h2", null, "Queues"), list);
  const draw = () => {
    const rows = live.status.queues.map((queue) => el("tr", null, cell(link(queueHash(queue.url), data(queue.name), { "data-focus": queue.url })), cell(`${queue.account} ${queue.region}`),
      numberCell(queue.visible), numberCell(queue.inFlight), numberCell(queue.delayed), numberCell(queue.oldestAgeMs ? length(queue.oldestAgeMs) : "")));
    replace(list, rows.length ? table(["Queue", "Account", "Visible ", "In flight ", "Delayed ", "Oldest "], rows) : empty("There is no queue. Make one: ", el("code", null, "aws sqs create-queue --queue-name my-queue")));
  };
  draw();
  return { status: draw };
}

function bodyOf(text) {
  const pre = el("pre", null, visibleLines(text));
  let tidy;
  try {
    tidy = JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return pre;
  }
  const toggle = el("input", { type: "checkbox", onchange: () => (pre.textContent = visibleLines(toggle.checked ? tidy : text)) });
  return [el("label", { class: "check" }, toggle, " indent the JSON"), pre];
}

const STATES = { visible: "visible", inFlight: "in flight", delayed: "delayed" };

function messageFacts(message) {
  const rows = [["sent", message.sentAt], ["first received", message.firstReceivedAt], ["group", message.groupId], ["deduplication id", message.deduplicationId],
    ["sequence number", message.sequenceNumber], ["sender", message.senderId], ["trace header", message.traceHeader], ["dead letter of", message.deadLetterSourceArn],
    ...Object.entries(message.attributes).map(([name, value]) => [name, `${value.value ?? value.base64} (${value.type})`])];
  return el("dl", null, rows.filter(([, value]) => value).map(([name, value]) => [el("dt", null, data(name)), el("dd", null, data(value))]));
}

function messageRow(message, open) {
  const summary = el("summary", { "data-focus": message.messageId }, el("b", { class: message.state }, STATES[message.state]), message.visibleAt && ` until ${clockText(message.visibleAt)}`,
    `, received ${message.receiveCount} ${message.receiveCount === 1 ? "time" : "times"}  `, el("span", { class: "muted" }, el("bdi", null, short(message.body, 60))));
  const inside = () => [el("p", null, "Message ", data(message.messageId), " ", traceLink(message.messageId, "trace")), messageFacts(message), bodyOf(message.body)];
  const details = el("details", { class: "message", ontoggle: () => {
    if (details.open) open.add(message.messageId);
    else open.delete(message.messageId);
    if (details.open && details.children.length === 1) details.append(...inside().flat());
  } }, summary);
  details.open = open.has(message.messageId);
  return details;
}

export function queue(root, [url]) {
  const name = url.slice(url.lastIndexOf("/") + 1), list = el("div"), pages = el("div", { class: "row" }), numbers = el("p"), open = new Set();
  root.append(el("h2", null, link("#queues", "Queues"), " / ", data(name)), numbers, el("p", { class: "hint" }, "Looking changes nothing: these messages are not received."), list, pages);
  let asked = 0, after = 0, timer = 0;
  const load = async (from) => {
    const mine = ++asked;
    after = from;
    try {
      const page = await busy(list, () => get(`sqs/messages?ShowInvisible=true&ShowDelayed=true&limit=${PAGE}&after=${from}&QueueUrl=${encodeURIComponent(url)}`));
      if (mine !== asked) return;
      replace(list, page.messages.length ? page.messages.map((message) => messageRow(message, open)) : empty(from ? "No more messages." : "The queue is empty. "));
      replace(pages, from > 0 && button("First page", () => load(0), { "data-focus": "first" }), page.next !== undefined && button("Next page", () => load(page.next), { "data-focus": "next" }));
    } catch (error) {
      if (mine === asked) replace(list, failure(error));
    }
  };
  const status = () => {
    const now = live.status.queues.find((one) => one.url === url);
    numbers.textContent = now ? `${now.visible} visible, ${now.inFlight} in flight, ${now.delayed} delayed` : WHY.queue_deleted;
  };
  status();
  load(0);
  const event = (one) => one.subject === name && (timer ||= setTimeout(() => ((timer = 0), load(after)), 500));
  return { event, status, end: () => clearTimeout(timer) };
}
