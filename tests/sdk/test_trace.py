"""The trace names why nothing happened: each case plants one reason, and finds it in the JSON and in what the command line
prints. And following one life names all of it, and nothing else."""
import json
import subprocess
import urllib.parse
import urllib.request

import pytest
from botocore.exceptions import ClientError

from conftest import Clients
from harness import BINARY, Server

FLAGS = {"plain": ("--no-pipeline",), "pipeline": ("--workers", "1", "--max-bytes", "100"),
         "no workers": ("--workers", "0"), "enforce": ("--no-pipeline", "--auth", "enforce")}
FROZEN = "2026-01-01T00:00:00Z"


class World:
    def __init__(self, server):
        self.server = server
        self.s3, self.sqs = self.clients("test")

    def clients(self, account):
        made = Clients(self.server.endpoint, account)
        return made.s3, made.sqs

    def bucket(self, name="bkt"):
        self.s3.create_bucket(Bucket=name)
        return name

    def queue(self, name="q", **attributes):
        return self.sqs.create_queue(QueueName=name, Attributes={k: str(v) for k, v in attributes.items()})["QueueUrl"]

    def arn(self, url):
        return self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]

    def notify(self, bucket, url, events=("s3:ObjectCreated:*",), **filters):
        rule = {"QueueArn": self.arn(url), "Events": list(events),
                "Filter": {"Key": {"FilterRules": [{"Name": k, "Value": v} for k, v in filters.items()]}}}
        self.s3.put_bucket_notification_configuration(
            Bucket=bucket, NotificationConfiguration={"QueueConfigurations": [rule]})

    def put(self, key="incoming/a.txt", bucket="bkt", body=b"x"):
        self.s3.put_object(Bucket=bucket, Key=key, Body=body)
        return f"s3://{bucket}/{key}"

    def send(self, url, **more):
        return self.sqs.send_message(QueueUrl=url, MessageBody="m", **more)["MessageId"]

    def receive(self, url, **more):
        return self.sqs.receive_message(QueueUrl=url, **more)["Messages"][0]

    def advance(self, length):
        self.server.json("POST", "/_headrace/clock", {"advance": length})

    def trace(self, target):
        return self.server.json("GET", "/_headrace/trace?target=" + urllib.parse.quote(target, safe=""))[1]["events"]


def no_rule(w):
    w.bucket()
    return w.put(), "no_rule", "the bucket has no notification rule"


def rule_on_another_bucket(w):
    w.bucket()
    w.notify(w.bucket("meant"), w.queue())
    return w.put(), "no_rule", "other buckets have: meant"


def wrong_event_type(w):
    w.notify(w.bucket(), w.queue(), events=["s3:ObjectRemoved:*"])
    return w.put(), "event", "ObjectCreated:Put"


def prefix(w):
    w.notify(w.bucket(), w.queue(), prefix="in/")
    return w.put(), "prefix", 'wants "in/"'


def suffix_in_another_case(w):
    w.notify(w.bucket(), w.queue(), suffix=".TXT")
    return w.put(), "suffix", "but for upper and lower case"


def prefix_written_encoded(w):
    w.notify(w.bucket(), w.queue(), prefix="in%20coming/")
    return w.put("in coming/a.txt"), "prefix", "without its percent-encoding"


def queue_deleted_since(w):
    url = w.queue()
    w.notify(w.bucket(), url)
    w.sqs.delete_queue(QueueUrl=url)
    return w.put(), "queue_missing", "arn:aws:sqs:us-east-1:000000000000:q"


def ingest_too_large(w):
    return w.put(bucket="dropzone", body=b"x" * 101), "too_large", "SKIPPED"


def ingest_wrong_prefix(w):
    w.notify("dropzone", w.sqs.get_queue_url(QueueName="ingest-queue")["QueueUrl"])
    return w.put("other/a.csv", bucket="dropzone"), "not_in_incoming_prefix", "SKIPPED"


