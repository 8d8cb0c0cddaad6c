// Looking into queues: messages are looked at without being received.
import { get } from "./api.js";
import {
  busy, button, cell, clockText, data, el, empty, failure, length, link, numberCell, queueHash, replace, short,
  table, traceLink, visibleLines,
} from "./dom.js";
import * as live from "./live.js";
import { WHY } from "./trace.js";

const PAGE = 50; // messages at a time

export function all(root) {
  const list = el("div");
  root.append(el("h2", null, "Queues"), list);
  const draw = () => {
    const rows = live.status.queues.map((queue) =>
      el(
        "tr",
        null,
        cell(link(queueHash(queue.url), data(queue.name), { "data-focus": queue.url })),
        cell(`${queue.account} ${queue.region}`),
        numberCell(queue.visible),
        numberCell(queue.inFlight),
        numberCell(queue.delayed),
        numberCell(queue.oldestAgeMs ? length(queue.oldestAgeMs) : ""),
      ),
    );
    replace(
      list,
      rows.length
        ? table(["Queue", "Account", "Visible ", "In flight ", "Delayed ", "Oldest "], rows)
        : empty("There is no queue. Make one: ", el("code", null, "aws sqs create-queue --queue-name my-queue")),
    );
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
  const toggle = el("input", {
    type: "checkbox",
    onchange: () => (pre.textContent = visibleLines(toggle.checked ? tidy : text)),
  });
  return [el("label", { class: "check" }, toggle, " indent the JSON"), pre];
}

const STATES = { visible: "visible", inFlight: "in flight", delayed: "delayed" };

function messageFacts(message) {
  const rows = [
    ["sent", message.sentAt],
    ["first received", message.firstReceivedAt],
    ["group", message.groupId],
    ["deduplication id", message.deduplicationId],
    ["sequence number", message.sequenceNumber],
    ["sender", message.senderId],
    ["trace header", message.traceHeader],
    ["dead letter of", message.deadLetterSourceArn],
    ...Object.entries(message.attributes).map(([name, value]) => [
      name,
      `${value.value ?? value.base64} (${value.type})`,
    ]),
  ];
  return el(
    "dl",
    null,
    rows.filter(([, value]) => value).map(([name, value]) => [el("dt", null, data(name)), el("dd", null, data(value))]),
  );
}

function messageRow(message, open) {
  const summary = el(
    "summary",
    { "data-focus": message.messageId },
    el("b", { class: message.state }, STATES[message.state]),
    message.visibleAt && ` until ${clockText(message.visibleAt)}`,
    `, received ${message.receiveCount} ${message.receiveCount === 1 ? "time" : "times"}  `,
    el("span", { class: "muted" }, el("bdi", null, short(message.body, 60))),
  );
  const inside = () => [
    el("p", null, "Message ", data(message.messageId), " ", traceLink(message.messageId, "trace")),
    messageFacts(message),
    bodyOf(message.body),
  ];
  const details = el(
    "details",
    {
      class: "message",
      ontoggle: () => {
        if (details.open) open.add(message.messageId);
        else open.delete(message.messageId);
        if (details.open && details.children.length === 1) details.append(...inside().flat());
      },
    },
    summary,
  );
  details.open = open.has(message.messageId);
  return details;
}

export function queue(root, [url]) {
  const name = url.slice(url.lastIndexOf("/") + 1),
    list = el("div"),
    pages = el("div", { class: "row" }),
    numbers = el("p"),
    open = new Set();
  root.append(
    el("h2", null, link("#queues", "Queues"), " / ", data(name)),
    numbers,
    el("p", { class: "hint" }, "Looking changes nothing: these messages are not received."),
    list,
    pages,
  );
  let asked = 0,
    after = 0,
    timer = 0;
  const load = async (from) => {
    const mine = ++asked;
    after = from;
    try {
      const page = await busy(list, () =>
        get(
          `sqs/messages?ShowInvisible=true&ShowDelayed=true&limit=${PAGE}&after=${from}&QueueUrl=${encodeURIComponent(url)}`,
        ),
      );
      if (mine !== asked) return;
      replace(
        list,
        page.messages.length
          ? page.messages.map((message) => messageRow(message, open))
          : empty(from ? "No more messages." : "The queue is empty. "),
      );
      replace(
        pages,
        from > 0 && button("First page", () => load(0), { "data-focus": "first" }),
        page.next !== undefined && button("Next page", () => load(page.next), { "data-focus": "next" }),
      );
    } catch (error) {
      if (mine === asked) replace(list, failure(error));
    }
  };
  const status = () => {
    const now = live.status.queues.find((one) => one.url === url);
    numbers.textContent = now
      ? `${now.visible} visible, ${now.inFlight} in flight, ${now.delayed} delayed`
      : WHY.queue_deleted;
  };
  status();
  load(0);
  const event = (one) => one.subject === name && (timer ||= setTimeout(() => ((timer = 0), load(after)), 500));
  return { event, status, end: () => clearTimeout(timer) };
}
