"""Every SQS operation and every fault it answers, through boto3 (JSON or Query, whichever this botocore speaks) and raw. Rule numbers (r17)
are those of docs/sqs-behaviour.md; rules about time are unit tests, with a clock that can be moved."""
import hashlib
import json
import socket
import struct
import time
import urllib.parse
import urllib.request

import pytest
from conftest import SQS_IS_JSON, newer_than

NO_QUEUE = "AWS.SimpleQueueService.NonExistentQueue"
FIFO = {"FifoQueue": "true"}


def receive(aws, queue, n=10, **more):
    return aws.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=n, **more).get("Messages", [])


def attributes(aws, queue, *names):
    return aws.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=list(names) or ["All"]).get("Attributes", {})


def arn(aws, name):
    return f"arn:aws:sqs:us-east-1:{aws.account}:{name}"


@pytest.fixture
def fifo(aws):
    return aws.sqs.create_queue(QueueName="q.fifo", Attributes=FIFO)["QueueUrl"]


def raw(aws, parameters, path="/", method="POST", headers=()):
    """A Query request as curl would send it: status, body, headers."""
    query = urllib.parse.urlencode(parameters)
    scope = f"AWS4-HMAC-SHA256 Credential={aws.account}/20261121/us-east-1/sqs/aws4_request, SignedHeaders=host, Signature=0"
    url = aws.endpoint + path + ("?" + query if method == "GET" else "")
    request = urllib.request.Request(url, query.encode() if method == "POST" else None, {"Authorization": scope, **dict(headers)},
                                     method=method)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read().decode(), answer.headers
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(), error.headers


def raw_json(aws, operation, body, headers=()):
    request = urllib.request.Request(aws.endpoint, json.dumps(body).encode(), {
        "Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": f"AmazonSQS.{operation}", "x-amzn-query-mode": "true",
        "Authorization": f"AWS4-HMAC-SHA256 Credential={aws.account}/20261121/us-east-1/sqs/aws4_request, SignedHeaders=host, Signature=0",
        **dict(headers)})
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.loads(answer.read() or b"{}"), answer.headers
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read()), error.headers


# --- r1-r10: shapes and digests ---

def test_r4_what_is_empty_is_absent(aws, queue):
    assert "Messages" not in aws.sqs.receive_message(QueueUrl=queue)
    assert "Tags" not in aws.sqs.list_queue_tags(QueueUrl=queue)
    assert "Attributes" not in aws.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["Policy"])
    assert "Attributes" not in aws.sqs.get_queue_attributes(QueueUrl=queue)
    assert "QueueUrls" not in aws.sqs.list_queues(QueueNamePrefix="nothing")
    for operation, body in [("ReceiveMessage", {}), ("ListQueueTags", {}), ("GetQueueAttributes", {})]:
        assert raw_json(aws, operation, {"QueueUrl": queue, **body})[1] == {}


def test_r5_the_digest_covers_the_attributes_that_are_returned(aws, queue):
    given = {name: {"DataType": "String", "StringValue": value} for name, value in
             [("Hello", "World"), ("General", "Kenobi"), ("Third", "x")]}
    aws.sqs.send_message(QueueUrl=queue, MessageBody="m", MessageAttributes=given)

    def digest(names):
        text = b""
        for name in sorted(names):
            for part in (name, given[name]["DataType"]):
                text += len(part).to_bytes(4, "big") + part.encode()
            value = given[name]["StringValue"].encode()
            text += b"\x01" + len(value).to_bytes(4, "big") + value
        return hashlib.md5(text).hexdigest()

    (none,) = receive(aws, queue, VisibilityTimeout=0)
    assert "MessageAttributes" not in none and "MD5OfMessageAttributes" not in none
    for names, found in [(["Hello", "General"], ["Hello", "General"]), (["All"], list(given)), ([".*"], list(given)),
                         (["*"], list(given)), (["Hel.*"], ["Hello"]), (["Nope", "AWS.", "..foo", "Third"], ["Third"])]:
        (message,) = receive(aws, queue, MessageAttributeNames=names, VisibilityTimeout=0)
        assert set(message["MessageAttributes"]) == set(found)
        assert message["MD5OfMessageAttributes"] == digest(found)


