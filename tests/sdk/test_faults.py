"""Every effect of a fault rule as a client sees it, in either wire form, and its trace."""
import http.client
import json
import time
import urllib.request

import botocore.exceptions
import botocore.parsers
import pytest
from botocore.exceptions import ClientError

from conftest import SQS_IS_JSON, Clients
from harness import Server

FROZEN = "2026-01-01T00:00:00Z"
BROKEN = (botocore.exceptions.ConnectionError, botocore.exceptions.HTTPClientError, botocore.exceptions.IncompleteReadError,
          http.client.HTTPException, botocore.exceptions.ResponseStreamingError, botocore.parsers.ResponseParserError)


@pytest.fixture(scope="module")
def server():
    with Server("--workers", "1", "--clock", "frozen=" + FROZEN) as server:
        yield server


class World:
    def __init__(self, server, account):
        self.server, self.account = server, account
        clients = Clients(server.endpoint, account)
        self.s3, self.sqs = clients.s3, clients.sqs

    def rule(self, **rule):
        rule.setdefault("account", self.account)
        status, answer = self.server.json("POST", "/_headrace/faults", rule)
        assert status == 201, answer
        return answer["ids"][0]

    def fired(self):
        return sum(rule["fired"] for rule in self.server.json("GET", "/_headrace/faults")[1]["rules"])

    def queue(self, name="q", **attributes):
        return self.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]

    def bucket_with_events(self, url):
        name = "faults-" + self.account
        arn = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        self.s3.create_bucket(Bucket=name)
        self.s3.put_bucket_notification_configuration(Bucket=name, NotificationConfiguration={
            "QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]})
        self.sqs.purge_queue(QueueUrl=url)  # s3:TestEvent
        return name

    def bodies(self, url):
        return [m["Body"] for m in self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])]

    def effects(self, target):
        events = self.server.json("GET", "/_headrace/trace?target=" + target)[1]["events"]
        return [e["reason"] for e in events if e["kind"] == "fault"]

    def advance(self, length):
        self.server.json("POST", "/_headrace/clock", {"advance": length})


@pytest.fixture
def world(server, account):
    server.json("POST", "/_headrace/clock", {"freeze": FROZEN})
    yield World(server, account)
    server.json("DELETE", "/_headrace/faults")


def outcome(call, **arguments):
    try:
        call(**arguments)
        return "ok"
    except ClientError as error:
        return error.response["Error"]["Code"]


@pytest.mark.parametrize("code, status", [("SlowDown", 503), ("InternalError", 500), ("AccessDenied", 403)])
def test_an_error_of_s3_has_its_code_status_and_message(world, code, status):
    world.s3.create_bucket(Bucket="faults-" + world.account)
    world.rule(service="s3", operation="PutObject", effect="error", code=code, status=status, message="Planted <&>.")
    with pytest.raises(ClientError) as error:
        world.s3.put_object(Bucket="faults-" + world.account, Key="k", Body=b"x")
    answer = error.value.response
    assert (answer["Error"]["Code"], answer["Error"]["Message"]) == (code, "Planted <&>.")
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == status and answer["ResponseMetadata"]["RequestId"]
    assert outcome(world.s3.head_object, Bucket="faults-" + world.account, Key="k") == "404"  # it never ran
    assert world.effects(f"s3://faults-{world.account}/k") == ["error"]


def test_an_error_of_sqs_too(world):
    url = world.queue()
    world.rule(service="sqs", operation="SendMessage", queue="q", effect="error", code="OverLimit", status=403)
    with pytest.raises(ClientError) as error:
        world.sqs.send_message(QueueUrl=url, MessageBody="m")
    assert error.value.response["Error"]["Code"] == "OverLimit"
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    assert world.bodies(url) == []


@pytest.mark.parametrize("when, wanted", [
    ({"nth": 2}, "ok X ok ok ok ok"), ({"next": 2}, "X X ok ok ok ok"), ({"every": 2}, "ok X ok X ok X"),
    ({}, "X X X X X X"), ({"probability": 0}, "ok ok ok ok ok ok"), ({"probability": 1}, "X X X X X X")])
