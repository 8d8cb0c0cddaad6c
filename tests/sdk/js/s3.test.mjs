// S3 through the JavaScript SDK v3: streams with trailers, parallel multipart uploads, errors with their members.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { test } from "node:test";
import * as s3 from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { accountClients } from "./clients.mjs";

async function fresh() {
  const clients = accountClients();
  const Bucket = `js-${clients.account}`;
  await clients.s3.send(new s3.CreateBucketCommand({ Bucket }));
  return { client: clients.s3, Bucket };
}

async function bytesOf({ client, Bucket }, Key, more = {}) {
  const answer = await client.send(new s3.GetObjectCommand({ Bucket, Key, ...more }));
  return Buffer.from(await answer.Body.transformToByteArray());
}

test("a string goes up and comes back", async () => {
  const at = await fresh();
  await at.client.send(new s3.PutObjectCommand({ ...pick(at), Key: "dir/a b+c.txt", Body: "hello" }));
  assert.equal(String(await bytesOf(at, "dir/a b+c.txt")), "hello");
});

test("a stream of unknown chunks goes up with a trailing checksum", async () => {
  const at = await fresh();
  const body = randomBytes(300_000);
  const parts = [body.subarray(0, 1), body.subarray(1, 70_000), body.subarray(70_000)];
  const put = await at.client.send(new s3.PutObjectCommand({
    ...pick(at), Key: "s", Body: Readable.from(parts), ContentLength: body.length }));
  assert.ok(put.ChecksumCRC32);
  assert.deepEqual(await bytesOf(at, "s"), body);
  const head = await at.client.send(new s3.HeadObjectCommand({ ...pick(at), Key: "s" }));
  assert.equal(head.ContentEncoding, undefined);
});

for (const ChecksumAlgorithm of ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"]) {
  test(`${ChecksumAlgorithm} is checked on the way back`, async () => {
    const at = await fresh();
    const put = await at.client.send(new s3.PutObjectCommand({ ...pick(at), Key: "c", Body: "hello", ChecksumAlgorithm }));
    const got = await at.client.send(new s3.GetObjectCommand({ ...pick(at), Key: "c", ChecksumMode: "ENABLED" }));
    assert.equal(await got.Body.transformToString(), "hello");
    assert.equal(got[`Checksum${ChecksumAlgorithm}`], put[`Checksum${ChecksumAlgorithm}`]);
  });
}

test("lib-storage uploads a stream in parallel parts", async () => {
  const at = await fresh();
  const body = randomBytes(17 * 1024 * 1024 + 5);
  const upload = new Upload({ client: at.client, queueSize: 3, partSize: 5 * 1024 * 1024,
    params: { ...pick(at), Key: "big", Body: Readable.from(slices(body, 100_000)) } });
  const done = await upload.done();
  assert.match(done.ETag, /^"[0-9a-f]{32}-4"$/);
  assert.deepEqual(await bytesOf(at, "big"), body);
  assert.deepEqual(await bytesOf(at, "big", { Range: "bytes=5242870-5242890" }), body.subarray(5242870, 5242891));
});

test("errors are typed and carry their members", async () => {
  const at = await fresh();
  await assert.rejects(at.client.send(new s3.GetObjectCommand({ ...pick(at), Key: "none" })), (error) => {
    assert.ok(error instanceof s3.NoSuchKey);
    assert.equal(error.Code, "NoSuchKey");
    assert.equal(error.Key, "none");
    assert.equal(error.$metadata.httpStatusCode, 404);
    return true;
  });
  await assert.rejects(at.client.send(new s3.HeadObjectCommand({ ...pick(at), Key: "none" })), { name: "NotFound" });
});

test("keys with control characters list without encoding-type", async () => {
  const at = await fresh();
  const keys = ["a&b<c>.txt", "n\nl", "z\u{1F600}"].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  for (const Key of keys)
    await at.client.send(new s3.PutObjectCommand({ ...pick(at), Key, Body: "" }));
  const listing = await at.client.send(new s3.ListObjectsV2Command({ ...pick(at) }));
  assert.deepEqual(listing.Contents.map((o) => o.Key), keys);
  const gone = await at.client.send(new s3.DeleteObjectsCommand({ ...pick(at),
    Delete: { Objects: keys.map((Key) => ({ Key })) } }));
  assert.equal(gone.Deleted.length, keys.length);
});

test("a presigned PUT and GET work with plain fetch", async () => {
  const at = await fresh();
  const put = await fetch(await getSignedUrl(at.client, new s3.PutObjectCommand({ ...pick(at), Key: "p" })),
    { method: "PUT", body: "signed" });
  assert.equal(put.status, 200);
  const get = await fetch(await getSignedUrl(at.client, new s3.GetObjectCommand({ ...pick(at), Key: "p" })));
  assert.equal(await get.text(), "signed");
});

test("copy, list uploads and abort", async () => {
  const at = await fresh();
  await at.client.send(new s3.PutObjectCommand({ ...pick(at), Key: "a", Body: "x", Metadata: { m: "1" } }));
  await at.client.send(new s3.CopyObjectCommand({ ...pick(at), Key: "b", CopySource: `${at.Bucket}/a` }));
  const head = await at.client.send(new s3.HeadObjectCommand({ ...pick(at), Key: "b" }));
  assert.deepEqual(head.Metadata, { m: "1" });
  const { UploadId } = await at.client.send(new s3.CreateMultipartUploadCommand({ ...pick(at), Key: "u" }));
  const listing = await at.client.send(new s3.ListMultipartUploadsCommand({ ...pick(at) }));
  assert.equal(listing.Uploads[0].UploadId, UploadId);
  await at.client.send(new s3.AbortMultipartUploadCommand({ ...pick(at), Key: "u", UploadId }));
});

function pick({ Bucket }) {
  return { Bucket };
}

function* slices(body, step) {
  for (let at = 0; at < body.length; at += step)
    yield body.subarray(at, at + step);
}
