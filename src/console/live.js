// What keeps the page true: the stream of events, and a look at the status after them. There is no polling loop: a look
// follows events (not more often than the server answers easily) and, for ages, a slow heartbeat. While the page is
// hidden nothing runs; when it is seen again, or the server is back, it goes on where it was.
import { get } from "./api.js";

const HEARTBEAT = 10000; // ms
const LOOK = 400; // ms between two looks, at least
const RETRY = 1500; // ms until a server that is gone is asked again
const BURST = 600; // events a second that a page can show; more are left out, and counted
const HISTORY = 150; // events from before that are told at the start

const listeners = { event: [], status: [], state: [], skipped: [] };
let source = null; // the stream
let soon = 0,
  beat = 0,
  again = 0; // timers
let last = -1; // the newest event that was told; -1: none yet
let whole = false; // what this stream tells next follows what it told
let second = 0,
  arrived = 0; // events in this second
let wait = LOOK;
let turn = 0; // of start: an answer to an earlier one comes too late
export let settings = null;
export let status = null;
export let state = "connecting";

// event(event, old), status(status), state(name), skipped(number of events)
export function on(what, run) {
  listeners[what].push(run);
}
const tell = (what, ...values) => listeners[what].forEach((run) => run(...values));

function become(next) {
  if (state === next) return;
  state = next;
  tell("state", state);
}

function stop() {
  turn++;
  source?.close();
  source = null;
  for (const timer of [soon, beat, again]) clearTimeout(timer);
  soon = beat = again = 0;
}

function lost() {
  stop();
  become("gone");
  if (!document.hidden) again = setTimeout(start, RETRY);
}

async function read() {
  const began = performance.now();
  status = await get("status");
  status.taken = performance.now();
  // A server with very many queues is not kept busy more than a tenth of its time.
  wait = Math.max(LOOK, 10 * (status.taken - began));
  tell("status", status);
}

// A look now: after something that the page itself did.
export async function look() {
  clearTimeout(soon);
  clearTimeout(beat);
  soon = beat = 0;
  const mine = turn;
  try {
    await read();
    if (mine === turn) beat ||= setTimeout(look, HEARTBEAT);
  } catch {
    if (mine === turn) lost();
  }
}

// A look soon; many events make one.
function lookSoon() {
  soon ||= setTimeout(look, wait);
}

function burst() {
  const now = Math.floor(performance.now() / 1000);
  if (now !== second) [second, arrived] = [now, 0];
  return ++arrived > BURST;
}

function take(message, told) {
  const event = JSON.parse(message.data);
  if (whole && event.seq > last + 1) tell("skipped", event.seq - last - 1);
  whole = true;
  last = event.seq;
  tell("event", event, event.seq <= told);
  if (event.seq > told) lookSoon();
  if (event.seq > told && burst()) {
    stop();
    again = setTimeout(start, 1000);
  }
}

function follow() {
  const told = status.lastEvent;
  // A server that started anew, or so many events that nobody reads them: the newest are enough.
  if (last > told) last = -1;
  const from = Math.max(last, told - HISTORY, 0);
  if (last >= 0 && from > last) tell("skipped", from - last);
  last = from;
  whole = false;
  source = new EventSource(`/_headrace/events?after=${from}`);
  source.onopen = () => become("live");
  source.onmessage = (message) => take(message, told);
  source.onerror = lost;
}

export async function start() {
  stop();
  if (document.hidden) return;
  const mine = turn;
  try {
    settings = await get("settings");
    await read();
  } catch {
    if (mine === turn) lost();
    return;
  }
  if (mine !== turn) return;
  if (settings.trace) follow();
  else become("untraced");
  beat = setTimeout(look, HEARTBEAT);
}

document.addEventListener("visibilitychange", () => (document.hidden ? stop() : start()));
// The browser would count a page that is left as a broken stream.
addEventListener("pagehide", stop);
addEventListener("pageshow", (event) => event.persisted && start());

// Virtual time now, in milliseconds.
export function now() {
  if (!status) return Date.now();
  const then = Date.parse(status.clock.now);
  return status.clock.mode === "frozen" ? then : then + performance.now() - status.taken;
}