def test_r7_system_attributes_of_a_standard_queue(aws, queue):
    aws.sqs.send_message(QueueUrl=queue, MessageBody="m")
    (message,) = receive(aws, queue, AttributeNames=["All"], VisibilityTimeout=0)
    assert set(message["Attributes"]) == {"SenderId", "SentTimestamp", "ApproximateReceiveCount", "ApproximateFirstReceiveTimestamp"}
    assert len(message["Attributes"]["SentTimestamp"]) == 13
    (message,) = receive(aws, queue, AttributeNames=["SequenceNumber", "SenderId"], VisibilityTimeout=0)
    assert set(message["Attributes"]) == {"SenderId"}


def test_r7_system_attributes_of_a_fifo_queue(aws, fifo):
    sent = aws.sqs.send_message(QueueUrl=fifo, MessageBody="m", MessageGroupId="g", MessageDeduplicationId="d")
    (message,) = receive(aws, fifo, AttributeNames=["All"])
    got = message["Attributes"]
    assert (got["MessageGroupId"], got["MessageDeduplicationId"], got["SequenceNumber"]) == ("g", "d", sent["SequenceNumber"])
    assert len(sent["SequenceNumber"]) == 20


@newer_than(1, 34, 0)
def test_r7_the_newer_name_of_the_parameter_wins(aws, queue):
    aws.sqs.send_message(QueueUrl=queue, MessageBody="m")
    (message,) = receive(aws, queue, AttributeNames=["All"], MessageSystemAttributeNames=["SenderId"])
    assert set(message["Attributes"]) == {"SenderId"}


def test_r3_the_trace_header_travels(aws, queue):
    trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
    sent = aws.sqs.send_message(QueueUrl=queue, MessageBody="m", MessageSystemAttributes={
        "AWSTraceHeader": {"DataType": "String", "StringValue": trace}})
    assert sent["MD5OfMessageSystemAttributes"] == "5ae4d5d7636402d80f4eb6d213245a88"
    assert "MD5OfMessageAttributes" not in sent
    (message,) = receive(aws, queue, AttributeNames=["AWSTraceHeader"])
    assert message["Attributes"] == {"AWSTraceHeader": trace}


# --- r11-r27: sending ---

@pytest.mark.parametrize("more, code, text", [
    ({"MessageBody": ""}, "MissingParameter", "The request must contain the parameter MessageBody."),
    ({"MessageBody": "x" * 1048577}, "InvalidParameterValue",
     "One or more parameters are invalid. Reason: Message must be shorter than 1048576 bytes."),
    ({"MessageBody": "x", "DelaySeconds": 901}, "InvalidParameterValue",
     "Value 901 for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900."),
    ({"MessageBody": "x", "DelaySeconds": -1}, "InvalidParameterValue",
     "Value -1 for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900."),
    ({"MessageBody": "x", "MessageDeduplicationId": "d"}, "InvalidParameterValue", None),
    ({"MessageBody": "x", "MessageAttributes": {"a": {"DataType": "String", "StringValue": ""}}}, "InvalidParameterValue",
     "Message (user) attribute 'a' must contain a non-empty value of type 'String'."),
    ({"MessageBody": "x", "MessageAttributes": {"aws.a": {"DataType": "String", "StringValue": "v"}}}, "InvalidParameterValue", None),
    ({"MessageBody": "x", "MessageAttributes": {"a": {"DataType": "Fish", "StringValue": "v"}}}, "InvalidParameterValue", None),
    ({"MessageBody": "x", "MessageAttributes": {"a": {"DataType": "Binary", "BinaryValue": b""}}}, "InvalidParameterValue", None),
])
def test_what_a_send_refuses(aws, queue, refused, more, code, text):
    with refused(code, 400) as answer:
        aws.sqs.send_message(QueueUrl=queue, **more)
    assert text in (None, answer.message)


