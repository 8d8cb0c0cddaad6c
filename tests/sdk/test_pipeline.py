"""The built-in pipeline from outside: upload, report, result message, log lines."""
import json
import time

import pytest

LIMIT = 20


def report(pipeline, name, bucket="processed"):
    """The report of an upload, as soon as it is there; None after LIMIT seconds."""
    deadline = time.monotonic() + LIMIT
    while time.monotonic() < deadline:
        try:
            answer = pipeline.s3.get_object(Bucket=bucket, Key=f"processed/{name}.report.json")
            return json.loads(answer["Body"].read()), answer
        except pipeline.s3.exceptions.NoSuchKey:
            continue
    raise AssertionError(f"no report for {name} within {LIMIT} s")


def upload(pipeline, name, body, prefix="incoming/"):
    return pipeline.s3.put_object(Bucket="dropzone", Key=prefix + name, Body=body)


def queue_url(pipeline, name):
    return pipeline.sqs.get_queue_url(QueueName=name)["QueueUrl"]


def lines(server, **wanted):
    """The JSON log lines with these members."""
    for line in server.output().splitlines():
        if line.startswith("{"):
            entry = json.loads(line)
            if all(entry.get(name) == value for name, value in wanted.items()):
                yield entry


@pytest.fixture
def name(account):
    return f"file-{account}.txt"


def test_everything_is_provisioned_as_in_the_lab(pipeline):
    assert {"dropzone", "processed"} <= {b["Name"] for b in pipeline.s3.list_buckets()["Buckets"]}
    jobs = pipeline.sqs.get_queue_attributes(QueueUrl=queue_url(pipeline, "jobs-queue"), AttributeNames=["All"])["Attributes"]
    assert jobs["VisibilityTimeout"] == "60" and jobs["ReceiveMessageWaitTimeSeconds"] == "20"
    policy = json.loads(jobs["RedrivePolicy"])
    assert int(policy["maxReceiveCount"]) == 4 and policy["deadLetterTargetArn"].endswith(":jobs-dlq")
    queue_url(pipeline, "jobs-dlq"), queue_url(pipeline, "results-queue")
    (rule,) = pipeline.s3.get_bucket_notification_configuration(Bucket="dropzone")["QueueConfigurations"]
    assert rule["Events"] == ["s3:ObjectCreated:*"]
    assert [(r["Name"].lower(), r["Value"]) for r in rule["Filter"]["Key"]["FilterRules"]] == [("prefix", "incoming/")]


def test_the_labs_file_gives_the_labs_counts(pipeline, name):
    etag = upload(pipeline, name, b"hello world\nthis is a test\nline three\n")["ETag"].strip('"')
    got, answer = report(pipeline, name)
    assert got["report"] == {"bytes": 38, "lines": 4, "words": 8}
    assert got["jobId"] == f"dropzone:incoming/{name}:{etag}" and got["status"] == "PROCESSED"
    assert got["bucket"] == "dropzone" and got["key"] == "incoming/" + name
    assert got["outputBucket"] == "processed" and got["outputKey"] == f"processed/{name}.report.json"
    assert answer["ContentType"] == "application/json" and got["processedAt"].endswith("Z")
    assert list(got) == ["jobId", "bucket", "key", "outputBucket", "outputKey", "traceId", "status", "processedAt", "report"]


def test_the_result_message_waits_in_the_results_queue(pipeline, name):
    upload(pipeline, name, b"one two")
    got, _ = report(pipeline, name)
    deadline = time.monotonic() + LIMIT
    while time.monotonic() < deadline:
        for message in pipeline.sqs.receive_message(QueueUrl=queue_url(pipeline, "results-queue"), MaxNumberOfMessages=10,
                                                    VisibilityTimeout=0, WaitTimeSeconds=1,
                                                    MessageAttributeNames=["All"]).get("Messages", []):
            body = json.loads(message["Body"])
            if body["jobId"] == got["jobId"]:
                assert body["status"] == "PROCESSED" and body["durationMs"] >= 0
                assert message["MessageAttributes"]["traceId"]["StringValue"] == got["traceId"]
                return
    raise AssertionError("no result message")


