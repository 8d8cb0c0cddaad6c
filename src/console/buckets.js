// Looking into buckets. Objects are listed by S3 itself, page by page, and shown as text or not at all.
import { addressable, downloadPath, listObjects, objectPath, s3 } from "./api.js";
import {
  bucketLink, busy, button, bytes, cell, data, el, empty, failure, link, numberCell, objectHash, replace, short,
  table, tightCell, traceLink, visible, visibleLines,
} from "./dom.js";
import * as live from "./live.js";
import { notices } from "./send.js";
import { follow } from "./trace.js";

const PAGE = 50; // objects at a time
const PREVIEW = 4096; // bytes of an object

export function all(root) {
  const list = el("div");
  root.append(el("h2", null, "Buckets"), notices() || "", list);
  const draw = () => {
    const rows = live.status.buckets.map((bucket) =>
      el("tr", null, cell(bucketLink(bucket.name)), cell(bucket.account), numberCell(bucket.versions)),
    );
    replace(
      list,
      rows.length
        ? table(["Bucket", "Account", "Objects and versions "], rows)
        : empty("There is no bucket. Make one: ", el("code", null, "aws s3 mb s3://my-bucket")),
    );
  };
  draw();
  return { status: draw };
}

function objectRow(bucket, object) {
  const url = `s3://${bucket}/${object.key}`;
  return el(
    "tr",
    null,
    cell(link(objectHash(bucket, object.key), data(object.key))),
    numberCell(bytes(object.size)),
    tightCell(object.modified.replace("T", " ").replace(".000Z", "")),
    tightCell(
      traceLink(url, "trace"),
      " ",
      addressable(object.key) && el("a", { href: downloadPath(bucket, object.key), download: true }, "download"),
    ),
  );
}

export function bucket(root, [name]) {
  const list = el("div");
  const filter = el("input", {
    id: "prefix",
    placeholder: "all keys",
    spellcheck: "false",
    autocomplete: "off",
    oninput: () => load(""),
  });
  const pages = el("div", { class: "row" });
  let asked = 0,
    token = "";
  const load = async (from) => {
    const mine = ++asked;
    token = from;
    try {
      const page = await busy(list, () => listObjects(name, { prefix: filter.value, token: from, most: PAGE }));
      if (mine !== asked) return;
      replace(
        list,
        page.objects.length
          ? table(
              ["Key", "Size ", "Modified", ""],
              page.objects.map((object) => objectRow(name, object)),
            )
          : empty(filter.value ? "No key begins like that." : "The bucket is empty. "),
      );
      replace(
        pages,
        from && button("First page", () => load(""), { "data-focus": "first" }),
        page.next && button("Next page", () => load(page.next), { "data-focus": "next" }),
      );
    } catch (error) {
      if (mine === asked) replace(list, failure(error), error.status === 403 && notices());
    }
  };
  root.append(
    el("h2", null, link("#buckets", "Buckets"), " / ", data(name)),
    el(
      "form",
      { class: "row", onsubmit: (event) => event.preventDefault() },
      el("label", { for: "prefix" }, "Keys beginning with"),
      filter,
    ),
    list,
    pages,
  );
  load("");
  let timer = 0;
  const event = (one) =>
    one.kind === "object" &&
    one.subject?.startsWith(`s3://${name}/`) &&
    (timer ||= setTimeout(() => ((timer = 0), load(token)), 500));
  return { event, end: () => clearTimeout(timer) };
}

async function headOf(bucket, key) {
  const answer = await s3("HEAD", objectPath(bucket, key), { as: "text" });
  const names = answer
    .getAllResponseHeaders()
    .split("\r\n")
    .filter((line) => /^(content-|etag|last-modified|x-amz-(?!request-id|id-2))/i.test(line));
  return {
    size: Number(answer.getResponseHeader("Content-Length")),
    lines: names.map((line) => line.split(/: (.*)/s)),
  };
}

async function preview(bucket, key, size) {
  if (!size) return empty("The object is empty.");
  const answer = await s3("GET", objectPath(bucket, key), { as: "text", headers: { Range: `bytes=0-${PREVIEW - 1}` } });
  if (answer.response.includes("\0")) return empty("This is no text.");
  return [
    el("pre", null, visibleLines(answer.response)),
    size > PREVIEW && el("p", { class: "hint" }, `The first ${bytes(PREVIEW)} of ${bytes(size)}.`),
  ];
}

export function object(root, [name, key]) {
  const url = `s3://${name}/${key}`,
    facts = el("div"),
    text = el("div"),
    life = el("div");
  root.append(
    el(
      "h2",
      null,
      link("#buckets", "Buckets"),
      " / ",
      bucketLink(name),
      " / ",
      el("bdi", { class: "data" }, short(key, 120)),
    ),
    facts,
    text,
    el("h3", null, "Its life"),
    life,
  );
  (async () => {
    try {
      if (!addressable(key)) throw new Error("No browser can ask for a key that is only dots; use the command line.");
      const head = await headOf(name, key);
      replace(
        facts,
        el("p", null, el("a", { class: "button", href: downloadPath(name, key), download: true }, "Download")),
        el(
          "dl",
          null,
          el("dt", null, "key"),
          el("dd", null, el("bdi", { class: "data" }, visible(key))),
          head.lines.map(([field, value]) => [el("dt", null, field), el("dd", null, data(value || ""))]),
        ),
      );
      replace(text, await preview(name, key, head.size));
    } catch (error) {
      replace(
        facts,
        error.status === 404 ? empty("There is no such object now.") : failure(error),
        error.status === 403 && notices(),
      );
    }
  })();
  if (live.settings.trace) return follow(life, url);
  life.append(empty("This server runs with --trace off."));
  return null;
}