def test_r13_illegal_characters(aws, queue, refused):
    if SQS_IS_JSON:
        status, body, _ = raw_json(aws, "SendMessage", {"QueueUrl": queue, "MessageBody": "a\u0008b"})
        assert (status, body["__type"]) == (400, "com.amazonaws.sqs#InvalidMessageContents")
    status, body, _ = raw(aws, {"Action": "SendMessage", "QueueUrl": queue, "MessageBody": "a\x08b"})
    assert status == 400 and "<Code>InvalidMessageContents</Code>" in body


@pytest.mark.parametrize("more, code", [
    ({"MessageDeduplicationId": "d"}, "MissingParameter"),
    ({"MessageGroupId": "g"}, "InvalidParameterValue"),
    ({"MessageGroupId": "g 1", "MessageDeduplicationId": "d"}, "InvalidParameterValue"),
    ({"MessageGroupId": "g", "MessageDeduplicationId": "d" * 129}, "InvalidParameterValue"),
    ({"MessageGroupId": "g", "MessageDeduplicationId": "d", "DelaySeconds": 2}, "InvalidParameterValue"),
])
def test_what_a_fifo_send_refuses(aws, fifo, refused, more, code):
    with refused(code, 400):
        aws.sqs.send_message(QueueUrl=fifo, MessageBody="m", **more)


def test_r17_r18_one_bad_fifo_entry_refuses_the_batch(aws, fifo, refused):
    with refused("InvalidParameterValue", 400) as answer:
        aws.sqs.send_message_batch(QueueUrl=fifo, Entries=[
            {"Id": "1", "MessageBody": "m", "MessageGroupId": "g", "MessageDeduplicationId": "1"}, {"Id": "2", "MessageBody": "m"}])
    assert answer.message == "The request must contain the parameter MessageGroupId."
    with refused("InvalidParameterValue", 400):
        aws.sqs.send_message_batch(QueueUrl=fifo, Entries=[{"Id": "2", "MessageBody": "m", "MessageGroupId": "g"}])
    assert receive(aws, fifo) == []


def test_r21_to_r25_what_refuses_a_whole_batch(aws, queue, refused):
    sqs, space = aws.sqs, "AWS.SimpleQueueService."
    for call, entry, name in [(sqs.send_message_batch, {"MessageBody": "m"}, "SendMessageBatchRequestEntry"),
                              (sqs.delete_message_batch, {"ReceiptHandle": "h"}, "DeleteMessageBatchRequestEntry"),
                              (sqs.change_message_visibility_batch, {"ReceiptHandle": "h", "VisibilityTimeout": 1},
                               "ChangeMessageVisibilityBatchRequestEntry")]:
        with refused(space + "EmptyBatchRequest", 400) as answer:
            call(QueueUrl=queue, Entries=[])
        assert answer.message == f"There should be at least one {name} in the request."
        with refused(space + "TooManyEntriesInBatchRequest", 400) as answer:
            call(QueueUrl=queue, Entries=[{"Id": str(i), **entry} for i in range(20)])
        assert answer.message == "Maximum number of entries per request are 10. You have sent 20."
        for bad in ("invalid:id", "x" * 81, ""):
            with refused(space + "InvalidBatchEntryId", 400):
                call(QueueUrl=queue, Entries=[{"Id": bad, **entry}])
        with refused(space + "BatchEntryIdsNotDistinct", 400) as answer:
            call(QueueUrl=queue, Entries=[{"Id": f"id_{i}", **entry} for i in (1, 2, 2, 1)])
        assert answer.message == "Id id_2 repeated."
        with refused(NO_QUEUE, 400):
            call(QueueUrl=queue + "x", Entries=[{"Id": "invalid:id", **entry}])
    with refused(space + "BatchRequestTooLong", 400) as answer:
        sqs.send_message_batch(QueueUrl=queue, Entries=[{"Id": "1", "MessageBody": "x" * 1048570}, {"Id": "2", "MessageBody": "x" * 7}])
    assert answer.message == "Batch requests cannot be longer than 1048576 bytes. You have sent 1048577 bytes."


