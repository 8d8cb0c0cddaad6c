// Fault rules: what is to go wrong, where, and how often; and how often it did.
import { ask, get, remove } from "./api.js";
import { button, byId, cell, tightCell, data, el, empty, failure, numberCell, replace, table } from "./dom.js";

const EFFECTS = [
  "error",
  "latency",
  "cut",
  "duplicate",
  "reorder",
  "lose-delete",
  "late-event",
  "double-event",
  "kill-worker",
];
const WHENS = [
  ["", "always"],
  ["nth", "only the one of number"],
  ["next", "the next so many"],
  ["every", "every so many"],
  ["probability", "with probability"],
];
// name, label, as a number
const FIELDS = [
  ["service", "service"],
  ["operation", "operation"],
  ["bucket", "bucket"],
  ["key", "key"],
  ["queue", "queue"],
  ["code", "error code"],
  ["status", "HTTP status", true],
  ["delay", "delay"],
  ["at", "cut: before, within, after"],
  ["seed", "seed", true],
];
const PRESETS = [
  [
    "The next worker dies",
    { effect: "kill-worker", service: "worker", operation: "ProcessJob", when: "next", amount: "1" },
  ],
  [
    "4 deaths: to the DLQ",
    { effect: "kill-worker", service: "worker", operation: "ProcessJob", when: "next", amount: "4" },
  ],
  ["Next event comes twice", { effect: "double-event", service: "s3", operation: "Event", when: "next", amount: "1" }],
  [
    "Next event 30 s late",
    { effect: "late-event", service: "s3", operation: "Event", delay: "30s", when: "next", amount: "1" },
  ],
  [
    "Next delete gets lost",
    { effect: "lose-delete", service: "sqs", operation: "DeleteMessage", when: "next", amount: "1" },
  ],
  ["Uploads are slow", { effect: "latency", service: "s3", operation: "PutObject", delay: "2s" }],
  [
    "3rd receive: OverLimit",
    {
      effect: "error",
      service: "sqs",
      operation: "ReceiveMessage",
      code: "OverLimit",
      status: "403",
      when: "nth",
      amount: "3",
    },
  ],
  [
    "1 of 5 requests: 503",
    { effect: "error", code: "ServiceUnavailable", status: "503", when: "probability", amount: "0.2", seed: "7" },
  ],
];

const field = (name) => byId(`fault-${name}`);

function fill(preset) {
  for (const name of ["effect", "when", "amount", ...FIELDS.map(([one]) => one)])
    field(name).value = preset[name] ?? "";
  field("amount").disabled = !preset.when;
  field("add").focus();
}

function rule() {
  const made = { effect: field("effect").value };
  for (const [name, , isNumber] of FIELDS) {
    const value = field(name).value.trim();
    if (value) made[name] = isNumber ? Number(value) : value;
  }
  const when = field("when").value;
  if (when) made[when] = Number(field("amount").value);
  return made;
}

function options(name, rows) {
  return el(
    "select",
    { id: `fault-${name}` },
    rows.map(([value, text]) => el("option", { value }, text)),
  );
}

function form(add) {
  const when = options("when", WHENS);
  const amount = el("input", {
    id: "fault-amount",
    type: "number",
    min: "0",
    step: "any",
    size: 6,
    disabled: true,
    "aria-label": "how many, or the probability",
  });
  when.addEventListener(
    "change",
    () => ((amount.disabled = !when.value), (amount.value = when.value ? amount.value || "1" : "")),
  );
  return el(
    "form",
    { class: "fields", onsubmit: (event) => (event.preventDefault(), add(rule())) },
    el(
      "label",
      null,
      el("span", null, "effect"),
      options(
        "effect",
        EFFECTS.map((name) => [name, name]),
      ),
    ),
    el("label", null, el("span", null, "when"), when),
    el("label", null, el("span", null, "number"), amount),
    FIELDS.map(([name, label]) =>
      el(
        "label",
        null,
        el("span", null, label),
        el("input", { id: `fault-${name}`, spellcheck: "false", autocomplete: "off" }),
      ),
    ),
    el("div", null, el("button", { id: "fault-add", class: "main" }, "Add the rule")),
  );
}

function describe(one) {
  const { id, matched, fired, effect, ...rest } = one;
  return Object.entries(rest).map(([name, value], i) => [
    i ? ", " : "",
    `${name} `,
    el("b", null, data(typeof value === "object" ? JSON.stringify(value) : value)),
  ]);
}

export function view(root) {
  const list = el("div"),
    problem = el("div");
  let timer = 0;
  const attempt = async (work) => {
    try {
      await work();
      replace(problem);
      await load();
    } catch (error) {
      replace(problem, failure(error));
    }
  };
  const row = (one) =>
    el(
      "tr",
      null,
      tightCell(el("b", null, data(one.effect || "error"))),
      el("td", { class: "wide" }, describe(one)),
      numberCell(one.matched),
      numberCell(one.fired),
      cell(
        button("Remove", () => attempt(() => remove(`faults?id=${encodeURIComponent(one.id)}`)), {
          "aria-label": `Remove ${one.id}`,
          "data-focus": one.id,
        }),
      ),
    );
  const load = async () => {
    const { rules } = await get("faults");
    replace(
      list,
      rules.length
        ? [
            table(["Effect", "Where and when", "Matched ", "Fired ", ""], rules.map(row)),
            button("Remove all", () => attempt(() => remove("faults")), { "data-focus": "all" }),
          ]
        : empty("Nothing goes wrong on purpose. Add a rule, then send a file, and look at its trace."),
    );
  };
  root.append(
    el("h2", null, "Faults"),
    list,
    el("h3", null, "Add a rule"),
    el(
      "div",
      { class: "row" },
      PRESETS.map(([text, preset]) => button(text, () => fill(preset), { class: "preset" })),
    ),
    form((made) => attempt(() => ask("POST", "/_headrace/faults", made))),
    problem,
    el("p", { class: "hint" }, "Patterns may have * and ?. What is left out matches anything."),
  );
  attempt(async () => {});
  return {
    status: () => (timer ||= setTimeout(() => ((timer = 0), attempt(async () => {})), 300)),
    end: () => clearTimeout(timer),
  };
}