def test_rules_of_count(world, when, wanted):
    world.rule(operation="ListQueues", effect="error", code="X", **when)
    assert " ".join(outcome(world.sqs.list_queues) for _ in range(6)) == wanted


def test_a_seed_repeats_the_run_exactly_and_another_seed_does_not(world):
    def run(seed):
        rule = world.rule(operation="ListQueues", effect="error", code="X", probability=0.4, seed=seed)
        outcomes = [outcome(world.sqs.list_queues) for _ in range(40)]
        world.server.json("DELETE", "/_headrace/faults?id=" + rule)
        return outcomes

    first = run(7)
    assert run(7) == first and run(8) != first and 5 < first.count("X") < 30


@pytest.mark.parametrize("pattern", [
    {"bucket": "faults-*"}, {"key": "in/?.txt"}, {"service": "s3"}, {"operation": "Put*"}, {"region": "us-*"}])
def test_patterns_choose_and_leave_alone(world, pattern):
    for name in ("faults-", "other-"):
        world.s3.create_bucket(Bucket=name + world.account)
    world.rule(effect="error", code="X", operation=pattern.pop("operation", "PutObject"), **pattern)
    assert outcome(world.s3.put_object, Bucket="faults-" + world.account, Key="in/a.txt", Body=b"") == "X"
    assert outcome(world.s3.get_object, Bucket="faults-" + world.account, Key="in/a.txt") == "NoSuchKey"
    if "bucket" in pattern:
        assert outcome(world.s3.put_object, Bucket="other-" + world.account, Key="in/a.txt", Body=b"") == "ok"
    if "key" in pattern:
        assert outcome(world.s3.put_object, Bucket="faults-" + world.account, Key="in/ab.txt", Body=b"") == "ok"


def test_latency_is_real_time_even_when_the_clock_stands(world):
    world.rule(operation="ListQueues", next=1, effect="latency", delay="250ms")
    began = time.monotonic()
    world.sqs.list_queues()
    assert time.monotonic() - began >= 0.25


@pytest.mark.parametrize("at, done", [("before", False), ("within", True), ("after", True)])
def test_a_cut_connection_breaks_the_call_whose_work_is_done_or_not(world, at, done):
    url = world.queue()
    world.rule(operation="SendMessage", next=1, effect="cut", at=at)
    if at == "within" and SQS_IS_JSON:  # botocore takes half a JSON text for an empty one
        assert "MessageId" not in world.sqs.send_message(QueueUrl=url, MessageBody="m")
    else:
        with pytest.raises(BROKEN):
            world.sqs.send_message(QueueUrl=url, MessageBody="m")
    assert world.bodies(url) == (["m"] if done else [])
    assert world.effects("q").count("cut") >= 1


@pytest.mark.parametrize("at", ["before", "within", "after"])
def test_a_download_is_cut(world, at):
    bucket, body = "faults-" + world.account, b"x" * 300_000
    world.s3.create_bucket(Bucket=bucket)
    world.s3.put_object(Bucket=bucket, Key="k", Body=body)
    world.rule(operation="GetObject", next=1, effect="cut", at=at)
    with pytest.raises(BROKEN):
        world.s3.get_object(Bucket=bucket, Key="k")["Body"].read()
    assert world.s3.get_object(Bucket=bucket, Key="k")["Body"].read() == body


def test_a_duplicate_is_there_twice_under_one_id(world):
    url = world.queue()
    world.rule(operation="SendMessage", next=1, effect="duplicate")
    world.sqs.send_message(QueueUrl=url, MessageBody="m")
    got = world.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    assert len(got) == 2 and len({m["MessageId"] for m in got}) == 1
    for message in got:
        world.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    assert world.bodies(url) == []


def test_fifo_queues_keep_their_promises(world):
    url = world.queue("q.fifo", FifoQueue="true", ContentBasedDeduplication="true")
    world.rule(operation="SendMessage", effect="duplicate")
    world.rule(operation="ReceiveMessage", effect="reorder")
    for body in "abc":
        world.sqs.send_message(QueueUrl=url, MessageBody=body, MessageGroupId="g")
    assert world.bodies(url) == ["a", "b", "c"]