def test_r26_one_bad_entry_fails_alone(aws):
    queue = aws.sqs.create_queue(QueueName="small", Attributes={"MaximumMessageSize": "1024"})["QueueUrl"]
    sent = aws.sqs.send_message_batch(QueueUrl=queue, Entries=[{"Id": "good", "MessageBody": "m"}, {"Id": "long", "MessageBody": "x" * 1025}])
    assert [s["Id"] for s in sent["Successful"]] == ["good"]
    assert sent["Failed"] == [{"Id": "long", "SenderFault": True, "Code": "InvalidParameterValue",
                               "Message": "One or more parameters cannot be validated. Reason: Message must be shorter than 1024 bytes."}]
    (message,) = receive(aws, queue)
    changed = aws.sqs.change_message_visibility_batch(QueueUrl=queue, Entries=[
        {"Id": "a", "ReceiptHandle": message["ReceiptHandle"], "VisibilityTimeout": 5},
        {"Id": "b", "ReceiptHandle": "garbage", "VisibilityTimeout": 5},
        {"Id": "c", "ReceiptHandle": message["ReceiptHandle"], "VisibilityTimeout": 43201}])
    assert [s["Id"] for s in changed["Successful"]] == ["a"]
    assert [(f["Id"], f["Code"], f["SenderFault"]) for f in changed["Failed"]] == [
        ("b", "ReceiptHandleIsInvalid", True), ("c", "InvalidParameterValue", True)]
    gone = aws.sqs.delete_message_batch(QueueUrl=queue, Entries=[{"Id": "a", "ReceiptHandle": "garbage"},
                                                                 {"Id": "b", "ReceiptHandle": message["ReceiptHandle"]}])
    assert [s["Id"] for s in gone["Successful"]] == ["b"] and gone["Failed"][0]["Code"] == "ReceiptHandleIsInvalid"


# --- r28-r41: receiving ---

@pytest.mark.parametrize("more, text", [
    ({"MaxNumberOfMessages": 11}, "Value 11 for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided."),
    ({"MaxNumberOfMessages": 0}, "Value 0 for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided."),
    ({"WaitTimeSeconds": 21}, "Value 21 for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 and <= 20, if provided."),
    ({"WaitTimeSeconds": -1}, "Value -1 for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 and <= 20, if provided."),
    ({"VisibilityTimeout": 43201}, None),
    ({"VisibilityTimeout": -1}, None),
    ({"ReceiveRequestAttemptId": "a"}, None),
])
def test_what_a_receive_refuses(aws, queue, refused, more, text):
    with refused("InvalidParameterValue", 400) as answer:
        aws.sqs.receive_message(QueueUrl=queue, **more)
    assert text in (None, answer.message)


def test_r35_r36_changing_what_is_gone_or_visible(aws, queue, refused):
    aws.sqs.send_message(QueueUrl=queue, MessageBody="m")
    handle = receive(aws, queue, VisibilityTimeout=0)[0]["ReceiptHandle"]
    aws.sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=handle, VisibilityTimeout=100)
    assert len(receive(aws, queue, VisibilityTimeout=0)) == 1
    aws.sqs.delete_message(QueueUrl=queue, ReceiptHandle=handle)
    with refused("InvalidParameterValue", 400) as answer:
        aws.sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=handle, VisibilityTimeout=1)
    assert answer.message == (f"Value {handle} for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not "
                              "available for visibility timeout change.")
    with refused("ReceiptHandleIsInvalid", 400):
        aws.sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle="garbage", VisibilityTimeout=1)


# --- FIFO ---

