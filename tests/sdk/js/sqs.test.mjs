// SQS through the JavaScript SDK v3, with the typed errors that only come out when every header is right.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as sqs from "@aws-sdk/client-sqs";
import { accountClients } from "./clients.mjs";

async function fresh(Attributes) {
  const client = accountClients().sqs;
  const { QueueUrl } = await client.send(new sqs.CreateQueueCommand({ QueueName: "js", Attributes }));
  return { client, QueueUrl };
}

test("send, receive, delete", async () => {
  const { client, QueueUrl } = await fresh();
  const MessageAttributes = { n: { DataType: "Number", StringValue: "5" },
    b: { DataType: "Binary", BinaryValue: new Uint8Array([0, 255]) } };
  const sent = await client.send(new sqs.SendMessageCommand({ QueueUrl, MessageBody: "hällo", MessageAttributes }));
  const { Messages } = await client.send(new sqs.ReceiveMessageCommand({ QueueUrl, MessageAttributeNames: ["All"],
    MessageSystemAttributeNames: ["All"] }));
  assert.equal(Messages[0].MessageId, sent.MessageId);
  assert.equal(Messages[0].Body, "hällo");
  assert.deepEqual([...Messages[0].MessageAttributes.b.BinaryValue], [0, 255]);
  assert.equal(Messages[0].Attributes.ApproximateReceiveCount, "1");
  await client.send(new sqs.DeleteMessageCommand({ QueueUrl, ReceiptHandle: Messages[0].ReceiptHandle }));
});

test("an empty receive has no Messages", async () => {
  const { client, QueueUrl } = await fresh();
  const answer = await client.send(new sqs.ReceiveMessageCommand({ QueueUrl }));
  assert.equal(answer.Messages, undefined);
});

test("a parked receive is woken by a send", async () => {
  const { client, QueueUrl } = await fresh();
  const waiting = client.send(new sqs.ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 }));
  await client.send(new sqs.SendMessageCommand({ QueueUrl, MessageBody: "wake" }));
  const started = process.hrtime.bigint();
  assert.equal((await waiting).Messages[0].Body, "wake");
  assert.ok(process.hrtime.bigint() - started < 2_000_000_000n);
});

test("a batch answers entry by entry", async () => {
  const { client, QueueUrl } = await fresh({ MaximumMessageSize: "1024" });
  const answer = await client.send(new sqs.SendMessageBatchCommand({ QueueUrl, Entries: [
    { Id: "good", MessageBody: "m" }, { Id: "large", MessageBody: "x".repeat(2000) }] }));
  assert.deepEqual(answer.Successful.map((e) => e.Id), ["good"]);
  assert.equal(answer.Failed[0].Id, "large");
  assert.equal(answer.Failed[0].SenderFault, true);
});

const errors = [
  ["QueueDoesNotExist", (c) => new sqs.GetQueueUrlCommand({ QueueName: "nope" })],
  ["QueueDoesNotExist", (c) => new sqs.SendMessageCommand({ QueueUrl: c.QueueUrl + "x", MessageBody: "m" })],
  ["ReceiptHandleIsInvalid", (c) => new sqs.DeleteMessageCommand({ QueueUrl: c.QueueUrl, ReceiptHandle: "x" })],
  ["EmptyBatchRequest", (c) => new sqs.SendMessageBatchCommand({ QueueUrl: c.QueueUrl, Entries: [] })],
  ["InvalidAttributeName", (c) => new sqs.SetQueueAttributesCommand({ QueueUrl: c.QueueUrl, Attributes: { Nope: "1" } })],
  ["InvalidAttributeValue", (c) => new sqs.SetQueueAttributesCommand({ QueueUrl: c.QueueUrl, Attributes: { DelaySeconds: "901" } })],
  ["QueueNameExists", () => new sqs.CreateQueueCommand({ QueueName: "js", Attributes: { DelaySeconds: "1" } })],
];
for (const [name, command] of errors) {
  test(`${name} is the typed error of ${command({ QueueUrl: "q" }).constructor.name}`, async () => {
    const at = await fresh();
    await assert.rejects(at.client.send(command(at)), (error) => {
      assert.equal(error.constructor.name, name);
      assert.equal(error.Error.Type, "Sender");
      return true;
    });
  });
}