def test_reordered_delivery(world):
    url = world.queue()
    for body in "abc":
        world.sqs.send_message(QueueUrl=url, MessageBody=body)
    world.rule(operation="ReceiveMessage", next=1, effect="reorder")
    assert world.bodies(url) == ["c", "b", "a"]


def test_a_lost_delete_is_acknowledged_and_the_message_comes_back(world):
    url = world.queue(VisibilityTimeout="30")
    world.sqs.send_message(QueueUrl=url, MessageBody="m")
    handle = world.sqs.receive_message(QueueUrl=url)["Messages"][0]["ReceiptHandle"]
    world.rule(operation="DeleteMessage", next=1, effect="lose-delete")
    world.sqs.delete_message(QueueUrl=url, ReceiptHandle=handle)
    assert world.bodies(url) == []
    world.advance("31s")
    assert world.bodies(url) == ["m"]


def test_a_late_event_comes_when_virtual_time_says_so(world):
    url = world.queue()
    bucket = world.bucket_with_events(url)
    world.rule(service="s3", operation="Event", queue="q", next=1, effect="late-event", delay="90s")
    world.s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    assert world.bodies(url) == [] and world.effects(f"s3://{bucket}/k") == ["late-event"]
    world.advance("89s")
    assert world.bodies(url) == []
    world.advance("1s")
    assert len(world.bodies(url)) == 1


def test_a_doubled_event_comes_twice_and_may_be_late_as_well(world):
    url = world.queue()
    bucket = world.bucket_with_events(url)
    world.rule(operation="Event", next=1, effect="double-event")
    world.rule(operation="Event", next=1, effect="late-event", delay="10s")
    world.s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    assert world.bodies(url) == []
    world.advance("10s")
    first, second = world.bodies(url)
    assert first == second and json.loads(first)["Records"][0]["s3"]["object"]["key"] == "k"


def test_a_worker_that_dies_leaves_the_job_to_its_timeout_and_the_next_one_finishes_it(world):
    clients = Clients(world.server.endpoint, "test")
    world.rule(service="worker", operation="ProcessJob", account="*", key="processed/dies*", next=2, effect="kill-worker")
    clients.s3.put_object(Bucket="dropzone", Key="incoming/dies.txt", Body=b"one two")
    target, report = "s3://dropzone/incoming/dies.txt", {"Bucket": "processed", "Prefix": "processed/dies"}
    for _ in range(2):
        assert "Contents" not in clients.s3.list_objects_v2(**report)
        world.advance("60s")
    assert len(clients.s3.list_objects_v2(**report)["Contents"]) == 1
    assert world.effects(target) == ["kill-worker"] * 2 and world.fired() == 2


def test_two_effects_strike_one_request(world):
    world.rule(operation="ListQueues", next=1, effect="error", code="X")
    world.rule(operation="ListQueues", next=2, effect="duplicate")
    assert outcome(world.sqs.list_queues) == "X" and outcome(world.sqs.list_queues) == "ok"
    assert world.fired() == 3


def chaos(server, method, rules=None):
    data = None if rules is None else json.dumps(rules).encode()
    request = urllib.request.Request(server.endpoint + "/_localstack/chaos/faults", data=data, method=method)
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.loads(answer.read())


def test_localstacks_chaos_interface(world):
    s3 = {"service": "s3", "region": "us-east-1"}
    receive = {"service": "sqs", "operation": "ReceiveMessage", "probability": 1.0,
               "error": {"statusCode": 400, "code": "Planted"}}
    url = world.queue()
    assert chaos(world.server, "POST", [s3]) == [s3]
    assert outcome(world.s3.list_buckets) == "ServiceUnavailable"
    assert chaos(world.server, "PATCH", [receive]) == [s3, receive]
    assert outcome(world.sqs.receive_message, QueueUrl=url) == "Planted"
    assert chaos(world.server, "DELETE", [s3]) == [receive] == chaos(world.server, "GET")
    assert outcome(world.s3.list_buckets) == "ok"
    assert chaos(world.server, "POST", []) == []
    assert outcome(world.sqs.receive_message, QueueUrl=url) == "ok"
