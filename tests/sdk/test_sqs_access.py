"""Queue policies under --auth enforce: other accounts, denials, and S3 as a sender."""
import json

import botocore
import pytest
from conftest import Clients
from harness import Server

OWNER, OTHER = "123456789012", "210987654321"
ARN = f"arn:aws:sqs:us-east-1:{OWNER}:queue"


@pytest.fixture(scope="module")
def enforcing():
    with Server("--auth", "enforce") as server:
        yield server


@pytest.fixture
def owner(enforcing):
    clients = Clients(enforcing.endpoint, OWNER)
    yield clients
    clients.sqs.delete_queue(QueueUrl=f"{enforcing.endpoint}/{OWNER}/queue")


@pytest.fixture
def other(enforcing):
    return Clients(enforcing.endpoint, OTHER)


def make(owner, *statements):
    queue = owner.sqs.create_queue(QueueName="queue")["QueueUrl"]
    if statements:
        policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Resource": ARN, **s} for s in statements]}
        owner.sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": json.dumps(policy)})
    return queue


def denied(action, who=OTHER):
    """AWS's words to a caller whom no statement of the queue's policy lets in."""
    return (f"User: arn:aws:iam::{who}:root is not authorized to perform: sqs:{action} on resource: {ARN} "
            f"because no resource-based policy allows the sqs:{action} action")


def test_another_account_needs_the_queues_leave(owner, other, refused):
    queue = make(owner)
    with refused("AccessDenied", 403) as answer:
        other.sqs.send_message(QueueUrl=queue, MessageBody="m")
    assert answer.message == denied("sendmessage")
    with refused("AccessDenied", 403) as answer:
        other.sqs.send_message_batch(QueueUrl=queue, Entries=[{"Id": "1", "MessageBody": "m"}])
    assert answer.message == denied("sendmessage")
    owner.sqs.add_permission(QueueUrl=queue, Label="l", AWSAccountIds=[OTHER], Actions=["SendMessage"])
    other.sqs.send_message(QueueUrl=queue, MessageBody="m")
    other.sqs.send_message_batch(QueueUrl=queue, Entries=[{"Id": "1", "MessageBody": "m"}])
    with refused("AccessDenied", 403):
        other.sqs.receive_message(QueueUrl=queue)
    with refused("AccessDenied", 403):
        other.sqs.get_queue_url(QueueName="queue", QueueOwnerAWSAccountId=OWNER)
    owner.sqs.remove_permission(QueueUrl=queue, Label="l")
    with refused("AccessDenied", 403):
        other.sqs.send_message(QueueUrl=queue, MessageBody="m")
    assert len(owner.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]) == 2


def test_a_denial_holds_for_the_owner_too(owner, refused):
    queue = make(owner, {"Effect": "Deny", "Principal": "*", "Action": "sqs:ReceiveMessage"})
    owner.sqs.send_message(QueueUrl=queue, MessageBody="m")
    with refused("AccessDenied", 403) as answer:
        owner.sqs.receive_message(QueueUrl=queue)
    assert answer.message == (f"User: arn:aws:iam::{OWNER}:root is not authorized to perform: sqs:receivemessage on resource: {ARN} "
                              "with an explicit deny in a resource-based policy")


def test_a_bucket_needs_the_queues_leave_to_send_events(owner, refused):
    queue = make(owner)
    bucket = "bucket-of-events"
    owner.s3.create_bucket(Bucket=bucket)
    wanted = {"QueueConfigurations": [{"QueueArn": ARN, "Events": ["s3:ObjectCreated:*"]}]}
    with refused("InvalidArgument", 400):
        owner.s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=wanted)
    allow = {"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": ARN,
        "Condition": {"ArnLike": {"aws:SourceArn": f"arn:aws:s3:*:*:{bucket}"}, "StringEquals": {"aws:SourceAccount": OWNER}}}]}
    owner.sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": json.dumps(allow)})
    owner.s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=wanted)
    owner.s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    bodies = [json.loads(m["Body"]) for m in owner.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]]
    assert [b["Records"][0]["s3"]["object"]["key"] for b in bodies if "Records" in b] == ["k"]


def test_events_are_lost_once_the_queues_leave_is_gone(owner):
    bucket = "later-" + owner.account
    owner.s3.create_bucket(Bucket=bucket)
    queue = make(owner)
    allow = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"},
                                                     "Action": "sqs:SendMessage", "Resource": ARN}]}
    owner.sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": json.dumps(allow)})
    owner.s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={
        "QueueConfigurations": [{"QueueArn": ARN, "Events": ["s3:ObjectCreated:*"]}]})
    assert len(owner.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]) == 1  # s3:TestEvent
    owner.s3.put_object(Bucket=bucket, Key="heard", Body=b"x")
    assert len(owner.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]) == 1
    owner.sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": ""})
    owner.s3.put_object(Bucket=bucket, Key="unheard", Body=b"x")
    assert "Messages" not in owner.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)


def test_who_has_no_credentials_is_refused(owner, enforcing):
    queue = make(owner)
    nobody = botocore.session.Session().create_client("sqs", endpoint_url=enforcing.endpoint, region_name="us-east-1",
                                                      config=botocore.config.Config(signature_version=botocore.UNSIGNED))
    with pytest.raises(botocore.exceptions.ClientError) as error:
        nobody.send_message(QueueUrl=queue, MessageBody="m")
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] in (400, 403)