def test_r42_r43_groups_are_received_in_order_and_locked(aws, fifo):
    for group, body in [("g1", "1a"), ("g2", "2a"), ("g1", "1b"), ("g1", "1c")]:
        aws.sqs.send_message(QueueUrl=fifo, MessageBody=body, MessageGroupId=group, MessageDeduplicationId=body)
    first = receive(aws, fifo, n=2)
    assert [m["Body"] for m in first] == ["1a", "1b"]
    assert [m["Body"] for m in receive(aws, fifo)] == ["2a"]
    for message in first:
        aws.sqs.delete_message(QueueUrl=fifo, ReceiptHandle=message["ReceiptHandle"])
    assert [m["Body"] for m in receive(aws, fifo)] == ["1c"]


def test_r46_a_duplicate_is_answered_with_the_first_ones_id(aws, fifo):
    first, second = (aws.sqs.send_message(QueueUrl=fifo, MessageBody="m", MessageGroupId="g", MessageDeduplicationId="d") for _ in "ab")
    assert first["MessageId"] == second["MessageId"]
    assert attributes(aws, fifo)["ApproximateNumberOfMessages"] == "1"


def test_an_attempt_is_repeated(aws, fifo):
    aws.sqs.send_message(QueueUrl=fifo, MessageBody="m", MessageGroupId="g", MessageDeduplicationId="d")
    first, second = (receive(aws, fifo, ReceiveRequestAttemptId="try") for _ in "ab")
    assert first == second and len(first) == 1


# --- r51-r56: dead letters ---

@newer_than(1, 31, 0)
def test_r53_to_r56_move_tasks(aws, refused):
    sqs = aws.sqs
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
    policy = json.dumps({"deadLetterTargetArn": arn(aws, "dead"), "maxReceiveCount": "1"})
    source = sqs.create_queue(QueueName="source", Attributes={"RedrivePolicy": policy, "VisibilityTimeout": "0"})["QueueUrl"]
    assert json.loads(attributes(aws, source)["RedrivePolicy"]) == {"deadLetterTargetArn": arn(aws, "dead"), "maxReceiveCount": 1}
    assert sqs.list_dead_letter_source_queues(QueueUrl=dead)["queueUrls"] == [source]
    assert sqs.list_dead_letter_source_queues(QueueUrl=source).get("queueUrls", []) == []
    for body in "abc":
        sqs.send_message(QueueUrl=source, MessageBody=body)
    for _ in range(2):
        receive(aws, source)
    assert attributes(aws, dead)["ApproximateNumberOfMessages"] == "3"
    with refused("ResourceNotFoundException", 404):
        sqs.start_message_move_task(SourceArn=arn(aws, "nowhere"))
    with refused("InvalidParameterValue", 400):
        sqs.start_message_move_task(SourceArn=arn(aws, "source"))
    assert not sqs.list_message_move_tasks(SourceArn=arn(aws, "dead")).get("Results")
    handle = sqs.start_message_move_task(SourceArn=arn(aws, "dead"), MaxNumberOfMessagesPerSecond=1)["TaskHandle"]
    with refused("InvalidParameterValue", 400):
        sqs.start_message_move_task(SourceArn=arn(aws, "dead"))
    (task,) = sqs.list_message_move_tasks(SourceArn=arn(aws, "dead"))["Results"]
    assert (task["Status"], task["TaskHandle"], task["ApproximateNumberOfMessagesToMove"]) == ("RUNNING", handle, 3)
    assert task["MaxNumberOfMessagesPerSecond"] == 1 and "DestinationArn" not in task
    assert abs(task["StartedTimestamp"] / 1000 - time.time()) < 60
    sqs.cancel_message_move_task(TaskHandle=handle)
    (task,) = sqs.list_message_move_tasks(SourceArn=arn(aws, "dead"))["Results"]
    assert task["Status"] == "CANCELLED" and "TaskHandle" not in task
    with refused("ResourceNotFoundException", 404):
        sqs.cancel_message_move_task(TaskHandle=handle)
    with refused("InvalidParameterValue", 400):
        sqs.cancel_message_move_task(TaskHandle="garbage")
    sqs.start_message_move_task(SourceArn=arn(aws, "dead"))
    deadline = time.monotonic() + 10
    while sqs.list_message_move_tasks(SourceArn=arn(aws, "dead"))["Results"][0]["Status"] != "COMPLETED":
        assert time.monotonic() < deadline
    assert attributes(aws, dead)["ApproximateNumberOfMessages"] == "0"