@pytest.mark.parametrize("folder,file,reason", [("incoming/", "a.csv", "unsupported_type"),
                                                ("incoming/", "a.txt.gz", "unsupported_type")])
def test_what_is_not_a_job_is_skipped_with_its_reason(pipeline, pipeline_server, account, folder, file, reason):
    key = f"{folder}{account}-{file}"
    pipeline.s3.put_object(Bucket="dropzone", Key=key, Body=b"x")
    upload(pipeline, f"{account}-marker.txt", b"after it")
    report(pipeline, f"{account}-marker.txt")
    (entry,) = lines(pipeline_server, action="SKIPPED", key=key)
    assert reason in json.dumps(entry)


def test_a_file_over_ten_mib_is_skipped_and_one_of_ten_is_not(pipeline, pipeline_server, account):
    upload(pipeline, f"{account}-big.txt", b"x" * (10 * 1024 * 1024 + 1))
    upload(pipeline, f"{account}-max.txt", b"x" * (10 * 1024 * 1024))
    got, _ = report(pipeline, f"{account}-max.txt")
    assert got["report"] == {"bytes": 10485760, "lines": 1, "words": 1}
    (entry,) = lines(pipeline_server, action="SKIPPED", key=f"incoming/{account}-big.txt")
    assert "too_large" in json.dumps(entry)


def test_the_suffix_may_be_of_any_case_and_keys_of_any_letters(pipeline, account):
    for name in (f"{account}-UPPER.TXT", f"{account} blank+plus.txt", f"{account}-ümläut.txt", f"deep/er/{account}.txt"):
        upload(pipeline, name, "drei große Wörter".encode())
        assert report(pipeline, name)[0]["report"]["words"] == 3


def test_an_empty_file_has_no_lines(pipeline, name):
    upload(pipeline, name, b"")
    assert report(pipeline, name)[0]["report"] == {"bytes": 0, "lines": 0, "words": 0}


def test_the_same_upload_again_is_a_duplicate(pipeline, pipeline_server, name):
    upload(pipeline, name, b"same")
    first, _ = report(pipeline, name)
    upload(pipeline, name, b"same")
    deadline = time.monotonic() + LIMIT
    while not list(lines(pipeline_server, action="SKIP_DUPLICATE", jobId=first["jobId"])):
        assert time.monotonic() < deadline, "no SKIP_DUPLICATE line"
    assert report(pipeline, name)[0] == first


@pytest.mark.parametrize("body", ["not json", "{}", '{"jobId":"j","bucket":"dropzone"}'])
def test_a_poison_job_is_deleted_not_retried(pipeline, pipeline_server, body):
    jobs = queue_url(pipeline, "jobs-queue")
    pipeline.sqs.send_message(QueueUrl=jobs, MessageBody=body)
    deadline = time.monotonic() + LIMIT
    while True:
        counts = pipeline.sqs.get_queue_attributes(QueueUrl=jobs, AttributeNames=["All"])["Attributes"]
        if counts["ApproximateNumberOfMessages"] == counts["ApproximateNumberOfMessagesNotVisible"] == "0":
            break
        assert time.monotonic() < deadline, counts
    assert any("error" in entry and entry["action"] in ("POISON_MESSAGE", "INVALID_JOB") for entry in lines(pipeline_server))


def test_each_step_is_one_json_line(pipeline, pipeline_server, name):
    upload(pipeline, name, b"a b c")
    got, _ = report(pipeline, name)
    deadline = time.monotonic() + LIMIT
    for action in ("ENQUEUED", "PROCESSED", "RESULT"):
        while True:
            found = list(lines(pipeline_server, action=action, jobId=got["jobId"]))
            if found:
                break
            assert time.monotonic() < deadline, f"no {action} line"
        assert len(found) == 1
