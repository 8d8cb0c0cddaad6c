// Fault rules, as the JavaScript SDK v3 sees their effects.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as s3 from "@aws-sdk/client-s3";
import * as sqs from "@aws-sdk/client-sqs";
import { accountClients } from "./clients.mjs";

async function world() {
  const clients = accountClients();
  const Bucket = `faults-${clients.account}`;
  await clients.s3.send(new s3.CreateBucketCommand({ Bucket }));
  const { QueueUrl } = await clients.sqs.send(new sqs.CreateQueueCommand({ QueueName: "js" }));
  const rule = async (rule) => {
    const answer = await fetch(`${process.env.HEADRACE_ENDPOINT}/_headrace/faults`, {
      method: "POST", body: JSON.stringify({ account: clients.account, next: 1, ...rule }) });
    assert.equal(answer.status, 201, await answer.text());
  };
  const send = (MessageBody) => clients.sqs.send(new sqs.SendMessageCommand({ QueueUrl, MessageBody }));
  const receive = async () =>
    (await clients.sqs.send(new sqs.ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }))).Messages ?? [];
  return { ...clients, Bucket, QueueUrl, rule, send, receive };
}

test("an error of S3 and of SQS", async () => {
  const w = await world();
  await w.rule({ operation: "PutObject", effect: "error", code: "SlowDown", status: 503 });
  await assert.rejects(w.s3.send(new s3.PutObjectCommand({ Bucket: w.Bucket, Key: "k", Body: "x" })),
    (error) => error.name === "SlowDown" && error.$metadata.httpStatusCode === 503);
  await w.rule({ operation: "SendMessage", effect: "error", code: "OverLimit", status: 403 });
  await assert.rejects(w.send("m"), (error) => error.name === "OverLimit" && error.$metadata.httpStatusCode === 403);
  await w.send("m");
});

test("latency", async () => {
  const w = await world();
  await w.rule({ operation: "ListQueues", effect: "latency", delay: "200ms" });
  const began = process.hrtime.bigint();
  await w.sqs.send(new sqs.ListQueuesCommand({}));
  assert.ok(process.hrtime.bigint() - began >= 199_000_000n);
});

for (const at of ["before", "within", "after"])
  test(`a connection cut ${at} the answer`, async () => {
    const w = await world();
    const Body = "x".repeat(300_000);
    await w.s3.send(new s3.PutObjectCommand({ Bucket: w.Bucket, Key: "k", Body }));
    const get = async () => (await w.s3.send(new s3.GetObjectCommand({ Bucket: w.Bucket, Key: "k" }))).Body.transformToString();
    await w.rule({ operation: "GetObject", effect: "cut", at });
    await assert.rejects(get());
    assert.equal(await get(), Body);
  });

test("a duplicate, and a new order", async () => {
  const w = await world();
  await w.rule({ operation: "SendMessage", effect: "duplicate" });
  await w.send("a");
  await w.send("b");
  await w.rule({ operation: "ReceiveMessage", effect: "reorder" });
  const got = await w.receive();
  assert.deepEqual(got.map((m) => m.Body), ["b", "a", "a"]);
  assert.equal(got[1].MessageId, got[2].MessageId);
});

test("a delete that is lost", async () => {
  const w = await world();
  await w.send("m");
  const [message] = await w.receive();
  await w.rule({ operation: "DeleteMessage", effect: "lose-delete" });
  const { QueueUrl } = w, { ReceiptHandle } = message;
  await w.sqs.send(new sqs.DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
  await w.sqs.send(new sqs.ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout: 0 }));
  assert.equal((await w.receive()).length, 1);
});

test("an S3 event that comes twice, and one that is late", async () => {
  const w = await world();
  const { Attributes } = await w.sqs.send(new sqs.GetQueueAttributesCommand({ QueueUrl: w.QueueUrl, AttributeNames: ["QueueArn"] }));
  await w.s3.send(new s3.PutBucketNotificationConfigurationCommand({ Bucket: w.Bucket, NotificationConfiguration: {
    QueueConfigurations: [{ QueueArn: Attributes.QueueArn, Events: ["s3:ObjectCreated:*"] }] } }));
  await w.sqs.send(new sqs.PurgeQueueCommand({ QueueUrl: w.QueueUrl })); // s3:TestEvent
  const put = () => w.s3.send(new s3.PutObjectCommand({ Bucket: w.Bucket, Key: "k", Body: "x" }));
  await w.rule({ operation: "Event", effect: "double-event" });
  await put();
  assert.equal((await w.receive()).length, 2);
  await w.rule({ operation: "Event", effect: "late-event", delay: "900s" });
  await put();
  assert.equal((await w.receive()).length, 0);
});