# --- r57-r66: queues ---

@pytest.mark.parametrize("name, given, code", [
    ("a b", {}, "InvalidParameterValue"), ("x" * 81, {}, "InvalidParameterValue"), ("q.fifo", {}, "InvalidParameterValue"),
    ("q", FIFO, "InvalidParameterValue"), ("q", {"FifoQueue": "false"}, "InvalidAttributeName"),
    ("q", {"Foobar": "1"}, "InvalidAttributeName"), ("q", {"DelaySeconds": "901"}, "InvalidAttributeValue"),
    ("q", {"VisibilityTimeout": "8000000000000"}, "InvalidAttributeValue"),
    ("q", {"RedrivePolicy": "x"}, "InvalidParameterValue"), ("q", {"DeduplicationScope": "queue"}, "InvalidAttributeName"),
])
def test_what_create_queue_refuses(aws, refused, name, given, code):
    with refused(code, 400):
        aws.sqs.create_queue(QueueName=name, Attributes=given)
    assert "QueueUrls" not in aws.sqs.list_queues()


def test_r62_a_new_queue_has_these_attributes(aws, queue, fifo):
    common = {"QueueArn", "ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed",
              "CreatedTimestamp", "LastModifiedTimestamp", "VisibilityTimeout", "MaximumMessageSize", "MessageRetentionPeriod",
              "DelaySeconds", "ReceiveMessageWaitTimeSeconds", "SqsManagedSseEnabled"}
    assert set(attributes(aws, queue)) == common
    assert set(attributes(aws, fifo)) == common | {"FifoQueue", "ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit"}


def test_r64_tags(aws, refused):
    queue = aws.sqs.create_queue(QueueName="tagged", tags={"a": "1", "A": ""})["QueueUrl"]
    assert aws.sqs.list_queue_tags(QueueUrl=queue)["Tags"] == {"a": "1", "A": ""}
    aws.sqs.tag_queue(QueueUrl=queue, Tags={"a": "2", "b": "3"})
    aws.sqs.untag_queue(QueueUrl=queue, TagKeys=["A", "never"])
    assert aws.sqs.list_queue_tags(QueueUrl=queue)["Tags"] == {"a": "2", "b": "3"}
    with refused("MissingParameter", 400) as answer:
        aws.sqs.tag_queue(QueueUrl=queue, Tags={})
    assert answer.message == "The request must contain the parameter Tags."


def test_r65_permissions(aws, queue, refused):
    aws.sqs.add_permission(QueueUrl=queue, Label="l", AWSAccountIds=["111111111111"], Actions=["SendMessage"])
    (statement,) = json.loads(attributes(aws, queue)["Policy"])["Statement"]
    assert statement == {"Sid": "l", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111111111111:root"},
                         "Action": "SQS:SendMessage", "Resource": arn(aws, "queue")}
    with refused("InvalidParameterValue", 400):
        aws.sqs.add_permission(QueueUrl=queue, Label="l", AWSAccountIds=["111111111111"], Actions=["SendMessage"])
    with refused("OverLimit", 403):
        aws.sqs.add_permission(QueueUrl=queue, Label="m", AWSAccountIds=["111111111111"], Actions=["SendMessage"] * 8)
    aws.sqs.remove_permission(QueueUrl=queue, Label="l")
    assert "Policy" not in attributes(aws, queue)
    with refused("InvalidParameterValue", 400) as answer:
        aws.sqs.remove_permission(QueueUrl=queue, Label="l")
    assert answer.message == "Value l for parameter Label is invalid. Reason: can't find label."


