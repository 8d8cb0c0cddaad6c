// A test with an emulator of its own as a child process: twelve hours of visibility timeout pass at once.
//
//     npm install @aws-sdk/client-sqs && node examples/embed/clock.mjs build/headrace
import assert from "node:assert";
import { spawn } from "node:child_process";
import { SQSClient, CreateQueueCommand, ReceiveMessageCommand, SendMessageCommand } from "@aws-sdk/client-sqs";

const emulator = spawn(process.argv[2], ["--ephemeral", "--port", "0"], { stdio: ["ignore", "ignore", "pipe"] });
const endpoint = await new Promise((found) => {
  let banner = "";
  emulator.stderr.on("data", (text) => (banner += text).match(/endpoint +(\S+)\n/) && found(RegExp.$1));
});
const sqs = new SQSClient({ endpoint, region: "us-east-1", credentials: { accessKeyId: "test", secretAccessKey: "test" } });
const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: "slow", Attributes: { VisibilityTimeout: "43200" } }));
const receive = async () => (await sqs.send(new ReceiveMessageCommand({ QueueUrl }))).Messages?.[0].Body;
await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "hello" }));
assert.equal(await receive(), "hello");
assert.equal(await receive(), undefined);
await fetch(`${endpoint}/_headrace/clock`, { method: "POST", body: JSON.stringify({ advance: "12h" }) });
assert.equal(await receive(), "hello");
emulator.kill();
console.log("the message came back after twelve hours");