def report_is_there_already(w):
    w.put(bucket="dropzone")
    (job,) = {e["note"].split('"jobId":"')[1].split('"')[0] for e in w.trace("s3://dropzone/incoming/a.txt")
              if "ENQUEUED" in e.get("note", "")}
    w.put(bucket="dropzone")  # the same bytes: the same job, once more
    return job, "duplicate", "SKIP_DUPLICATE"


def fifo_duplicate(w):
    url = w.queue("q.fifo", FifoQueue="true", ContentBasedDeduplication="true")
    w.send(url, MessageGroupId="g")
    return w.send(url, MessageGroupId="g"), "duplicate", "this send was answered, and dropped"


def fifo_group_blocked(w):
    url = w.queue("q.fifo", FifoQueue="true")
    w.send(url, MessageGroupId="g", MessageDeduplicationId="1")
    later = w.send(url, MessageGroupId="g", MessageDeduplicationId="2")
    w.receive(url)
    return later, "group_blocked", "a FIFO queue keeps order"


def in_flight(w):
    url = w.queue(VisibilityTimeout=3600)
    message = w.send(url)
    w.receive(url)
    return message, "in_flight", "2026-01-01T01:00:00.000Z"


def delayed_and_the_clock_stands(w):
    return w.send(w.queue(DelaySeconds=60)), "delayed", "the clock is frozen"


def nobody_receives(w):
    return w.send(w.queue()), "not_received", "nobody received it yet"


def expired(w):
    url = w.queue(MessageRetentionPeriod=60)
    message = w.send(url)
    w.advance("61s")
    return message, "retention", "MessageRetentionPeriod"


def dead(w):
    arn = w.arn(w.queue("dead"))
    url = w.queue(VisibilityTimeout=0, RedrivePolicy=json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 1}))
    message = w.send(url)
    w.receive(url)
    assert "Messages" not in w.sqs.receive_message(QueueUrl=url)
    return message, "max_receives", "maxReceiveCount"


def dead_and_still_there(w):
    return dead(w)[0], "dead_letter", "until it is received there"


def purged(w):
    url = w.queue()
    message = w.send(url)
    w.sqs.purge_queue(QueueUrl=url)
    return message, "purged", "its queue was purged"


def queue_deleted_under_it(w):
    url = w.queue()
    message = w.send(url)
    w.sqs.delete_queue(QueueUrl=url)
    return message, "queue_deleted", "its queue was deleted"


def upload_never_completed(w):
    upload = w.s3.create_multipart_upload(Bucket=w.bucket(), Key="k")["UploadId"]
    w.s3.upload_part(Bucket="bkt", Key="k", UploadId=upload, PartNumber=1, Body=b"x")
    return "s3://bkt/k", "upload_incomplete", "1 uploads of parts"


def upload_aborted(w):
    upload = w.s3.create_multipart_upload(Bucket=w.bucket(), Key="k")["UploadId"]
    w.s3.abort_multipart_upload(Bucket="bkt", Key="k", UploadId=upload)
    return "s3://bkt/k", "upload_aborted", "AbortMultipartUpload"


def refused(call, **more):
    with pytest.raises(ClientError):
        call(**more)


def put_refused_by_a_precondition(w):
    w.bucket()
    w.put()
    # Older SDKs have no parameter for it.
    w.s3.meta.events.register("before-sign", lambda request, **_: request.headers.add_header("If-None-Match", "*"))
    refused(w.s3.put_object, Bucket="bkt", Key="incoming/a.txt", Body=b"y")
    return "s3://bkt/incoming/a.txt", "PreconditionFailed", "PutObject"


def put_refused_before_its_body(w):
    refused(w.s3.put_object, Bucket="nowhere", Key="k", Body=b"y")
    return "s3://nowhere/k", "NoSuchBucket", "PutObject"


def put_refused_by_a_fault_rule(w):
    w.bucket()
    w.server.json("POST", "/_headrace/faults", {"operation": "PutObject", "effect": "error", "code": "SlowDown"})
    refused(w.s3.put_object, Bucket="bkt", Key="k", Body=b"y")
    assert any(e["kind"] == "fault" and e["reason"] == "error" for e in w.trace("s3://bkt/k"))
    return "s3://bkt/k", "SlowDown", "fault-1 on PutObject"