CALLS = {
    "DeleteQueue": {}, "PurgeQueue": {}, "GetQueueAttributes": {"AttributeNames": ["All"]}, "SetQueueAttributes": {"Attributes": {}},
    "TagQueue": {"Tags": {"a": "b"}}, "UntagQueue": {"TagKeys": ["a"]}, "ListQueueTags": {}, "ListDeadLetterSourceQueues": {},
    "AddPermission": {"Label": "l", "AWSAccountIds": ["1"], "Actions": ["*"]}, "RemovePermission": {"Label": "l"},
    "SendMessage": {"MessageBody": "m"}, "ReceiveMessage": {}, "DeleteMessage": {"ReceiptHandle": "h"},
    "ChangeMessageVisibility": {"ReceiptHandle": "h", "VisibilityTimeout": 1},
}


@pytest.mark.parametrize("operation", CALLS)
def test_r61_every_call_on_a_missing_queue_says_so(aws, operation):
    status, body, headers = raw_json(aws, operation, {"QueueUrl": f"{aws.endpoint}/{aws.account}/nope", **CALLS[operation]})
    assert status == 400 and body == {"__type": "com.amazonaws.sqs#QueueDoesNotExist", "message": "The specified queue does not exist."}
    assert headers["x-amzn-query-error"] == NO_QUEUE + ";Sender"
    assert "X-Amzn-Errortype" not in headers  # the Java SDK would take it, with its namespace, for the code
    flat = {"AttributeName.1": "All", "Attribute.1.Name": "DelaySeconds", "Attribute.1.Value": "1", "Tag.1.Key": "a", "Tag.1.Value": "b",
            "TagKey.1": "a", "Label": "l", "AWSAccountId.1": "1", "ActionName.1": "*", "MessageBody": "m", "ReceiptHandle": "h",
            "VisibilityTimeout": "1"}
    status, body, _ = raw(aws, {"Action": operation, "QueueUrl": f"{aws.endpoint}/{aws.account}/nope", **flat})
    assert status == 400 and f"<Code>{NO_QUEUE}</Code>" in body
    assert "<Message>The specified queue does not exist for this wsdl version.</Message>" in body and "<Type>Sender</Type>" in body


# --- the wire ---

def test_query_get_and_post_on_root_and_queue_url(aws, queue):
    path = f"/{aws.account}/queue"
    for method in ("POST", "GET"):
        for where, more in ((path, {}), ("/", {"QueueUrl": queue}), ("/", {"QueueUrl": "queue"}), ("/", {"QueueUrl": path})):
            status, body, headers = raw(aws, {"Action": "SendMessage", "Version": "2012-11-05", "MessageBody": 'hi"\r\n<', **more}, where, method)
            assert status == 200 and headers["Content-Type"] == "text/xml"
            assert "<MD5OfMessageBody>%s</MD5OfMessageBody>" % hashlib.md5(b'hi"\r\n<').hexdigest() in body
    status, body, _ = raw(aws, {"Action": "ReceiveMessage", "AttributeName.1": "All", "MaxNumberOfMessages": "10"}, path)
    assert body.count("<Body>hi&quot;&#xD;\n&lt;</Body>") == 8
    assert "<Attribute><Name>SenderId</Name><Value>" in body
    status, body, _ = raw(aws, {"Action": "ReceiveMessage"}, path)
    assert "<ReceiveMessageResult/>" in body


def test_query_answers_json_when_asked(aws, queue):
    status, body, headers = raw(aws, {"Action": "ListQueues"}, "/", "GET", {"Accept": "application/json"})
    assert status == 200 and headers["Content-Type"] == "application/json"
    assert json.loads(body)["ListQueuesResponse"]["ListQueuesResult"]["queueUrls"] == [queue]


def test_r66_what_a_queue_url_does_not_answer(aws, queue):
    path = f"/{aws.account}/queue"
    assert raw(aws, {"MessageBody": "m"}, path, "GET")[:2] == (404, "<UnknownOperationException/>\n")
    for action in ("FooBar", "CreateQueue", "ListQueues"):
        status, body, _ = raw(aws, {"Action": action, "QueueName": "x"}, path)
        assert status == 400 and "<Code>InvalidAction</Code>" in body
        assert f"The action {action} is not valid for this endpoint." in body
    aws.sqs.create_queue(QueueName="other")
    for name in ("queue", "other"):
        status, body, _ = raw(aws, {"Action": "GetQueueUrl", "QueueName": name}, path, "GET")
        assert status == 200 and f"<QueueUrl>{aws.endpoint}/{aws.account}/{name}</QueueUrl>" in body


