"""Lint: each planted mistake is found by its code, and use as it should be finds nothing."""
import json
import signal
import time
import urllib.request

import pytest
from botocore.exceptions import ClientError

from conftest import Clients
from harness import Server

PUBLIC = json.dumps({"Version": "2012-10-17", "Statement": [{
    "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::planted/*"}]})


def get(endpoint, path):
    with urllib.request.urlopen(endpoint + path, timeout=20) as answer:
        return answer.read().decode()


def post(endpoint, path, body):
    request = urllib.request.Request(endpoint + path, data=json.dumps(body).encode(), method="POST")
    urllib.request.urlopen(request, timeout=20).read()


@pytest.fixture(scope="module")
def server():
    with Server("--no-pipeline") as server:
        yield server


class World:
    def __init__(self, server, account, region="us-east-1"):
        self.endpoint = server.endpoint
        clients = Clients(server.endpoint, account, region)
        self.s3, self.sqs = clients.s3, clients.sqs

    def codes(self):
        return {finding["code"] for finding in json.loads(get(self.endpoint, "/_headrace/lint"))["findings"]}

    def queue(self, name="work", **attributes):
        return self.sqs.create_queue(QueueName=name, Attributes={k: str(v) for k, v in attributes.items()})["QueueUrl"]

    def arn(self, url):
        return self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]

    def receive(self, url):
        return self.sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1)["Messages"][0]

    def events_of(self, bucket, url):
        self.s3.create_bucket(Bucket=bucket)
        self.s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={
            "QueueConfigurations": [{"QueueArn": self.arn(url), "Events": ["s3:ObjectCreated:*"]}]})

    def allow_s3(self, url, bucket):
        policy = {"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sqs:SendMessage",
            "Resource": self.arn(url), "Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::" + bucket}}}]}
        self.sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})

    def advance(self, length):
        post(self.endpoint, "/_headrace/clock", {"advance": length})


@pytest.fixture
def world(server, account):
    """Everything empty, and nothing seen."""
    post(server.endpoint, "/_headrace/reset", {})
    return World(server, account)


def not_permitted(w):
    w.events_of("planted", w.queue())
    return "s3-event-not-permitted"


def no_dead_letter_queue(w):
    url = w.queue(VisibilityTimeout=1)
    w.sqs.send_message(QueueUrl=url, MessageBody="m")
    for _ in range(3):
        w.receive(url)
        w.advance("2s")
    return "no-dead-letter-queue"


def never_deleted(w):
    no_dead_letter_queue(w)
    return "message-never-deleted"


def dead_letter_retention(w):
    dead = w.queue("dead")
    w.queue(RedrivePolicy=json.dumps({"deadLetterTargetArn": w.arn(dead), "maxReceiveCount": 3}))
    return "dead-letter-retention"


def visibility_too_short(w):
    url = w.queue(VisibilityTimeout=5)
    w.sqs.send_message(QueueUrl=url, MessageBody="m")
    message = w.receive(url)
    w.advance("8s")
    w.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return "visibility-too-short"


def trigger_loop(w):
    url = w.queue()
    w.events_of("planted", url)
    w.sqs.purge_queue(QueueUrl=url)  # s3:TestEvent
    w.s3.put_object(Bucket="planted", Key="in/a.jpg", Body=b"a")
    w.receive(url)
    w.s3.put_object(Bucket="planted", Key="in/thumb-a.jpg", Body=b"b")
    return "trigger-loop"


def short_polling(w):
    url = w.queue()
    for _ in range(20):
        w.sqs.receive_message(QueueUrl=url)
    return "short-polling"


def acl(w):
    w.s3.create_bucket(Bucket="planted")
    w.s3.put_bucket_acl(Bucket="planted", ACL="authenticated-read")
    return "acl-with-default-ownership"


def object_acl(w):
    w.s3.create_bucket(Bucket="planted")
    w.s3.put_object(Bucket="planted", Key="k", Body=b"", ACL="public-read")
    return "acl-with-default-ownership"


def public_acl(w):
    w.s3.create_bucket(Bucket="planted")
    w.s3.put_bucket_acl(Bucket="planted", ACL="public-read")
    return "public-bucket"


def public_policy(w):
    w.s3.create_bucket(Bucket="planted")
    w.s3.put_bucket_policy(Bucket="planted", Policy=PUBLIC)
    return "public-bucket"


def recreated(w):
    w.sqs.delete_queue(QueueUrl=w.queue())
    w.queue()
    return "queue-recreated-within-60s"


def purged_twice(w):
    url = w.queue()
    w.sqs.purge_queue(QueueUrl=url)
    w.sqs.purge_queue(QueueUrl=url)
    return "purge-within-60s"


def redelivery(w):
    url = w.queue(VisibilityTimeout=1)
    w.s3.create_bucket(Bucket="planted")
    w.sqs.send_message(QueueUrl=url, MessageBody="m")
    for body in (b"first", b"second"):
        w.receive(url)
        w.s3.put_object(Bucket="planted", Key="out", Body=body)
        w.advance("2s")
    return "redelivery-changes-output"


def deleted_early(w):
    url = w.queue()
    w.events_of("planted", url)
    w.sqs.purge_queue(QueueUrl=url)  # s3:TestEvent
    w.s3.create_bucket(Bucket="thumbnails")
    w.s3.put_object(Bucket="planted", Key="in/a.jpg", Body=b"a")
    w.sqs.delete_message(QueueUrl=url, ReceiptHandle=w.receive(url)["ReceiptHandle"])
    w.s3.put_object(Bucket="thumbnails", Key="a.jpg", Body=b"small")
    return "message-deleted-early"