def delete_marker_is_no_delete(w):
    w.notify(w.bucket(), w.queue(), events=["s3:ObjectRemoved:Delete"])
    w.s3.put_bucket_versioning(Bucket="bkt", VersioningConfiguration={"Status": "Enabled"})
    w.s3.delete_object(Bucket="bkt", Key="k")
    return "s3://bkt/k", "event", "ObjectRemoved:DeleteMarkerCreated"


def workers_switched_off(w):
    return w.put(bucket="dropzone"), "no_worker", "--workers 0"


def pipeline_switched_off(w):
    return w.send(w.queue("jobs-queue")), "no_worker", "--no-pipeline"


def worker_died(w):
    w.server.json("POST", "/_headrace/faults", {"service": "worker", "effect": "kill-worker", "next": 1})
    w.put(bucket="dropzone")
    assert any(e["kind"] == "fault" for e in w.trace("s3://dropzone/incoming/a.txt"))
    return "s3://dropzone/incoming/a.txt", "kill-worker", "2026-01-01T00:01:00.000Z"


def policy_keeps_s3_out(w):
    url = w.queue()
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"},
                                                      "Action": "sqs:SendMessage", "Resource": w.arn(url)}]}
    w.sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
    w.notify(w.bucket(), url)
    w.sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": ""})
    return w.put(), "policy", "arn:aws:sqs"


CASES = [("plain", case) for case in (
    no_rule, rule_on_another_bucket, wrong_event_type, prefix, suffix_in_another_case, prefix_written_encoded,
    queue_deleted_since, fifo_duplicate, fifo_group_blocked, in_flight, delayed_and_the_clock_stands, nobody_receives,
    expired, dead, dead_and_still_there, purged, queue_deleted_under_it, upload_never_completed, upload_aborted,
    put_refused_by_a_precondition, put_refused_before_its_body, put_refused_by_a_fault_rule, delete_marker_is_no_delete,
    pipeline_switched_off)]
CASES += [("pipeline", case) for case in (ingest_too_large, ingest_wrong_prefix, report_is_there_already, worker_died)]
CASES += [("no workers", workers_switched_off), ("enforce", policy_keeps_s3_out)]


@pytest.fixture(scope="module")
def servers():
    started = {}
    yield lambda kind: started.setdefault(
        kind, Server(*FLAGS[kind], "--clock", "frozen=" + FROZEN) if kind not in started else None)
    for server in started.values():
        server.stop()
        server.folder.cleanup()


@pytest.fixture
def world(servers, request):
    kind = getattr(request, "param", "plain")
    server = servers(kind)
    if server.process is None:
        server.start()
    server.json("POST", "/_headrace/clock", {"freeze": FROZEN})
    server.json("POST", "/_headrace/reset", {})
    return World(server)


@pytest.mark.parametrize("world, case", CASES, indirect=["world"], ids=lambda v: getattr(v, "__name__", None))
def test_the_trace_names_the_planted_reason(world, case):
    target, reason, words = case(world)
    events = world.trace(target)
    assert reason in [e.get("reason") for e in events], events
    text = subprocess.run([BINARY, "trace", target, "--endpoint-url", world.server.endpoint], text=True, check=True,
                          capture_output=True, timeout=30).stdout
    assert reason in text and words in text


def test_a_key_gives_a_terminal_no_orders(world):
    world.bucket()
    key = "a\x1b]0;title\x07\x1b[31m\n\x9b31m\u202ek"
    world.put(key)
    text = subprocess.run([BINARY, "trace", f"s3://bkt/{key}", "--endpoint-url", world.server.endpoint], text=True, check=True,
                          capture_output=True).stdout
    assert "s3://bkt/a?]0;title??[31m??31m?k" in text and not set(text) & set("\x1b\x07\x9b\u202e"), ascii(text)