def test_json_to_the_path_of_the_queue(aws, queue):
    request = urllib.request.Request(queue, json.dumps({"QueueUrl": queue, "MessageBody": "m"}).encode(), {
        "Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "AmazonSQS.SendMessage",
        "Authorization": f"AWS4-HMAC-SHA256 Credential={aws.account}/20261121/us-east-1/sqs/aws4_request, SignedHeaders=host, Signature=0"})
    with urllib.request.urlopen(request) as answer:
        assert json.loads(answer.read())["MD5OfMessageBody"] == hashlib.md5(b"m").hexdigest()


def test_a_presigned_query_works(aws, queue):
    """As API gateways and old scripts do: the whole call in a GET, signed in its query string."""
    from botocore.auth import SigV4QueryAuth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials
    request = AWSRequest("GET", queue + "?" + urllib.parse.urlencode({"Action": "SendMessage", "MessageBody": "signed"}))
    SigV4QueryAuth(Credentials(aws.account, "test"), "sqs", "us-east-1").add_auth(request)
    with urllib.request.urlopen(request.url) as answer:
        assert answer.status == 200
    assert [m["Body"] for m in receive(aws, queue)] == ["signed"]


def test_wrong_types_and_broken_json_are_refused_and_the_server_lives(aws, queue):
    for body in ({"QueueUrl": queue, "MessageBody": 5}, {"QueueUrl": [queue], "MessageBody": "m"},
                 {"QueueUrl": queue, "MessageBody": "m", "DelaySeconds": "5"}):
        status, answer, _ = raw_json(aws, "SendMessage", body)
        assert status == 400 and answer["__type"] == "com.amazon.coral.service#SerializationException"
    status, answer, headers = raw_json(aws, "NoSuchOperation", {})
    assert status == 400 and headers["x-amzn-query-error"]
    assert raw_json(aws, "SendMessage", {"QueueUrl": queue, "MessageBody": "m"})[0] == 200


def test_a_receive_that_nobody_got_is_taken_back(aws, queue):
    """Ten large messages, of which the client reads a little and is gone."""
    for _ in range(10):
        aws.sqs.send_message(QueueUrl=queue, MessageBody="x" * 500000)
    address = urllib.parse.urlsplit(aws.endpoint)
    body = json.dumps({"QueueUrl": queue, "MaxNumberOfMessages": 10}).encode()
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.connect((address.hostname, address.port))
    client.sendall((f"POST / HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Type: application/x-amz-json-1.0\r\n"
                    f"X-Amz-Target: AmazonSQS.ReceiveMessage\r\nContent-Length: {len(body)}\r\n\r\n").encode() + body)
    assert client.recv(1000).startswith(b"HTTP/1.1 200")
    client.close()
    deadline = time.monotonic() + 10
    while attributes(aws, queue)["ApproximateNumberOfMessages"] != "10":
        assert time.monotonic() < deadline
    (message,) = receive(aws, queue, n=1, AttributeNames=["ApproximateReceiveCount"])
    assert message["Attributes"] == {"ApproximateReceiveCount": "1"}


def test_odd_numbers_are_refused_and_the_server_lives(aws, queue):
    aws.sqs.send_message(QueueUrl=queue, MessageBody="m")
    handle = receive(aws, queue)[0]["ReceiptHandle"]
    for seconds in (8000000000000, -8000000000000, 2**63 - 1):
        status, _, _ = raw_json(aws, "ChangeMessageVisibility", {"QueueUrl": queue, "ReceiptHandle": handle, "VisibilityTimeout": seconds})
        assert status == 400
    aws.sqs.delete_message(QueueUrl=queue, ReceiptHandle=handle)
