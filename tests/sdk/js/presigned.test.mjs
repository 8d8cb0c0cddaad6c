// What the JavaScript SDK signs for others to send, forms, virtual hosts, and streams both ways.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { pipeline } from "node:stream/promises";
import { test } from "node:test";
import * as s3 from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { createPresignedPost } from "@aws-sdk/s3-presigned-post";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { accountClients } from "./clients.mjs";

async function fresh() {
  const { s3: client, account } = accountClients();
  const Bucket = `js-${account}`;
  await client.send(new s3.CreateBucketCommand({ Bucket }));
  return { client, Bucket, account };
}

async function textOf(at, Key) {
  const answer = await at.client.send(new s3.GetObjectCommand({ Bucket: at.Bucket, Key }));
  return answer.Body.transformToString();
}

async function send({ url, fields }, name, text) {
  const form = new FormData();
  for (const [key, value] of Object.entries(fields)) form.append(key, value);
  form.append("file", new Blob([text], { type: "text/plain" }), name);
  const answer = await fetch(url, { method: "POST", body: form });
  return { status: answer.status, text: await answer.text(), location: answer.headers.get("location") };
}

test("a presigned post uploads, within its conditions", async () => {
  const at = await fresh();
  const post = await createPresignedPost(at.client, {
    Bucket: at.Bucket, Key: "form/${filename}", Expires: 600, Fields: { "x-amz-meta-tag": "v w", "Content-Type": "text/plain" },
    Conditions: [["content-length-range", 1, 5], ["starts-with", "$x-amz-meta-tag", "v"], { "Content-Type": "text/plain" }] });
  const sent = await send(post, "a b+\u00fc.txt", "hello");
  assert.equal(sent.status, 204);
  assert.equal(await textOf(at, "form/a b+\u00fc.txt"), "hello");
  const head = await at.client.send(new s3.HeadObjectCommand({ Bucket: at.Bucket, Key: "form/a b+\u00fc.txt" }));
  assert.deepEqual([head.Metadata, head.ContentType], [{ tag: "v w" }, "text/plain"]);
  const large = await send(post, "large", "hello!");
  assert.equal(large.status, 400);
  assert.match(large.text, /<Code>EntityTooLarge<\/Code>/);
});

const COMMANDS = [
  ["GET", (at) => new s3.GetObjectCommand({ ...at, ResponseContentType: "a/b" }), 200],
  ["HEAD", (at) => new s3.HeadObjectCommand(at), 200],
  ["GET", (at) => new s3.ListObjectsV2Command({ Bucket: at.Bucket, Prefix: "a b" }), 200],
  ["PUT", (at) => new s3.CopyObjectCommand({ ...at, Key: "copy", CopySource: encodeURI(`${at.Bucket}/${at.Key}`).replaceAll("+", "%2B") }), 200],
  ["PUT", (at) => new s3.PutObjectCommand({ ...at, Metadata: { m: "1" } }), 200],
  ["POST", (at) => new s3.CreateMultipartUploadCommand(at), 200],
  ["DELETE", (at) => new s3.DeleteObjectCommand(at), 204],
];

for (const [method, command, status] of COMMANDS)
  test(`a presigned ${command({ Bucket: "b", Key: "k" }).constructor.name} works with plain fetch`, async () => {
    const at = await fresh();
    const object = { Bucket: at.Bucket, Key: "a b/\u00fc+%&=?.txt" };
    await at.client.send(new s3.PutObjectCommand({ ...object, Body: "hello" }));
    const link = await getSignedUrl(at.client, command(object), { expiresIn: 60 });
    const answer = await fetch(link, { method, body: method === "PUT" && !link.includes("copy-source") ? "new" : undefined });
    assert.equal(answer.status, status, await answer.text());
  });

test("a file is piped up and down", async () => {
  const at = await fresh();
  const folder = await mkdtemp(join(tmpdir(), "headrace-js-"));
  try {
    const body = randomBytes(3_000_000);
    await writeFile(join(folder, "up"), body);
    await at.client.send(new s3.PutObjectCommand({ Bucket: at.Bucket, Key: "f", Body: createReadStream(join(folder, "up")) }));
    const got = await at.client.send(new s3.GetObjectCommand({ Bucket: at.Bucket, Key: "f" }));
    await pipeline(got.Body, createWriteStream(join(folder, "down")));
    assert.deepEqual(await readFile(join(folder, "down")), body);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("an upload through a pipe reports progress, keeps tags and can be aborted", async () => {
  const at = await fresh();
  const pipe = new PassThrough(), seen = [];
  const upload = new Upload({ client: at.client, partSize: 5 << 20, leavePartsOnError: false, tags: [{ Key: "a", Value: "b c" }],
    params: { Bucket: at.Bucket, Key: "pipe", Body: pipe, ChecksumAlgorithm: "SHA256" } });
  upload.on("httpUploadProgress", (progress) => seen.push(progress.loaded));
  pipe.end(Buffer.alloc(11 << 20, "x"));
  await upload.done();
  assert.equal(Math.max(...seen), 11 << 20);
  const tags = await at.client.send(new s3.GetObjectTaggingCommand({ Bucket: at.Bucket, Key: "pipe" }));
  assert.deepEqual(tags.TagSet, [{ Key: "a", Value: "b c" }]);

  const endless = new PassThrough();
  const other = new Upload({ client: at.client, partSize: 5 << 20, params: { Bucket: at.Bucket, Key: "aborted", Body: endless } });
  endless.write(Buffer.alloc(12 << 20));
  const done = other.done();
  setImmediate(() => other.abort());
  await assert.rejects(done, { name: "AbortError" });
  endless.destroy();
  const listing = await at.client.send(new s3.ListObjectsV2Command({ Bucket: at.Bucket }));
  assert.deepEqual(listing.Contents.map((row) => row.Key), ["pipe"]);
});

test("virtual hosts, with keys that need care", async () => {
  const at = await fresh();
  const place = new URL(process.env.HEADRACE_ENDPOINT);
  // Resolvers differ about names below localhost, so the name is looked up here.
  const lookup = (name, options, found) => found(null, options.all ? [{ address: place.hostname, family: 4 }] : place.hostname, 4);
  const agent = new http.Agent({ lookup });
  const client = new s3.S3Client({ endpoint: `http://s3.localhost:${place.port}`, region: "us-east-1", requestHandler: { httpAgent: agent },
    credentials: { accessKeyId: at.account, secretAccessKey: "test" } });
  for (const Key of ["plain", "a b+c", "/lead", "a//b", "trail/", "\u00fc\u{1F600}", "%2F%", "?#&=;:@,$!'()*~", "x/..", "a/../b"]) {
    await client.send(new s3.PutObjectCommand({ Bucket: at.Bucket, Key, Body: Key }));
    assert.equal(await textOf(at, Key), Key);
    const got = await client.send(new s3.GetObjectCommand({ Bucket: at.Bucket, Key }));
    assert.equal(await got.Body.transformToString(), Key);
    await client.send(new s3.DeleteObjectCommand({ Bucket: at.Bucket, Key }));
  }
  agent.destroy();
});