def test_a_message_that_came_to_its_end_waits_for_nothing(world):
    url = world.queue()
    message = world.send(url)
    world.sqs.delete_message(QueueUrl=url, ReceiptHandle=world.receive(url)["ReceiptHandle"])
    assert [e["kind"] for e in world.trace(message)] == ["sent", "received", "deleted"]


def test_a_redriven_message_goes_on_under_its_new_id(world):
    old = dead(world)[0]
    dead_arn = world.arn(world.sqs.get_queue_url(QueueName="dead")["QueueUrl"])
    world.sqs.start_message_move_task(SourceArn=dead_arn)
    world.advance("1s")
    waiting = [e for e in world.trace(old) if e["kind"] == "waiting"]
    assert [(e["subject"], e["reason"]) for e in waiting] == [("q", "not_received")] and waiting[0]["id"] != old


def test_a_completed_upload_is_the_cause_of_its_object(world):
    world.notify(world.bucket(), world.queue())
    upload = world.s3.create_multipart_upload(Bucket="bkt", Key="k")["UploadId"]
    tag = world.s3.upload_part(Bucket="bkt", Key="k", UploadId=upload, PartNumber=1, Body=b"x")["ETag"]
    world.s3.complete_multipart_upload(Bucket="bkt", Key="k", UploadId=upload,
                                       MultipartUpload={"Parts": [{"ETag": tag, "PartNumber": 1}]})
    events = world.trace("s3://bkt/k")
    (written,) = [e for e in events if e["kind"] == "object"]
    assert written["because"] == upload and "upload_incomplete" not in [e.get("reason") for e in events]
    assert [e["note"] for e in events if e["kind"] == "step"] == ["UploadPart 1"]


def test_following_a_life_tells_all_of_it_and_nothing_else(world):
    url = world.queue()
    world.notify(world.bucket(), url)
    world.put("mine")
    watched = urllib.request.urlopen(
        world.server.endpoint + "/_headrace/events?after=0&target=" + urllib.parse.quote("s3://bkt/mine", safe=""), timeout=30)
    world.put("other")
    for message in world.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]:
        world.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    world.put("mine")
    seen = []
    while len(seen) < 8:
        line = watched.readline().decode()
        if line.startswith("data: "):
            seen.append(json.loads(line[6:]))
    watched.close()
    assert [e["kind"] for e in seen] == ["object", "matched", "sent", "received", "deleted", "object", "matched", "sent"]
    assert "s3://bkt/other" not in [e.get("subject") for e in seen]


def test_the_command_line_follows_with_causes_above_what_they_caused(world):
    world.notify(world.bucket(), world.queue())
    world.put("mine")
    world.put("other")
    follower = subprocess.Popen([BINARY, "trace", "--follow", "s3://bkt/mine", "--endpoint-url", world.server.endpoint],
                                text=True, stdout=subprocess.PIPE)
    lines = [follower.stdout.readline().rstrip("\n") for _ in range(3)]
    world.put("mine")
    lines.append(follower.stdout.readline().rstrip("\n"))
    follower.kill()
    follower.communicate()
    start = "2026-01-01T00:00:00.000Z"
    assert lines[0].startswith(start + "  s3://bkt/mine") and lines[1].startswith(start + "    matched")
    assert lines[2].startswith(start + "    message") and lines[3].startswith(start + "  s3://bkt/mine")


def test_a_trace_id_of_the_client_ties_what_nothing_else_ties(world):
    root = "1-5759e988-bd862e3fe1be46a994272793"

    def with_trace_id(client):
        client.meta.events.register("before-sign", lambda request, **_: request.headers.add_header(
            "X-Amzn-Trace-Id", f"Root={root};Sampled=1"))

    with_trace_id(world.s3), with_trace_id(world.sqs)
    world.bucket()
    world.put("tied")
    message = world.send(world.queue())
    assert {e["id"] for e in world.trace("s3://bkt/tied")} == {e["id"] for e in world.trace(root)} >= {message}
