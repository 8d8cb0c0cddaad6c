// The C word count against the lab's JavaScript, run here: hostile pieces, every white space, pieces of every size.
// Usage: node count_node.mjs BUILD_DIR [ROUNDS] [SEED]
import { spawnSync } from "node:child_process";

const build = process.argv[2] ?? "build";
const rounds = Number(process.argv[3] ?? 3000);
let seed = Number(process.argv[4] ?? 1);
const random = (n) => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return Math.floor((seed / 2 ** 32) * n);
};

function buildReport(text) {
  const bytes = Buffer.byteLength(text, "utf8");
  const lines = text.length ? text.split(/\r?\n/).length : 0;
  const words = text.trim() ? text.trim().split(/\s+/).length : 0;
  return `${bytes} ${lines} ${words}`;
}

const pieces = [];
for (let c = 0; c < 256; c++) pieces.push(Buffer.from([c]));
for (const c of [0x85, 0xa0, 0x1680, 0x180e, 0x2000, 0x2005, 0x200a, 0x200b, 0x2028, 0x2029, 0x202f, 0x205f, 0x2060,
                 0x3000, 0xfeff, 0xfffd, 0xffff, 0xd7ff, 0xe000, 0x10000, 0x1f600, 0x10ffff, 0xe9, 0x7ff, 0x800])
  pieces.push(Buffer.from(String.fromCodePoint(c)));
for (const hex of ["e282", "f09f98", "f09f", "eda080", "edbfbf", "c0af", "e08080", "f08080af", "f4908080", "f5", "0d0a",
                   "0d0d0a", "0a0d", "2020", "efbbbf", "c3", "e2", "f0", "e28080", "e2808a", "f8888080"])
  pieces.push(Buffer.from(hex, "hex"));
for (const text of ["word", " ", "\n", "the quick brown fox ", "x".repeat(64), " ".repeat(64), "line\r\n"])
  for (let i = 0; i < 20; i++) pieces.push(Buffer.from(text));

const texts = [Buffer.alloc(0)];
for (let i = 0; i < rounds; i++) {
  const parts = [];
  for (let n = random(80); n > 0; n--) parts.push(pieces[random(pieces.length)]);
  texts.push(Buffer.concat(parts));
}
const frames = [], wanted = [], sizes = [];
for (const text of texts) {
  const want = buildReport(text.toString("utf-8"));
  for (const size of [text.length || 1, 1, 2, 3, 1 + random(200)]) {
    const head = Buffer.alloc(8);
    head.writeUInt32LE(text.length, 0);
    head.writeUInt32LE(size, 4);
    frames.push(head, text);
    wanted.push(want);
    sizes.push([text, size]);
  }
}
const run = spawnSync(`${build}/count_frames`, { input: Buffer.concat(frames), maxBuffer: 1 << 28 });
const got = run.stdout?.toString().trimEnd().split("\n") ?? [];
let wrong = got.length === wanted.length ? 0 : 1;
wanted.forEach((want, i) => {
  if (got[i] === want) return;
  if (wrong++ < 10) console.log(`want ${want}, got ${got[i]}, in pieces of ${sizes[i][1]}: ${sizes[i][0].toString("hex")}`);
});
console.log(`${wanted.length - wrong} of ${wanted.length} counts equal`);
process.exit(wrong || run.status ? 1 : 0);
