// SDK clients of a fresh account on the server that HEADRACE_ENDPOINT names.
import { randomInt } from "node:crypto";
import { S3Client } from "@aws-sdk/client-s3";
import { SQSClient } from "@aws-sdk/client-sqs";

export function accountClients(region = "us-east-1") {
  const endpoint = process.env.HEADRACE_ENDPOINT;
  if (!endpoint) throw new Error("HEADRACE_ENDPOINT is not set: run tests/run.sh js");
  const account = String(randomInt(1e11, 1e12));
  const settings = { endpoint, region, maxAttempts: 1, credentials: { accessKeyId: account, secretAccessKey: "test" } };
  return { account, s3: new S3Client({ ...settings, forcePathStyle: true }), sqs: new SQSClient(settings) };
}
