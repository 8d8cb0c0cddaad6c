// One file through the pipeline with the AWS SDK for JavaScript v3. Needs a running headrace, and in this directory: npm install
//
//     node examples/node/pipeline.mjs [FILE]
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { GetObjectCommand, PutObjectCommand, S3Client, waitUntilObjectExists } from "@aws-sdk/client-s3";
import { DeleteMessageCommand, GetQueueUrlCommand, ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";

const where = {
  endpoint: process.env.AWS_ENDPOINT_URL ?? "http://127.0.0.1:4566",
  region: process.env.AWS_REGION ?? "us-east-1",
  credentials: {
    accessKeyId: process.env.AWS_ACCESS_KEY_ID ?? "test",
    secretAccessKey: process.env.AWS_SECRET_ACCESS_KEY ?? "test",
  },
};
// Path style, so that it works without *.localhost names as well.
const s3 = new S3Client({ ...where, forcePathStyle: true });
const sqs = new SQSClient(where);

const text = process.argv[2] ? readFileSync(process.argv[2]) : "hello world\nthis is a test\nline three\n";
const name = `node-${randomUUID().slice(0, 8)}.txt`;
const output = { Bucket: "processed", Key: `processed/${name}.report.json` };

// The upload is all it takes: S3 tells the ingest stage, that sends a job, a worker takes it.
await s3.send(new PutObjectCommand({ Bucket: "dropzone", Key: `incoming/${name}`, Body: text }));
await waitUntilObjectExists({ client: s3, maxWaitTime: 30, minDelay: 1 }, output);
const report = JSON.parse(await (await s3.send(new GetObjectCommand(output))).Body.transformToString());
console.log("report:", JSON.stringify(report.report));

// The result message stays in results-queue until someone deletes it.
const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: "results-queue" }));
for (;;) {
  const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 5 }));
  if (!Messages.length) throw new Error("no result message came");
  const mine = Messages.find((m) => JSON.parse(m.Body).key === `incoming/${name}`);
  if (!mine) continue;
  console.log("result:", mine.Body);
  await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: mine.ReceiptHandle }));
  break;
}