def other_region(w):
    w.s3.create_bucket(Bucket="planted", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    w.s3.put_object(Bucket="planted", Key="k", Body=b"")
    return "bucket-of-another-region"


def region(w):
    Clients(w.endpoint, "test", "moon-west-1").sqs.list_queues()
    return "unknown-region"


@pytest.mark.parametrize("mistake", [
    not_permitted, no_dead_letter_queue, never_deleted, dead_letter_retention, visibility_too_short, trigger_loop,
    short_polling, acl, object_acl, public_acl, public_policy, recreated, purged_twice, redelivery, deleted_early,
    other_region, region])
def test_a_planted_mistake_is_found(world, mistake):
    assert world.codes() == set()
    code = mistake(world)
    assert code in world.codes()


def test_a_clean_set_up_finds_nothing_and_test_credentials_are_a_note(world):
    dead = world.queue("dead", MessageRetentionPeriod=1209600)
    url = world.queue(RedrivePolicy=json.dumps({"deadLetterTargetArn": world.arn(dead), "maxReceiveCount": 3}))
    world.s3.create_bucket(Bucket="output")
    world.allow_s3(url, "input")
    world.events_of("input", url)
    for name in "ab":
        world.s3.put_object(Bucket="input", Key=name, Body=b"x")
    for n in range(3):  # the test event too
        message = world.receive(url)
        world.s3.put_object(Bucket="output", Key=f"report-{n}-a", Body=message["Body"].encode())
        world.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    report = json.loads(get(world.endpoint, "/_headrace/lint"))
    assert report["findings"] == []
    assert [note["code"] for note in report["notes"]] == ["test-credentials"]


@pytest.mark.parametrize("rule", [
    lambda w: w.s3.create_bucket(Bucket="ab"), lambda w: w.s3.create_bucket(Bucket="with_underscore"),
    lambda w: w.s3.create_bucket(Bucket="b" * 64), lambda w: w.s3.create_bucket(Bucket="10.0.0.1"),
    lambda w: w.s3.put_object(Bucket="limits", Key="k" * 1025, Body=b""),
    lambda w: w.s3.put_object(Bucket="limits", Key="k", Body=b"", Metadata={"m": "x" * 2100}),
    lambda w: w.s3.put_object(Bucket="limits", Key="k", Body=b"", Tagging="&".join(f"t{n}=v" for n in range(11))),
    lambda w: w.queue("q" * 81), lambda w: w.queue("with.dot"), lambda w: w.queue(DelaySeconds=901),
    lambda w: w.queue(MessageRetentionPeriod=59), lambda w: w.queue(VisibilityTimeout=43201),
    lambda w: w.sqs.send_message(QueueUrl=w.queue(), MessageBody="x" * 1048577),
    lambda w: w.sqs.send_message(QueueUrl=w.queue(), MessageBody="m", MessageAttributes={
        f"a{n}": {"DataType": "String", "StringValue": "v"} for n in range(11)}),
    lambda w: w.sqs.receive_message(QueueUrl=w.queue(), MaxNumberOfMessages=11),
    lambda w: small_parts(w)])
def test_names_and_sizes_are_refused_here_as_on_aws_so_there_is_nothing_to_find(world, rule):
    world.s3.create_bucket(Bucket="limits")
    with pytest.raises(ClientError) as refused:
        rule(world)
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def small_parts(w):
    upload = w.s3.create_multipart_upload(Bucket="limits", Key="k")["UploadId"]
    parts = [{"PartNumber": n, "ETag": w.s3.upload_part(Bucket="limits", Key="k", UploadId=upload, PartNumber=n,
                                                        Body=b"x" * 1000)["ETag"]} for n in (1, 2)]
    w.s3.complete_multipart_upload(Bucket="limits", Key="k", UploadId=upload, MultipartUpload={"Parts": parts})


def test_a_refused_request_is_not_held_against_anybody(world):
    url = world.queue()
    world.sqs.purge_queue(QueueUrl=url)
    world.sqs.delete_queue(QueueUrl=url)
    with pytest.raises(ClientError):
        world.sqs.purge_queue(QueueUrl=url)
    with pytest.raises(ClientError):
        world.sqs.create_queue(QueueName="work", Attributes={"DelaySeconds": "901"})
    assert world.codes() == set()


def test_the_sample_pipeline_finds_nothing():
    with Server("--workers", "2") as server:
        clients = Clients(server.endpoint, "test")
        for n in range(5):
            clients.s3.put_object(Bucket="dropzone", Key=f"incoming/{n}.txt", Body=b"one two two")
        url = clients.sqs.get_queue_url(QueueName="results-queue")["QueueUrl"]
        got = 0
        deadline = time.monotonic() + 30
        while got < 5 and time.monotonic() < deadline:
            for message in clients.sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5).get("Messages", []):
                clients.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                got += 1
        assert got == 5
        assert json.loads(get(server.endpoint, "/_headrace/lint"))["findings"] == []
        assert "0 findings" in get(server.endpoint, "/_headrace/lint?format=text")


@pytest.mark.parametrize("mode, planted, code", [("error", True, 3), ("error", False, 0), ("warn", True, 0)])
def test_at_exit_the_findings_are_printed_and_error_makes_the_exit_code_3(mode, planted, code):
    server = Server("--no-pipeline", "--lint", mode).start()
    if planted:
        clients = Clients(server.endpoint, "test")
        clients.s3.create_bucket(Bucket="planted")
        clients.s3.put_bucket_policy(Bucket="planted", Policy=PUBLIC)
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(60) == code
    assert ("warning public-bucket: s3://planted" in server.output()) == planted
    server.check_log()
    server.folder.cleanup()
