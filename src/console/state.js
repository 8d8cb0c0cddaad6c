// What would hurt on AWS, what it would have cost; and the state: keep it, bring it back, empty it.
import { ask, get, post, remove } from "./api.js";
import { busy, button, bytes, cell, data, el, empty, failure, numberCell, replace, table } from "./dom.js";
import * as live from "./live.js";

const REST = 3000; // ms between two reports: they are more work than a look

const dollars = (value) => `$${value.toFixed(value && value < 0.01 ? 7 : 2)}`;

// ---- checks ----

function finding(one) {
  return el(
    "article",
    { class: `notice ${one.severity === "error" ? "bad" : one.severity === "warning" ? "warn" : "info"}` },
    el("h3", null, one.code, " ", data(one.subject), one.count > 1 && ` (${one.count} times)`),
    el("p", null, "Seen: ", data(one.seen)),
    el("p", null, "Why: ", one.why),
    el("p", null, "What to do: ", one.fix),
  );
}

async function lint(root) {
  if (!live.settings.lint) return replace(root, empty("This server runs with --lint off."));
  const { findings, notes } = await get("lint");
  return replace(
    root,
    findings.length || notes.length
      ? [...findings, ...notes].map(finding)
      : empty("Nothing so far that AWS would refuse or charge dearly for."),
  );
}

async function cost(root) {
  const sums = await get("cost");
  const rows = sums.operations.map((one) =>
    el(
      "tr",
      null,
      cell(one.service),
      cell(one.operation),
      numberCell(one.requests),
      numberCell(dollars(one.requestCost + one.transferCost)),
      numberCell(one.emptyReceives ? `${Math.round((100 * one.emptyReceives) / one.requests)} % empty` : ""),
    ),
  );
  replace(
    root,
    rows.length
      ? [
          table(["", "Operation", "Requests ", "Cost ", ""], rows),
          el(
            "p",
            null,
            "Together ",
            el("b", null, dollars(sums.total)),
            `, empty receives ${dollars(sums.emptyReceives)}; storage, if kept, ${dollars(sums.storagePerMonth)} a month.`,
          ),
          el(
            "p",
            { class: "hint" },
            `List prices of ${sums.pricesOf}, ${sums.region}, without a free tier. What this page asks of S3 counts; the built-in pipeline's own work does not.`,
          ),
        ]
      : empty("No request yet that AWS would bill."),
  );
}

export function checks(root) {
  const found = el("div"),
    spent = el("div");
  root.append(el("h2", null, "What would hurt on AWS"), found, el("h2", null, "What it would have cost"), spent);
  const load = () => {
    lint(found).catch((error) => replace(found, failure(error)));
    cost(spent).catch((error) => replace(spent, failure(error)));
  };
  load();
  let last = performance.now();
  return { status: () => performance.now() - last > REST && ((last = performance.now()), load()) };
}

// ---- state ----

export function view(root) {
  const list = el("div"),
    told = el("div", { role: "status" });
  const name = el("input", {
    id: "snapshot",
    placeholder: "before-the-test",
    spellcheck: "false",
    autocomplete: "off",
    maxlength: 64,
    required: true,
  });
  const attempt = async (work, words) => {
    try {
      await busy(list, work);
      replace(told, words && el("p", { class: "notice info" }, words));
      await load();
      await live.look();
    } catch (error) {
      replace(told, failure(error));
    }
  };
  const place = (snapshot) => `snapshots/${encodeURIComponent(snapshot)}`;
  const sure = (words, work, done) => confirm(words) && attempt(work, done);
  const row = (one) =>
    el(
      "tr",
      null,
      cell(data(one.name)),
      numberCell(bytes(one.bytes)),
      cell(
        button(
          "Load",
          () =>
            sure(
              `Load "${one.name}"? Everything that is there now goes.`,
              () => post(`${place(one.name)}/load`),
              `${one.name} is loaded.`,
            ),
          { "data-focus": `load ${one.name}` },
        ),
        " ",
        button(
          "Delete",
          () => sure(`Delete the snapshot "${one.name}"?`, () => remove(place(one.name)), `${one.name} is deleted.`),
          { "data-focus": `delete ${one.name}` },
        ),
      ),
    );
  const load = async () => {
    const { snapshots } = await get("snapshots");
    replace(
      list,
      snapshots.length
        ? table(["Name", "Size ", ""], snapshots.map(row))
        : empty("No snapshot yet. One holds everything there is: buckets, objects, queues, messages."),
    );
  };
  const save = (event) => {
    event.preventDefault();
    attempt(() => post(place(name.value.trim())), `${name.value.trim()} is saved.`);
  };
  root.append(
    el("h2", null, "Snapshots"),
    list,
    el(
      "form",
      { class: "row", onsubmit: save },
      el("label", { for: "snapshot" }, "Save as"),
      name,
      el("button", null, "Save"),
    ),
    told,
    el("h2", null, "Empty everything"),
    el(
      "p",
      null,
      "All objects, messages, buckets and queues go, with traces, counts and fault rules. The pipeline's own are made anew.",
    ),
    el(
      "p",
      null,
      button(
        "Reset\u2026",
        () =>
          sure(
            "Empty this server? There is no way back but a snapshot.",
            () => ask("POST", "/_headrace/reset"),
            "Everything is empty.",
          ),
        { class: "danger" },
      ),
    ),
  );
  load().catch((error) => replace(list, failure(error)));
  return null;
}
