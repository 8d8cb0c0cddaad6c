"""Queues and messages through boto3; runs once with SQS as JSON and once as Query."""
import hashlib
import time

import pytest
from conftest import SQS_IS_JSON, Clients

NO_QUEUE = "AWS.SimpleQueueService.NonExistentQueue"


def receive(aws, queue, n=10, wait=0, **more):
    return aws.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=n, WaitTimeSeconds=wait, **more).get("Messages", [])


def attributes(aws, queue, *names):
    return aws.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=list(names) or ["All"]).get("Attributes", {})


def test_a_message_is_received_once_and_gone_when_deleted(aws, queue):
    sent = aws.sqs.send_message(QueueUrl=queue, MessageBody="hello")
    assert sent["MD5OfMessageBody"] == hashlib.md5(b"hello").hexdigest()
    (message,) = receive(aws, queue)
    assert (message["MessageId"], message["Body"]) == (sent["MessageId"], "hello")
    assert receive(aws, queue) == []
    aws.sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    assert attributes(aws, queue)["ApproximateNumberOfMessagesNotVisible"] == "0"


@pytest.mark.parametrize("body", ["ü 日本 \U0001f600", '"quoted" \\ back', "a\r\nb\tc", "<xml>&amp;</xml>", " x ", "x" * 262144])
def test_any_legal_body_survives(aws, queue, body):
    aws.sqs.send_message(QueueUrl=queue, MessageBody=body)
    assert receive(aws, queue)[0]["Body"] == body


def test_message_attributes_come_back_with_their_digest(aws, queue):
    given = {"name": {"DataType": "String", "StringValue": "v"}, "n": {"DataType": "Number", "StringValue": "5"},
             "b": {"DataType": "Binary", "BinaryValue": b"\x00\xff"}}
    sent = aws.sqs.send_message(QueueUrl=queue, MessageBody="m", MessageAttributes=given)
    (message,) = receive(aws, queue, MessageAttributeNames=["All"])
    assert message["MessageAttributes"] == given
    assert message["MD5OfMessageAttributes"] == sent["MD5OfMessageAttributes"]
    assert "MessageAttributes" not in receive(aws, aws.sqs.create_queue(QueueName="empty")["QueueUrl"])


def test_system_attributes_tell_the_history(aws, queue):
    aws.sqs.send_message(QueueUrl=queue, MessageBody="m")
    (message,) = receive(aws, queue, AttributeNames=["All"], VisibilityTimeout=0)
    assert message["Attributes"]["ApproximateReceiveCount"] == "1"
    (again,) = receive(aws, queue, AttributeNames=["ApproximateReceiveCount"])
    assert again["Attributes"] == {"ApproximateReceiveCount": "2"}
    assert again["ReceiptHandle"] != message["ReceiptHandle"]
    assert abs(int(message["Attributes"]["SentTimestamp"]) / 1000 - time.time()) < 60


def test_a_missing_queue_is_refused_in_the_sdks_words(aws, refused):
    with refused(NO_QUEUE, 400) as answer:
        aws.sqs.get_queue_url(QueueName="nope")
    assert answer.message.startswith("The specified queue does not exist")
    if SQS_IS_JSON:
        assert answer.response["Error"]["QueryErrorCode"] == "QueueDoesNotExist"
    with pytest.raises(aws.sqs.exceptions.QueueDoesNotExist):
        aws.sqs.send_message(QueueUrl=f"{aws.endpoint}/{aws.account}/nope", MessageBody="m")


def test_the_queue_url_carries_host_account_and_name(aws, queue):
    assert queue == f"{aws.endpoint}/{aws.account}/queue"
    assert aws.sqs.get_queue_url(QueueName="queue")["QueueUrl"] == queue
    assert attributes(aws, queue)["QueueArn"] == f"arn:aws:sqs:us-east-1:{aws.account}:queue"


def test_create_again_is_fine_with_equal_attributes_only(aws, refused):
    first = aws.sqs.create_queue(QueueName="q", Attributes={"VisibilityTimeout": "40"})["QueueUrl"]
    assert aws.sqs.create_queue(QueueName="q", Attributes={"VisibilityTimeout": "40"})["QueueUrl"] == first
    with refused("QueueAlreadyExists", 400):
        aws.sqs.create_queue(QueueName="q", Attributes={"VisibilityTimeout": "41"})


def test_accounts_and_regions_do_not_see_each_other(aws, queue, shared_server, refused):
    for other in (Clients(shared_server.endpoint, "888888888888"),
                  Clients(shared_server.endpoint, aws.account, region="eu-west-1")):
        assert "QueueUrls" not in other.sqs.list_queues()
        with refused(NO_QUEUE, 400):
            other.sqs.get_queue_url(QueueName="queue")


def test_batches_answer_entry_by_entry(aws, queue):
    entries = [{"Id": f"e{i}", "MessageBody": f"m{i}"} for i in range(10)]
    sent = aws.sqs.send_message_batch(QueueUrl=queue, Entries=entries)
    assert [s["Id"] for s in sent["Successful"]] == [f"e{i}" for i in range(10)] and "Failed" not in sent
    got = []
    while len(got) < 10:
        got += receive(aws, queue)
    assert sorted(m["Body"] for m in got) == [f"m{i}" for i in range(10)]
    changed = aws.sqs.change_message_visibility_batch(QueueUrl=queue, Entries=[
        {"Id": "a", "ReceiptHandle": got[0]["ReceiptHandle"], "VisibilityTimeout": 0}])
    assert changed["Successful"] == [{"Id": "a"}]
    gone = aws.sqs.delete_message_batch(QueueUrl=queue, Entries=[
        {"Id": str(i), "ReceiptHandle": m["ReceiptHandle"]} for i, m in enumerate(got)])
    assert len(gone["Successful"]) == 10
    assert receive(aws, queue) == []


def test_what_a_batch_refuses(aws, queue, refused):
    with refused("AWS.SimpleQueueService.EmptyBatchRequest", 400):
        aws.sqs.send_message_batch(QueueUrl=queue, Entries=[])
    with refused("AWS.SimpleQueueService.TooManyEntriesInBatchRequest", 400) as answer:
        aws.sqs.send_message_batch(QueueUrl=queue, Entries=[{"Id": str(i), "MessageBody": "m"} for i in range(11)])
    assert answer.message == "Maximum number of entries per request are 10. You have sent 11."
    with refused("AWS.SimpleQueueService.BatchEntryIdsNotDistinct", 400):
        aws.sqs.send_message_batch(QueueUrl=queue, Entries=[{"Id": "x", "MessageBody": "m"}] * 2)


def test_a_garbage_handle_is_refused_and_a_deleted_one_is_not(aws, queue, refused):
    with refused("ReceiptHandleIsInvalid", 400) as answer:
        aws.sqs.delete_message(QueueUrl=queue, ReceiptHandle="garbage")
    assert answer.message == 'The input receipt handle "garbage" is not a valid receipt handle.'
    aws.sqs.send_message(QueueUrl=queue, MessageBody="m")
    handle = receive(aws, queue)[0]["ReceiptHandle"]
    for _ in range(2):
        aws.sqs.delete_message(QueueUrl=queue, ReceiptHandle=handle)


def test_visibility_zero_returns_a_message_at_once(aws, queue):
    aws.sqs.send_message(QueueUrl=queue, MessageBody="m")
    handle = receive(aws, queue)[0]["ReceiptHandle"]
    aws.sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=handle, VisibilityTimeout=0)
    assert len(receive(aws, queue)) == 1


def test_too_many_receives_move_a_message_to_the_dlq(aws, refused):
    dlq = aws.sqs.create_queue(QueueName="dlq")["QueueUrl"]
    arn = attributes(aws, dlq)["QueueArn"]
    policy = '{"deadLetterTargetArn":"%s","maxReceiveCount":2}' % arn
    queue = aws.sqs.create_queue(QueueName="src", Attributes={"RedrivePolicy": policy})["QueueUrl"]
    sent = aws.sqs.send_message(QueueUrl=queue, MessageBody="poison")
    for _ in range(2):
        assert len(receive(aws, queue, VisibilityTimeout=0)) == 1
    assert receive(aws, queue) == []
    (dead,) = receive(aws, dlq, AttributeNames=["All"])
    assert dead["MessageId"] == sent["MessageId"] and dead["Attributes"]["ApproximateReceiveCount"] == "3"


def test_delay_hides_and_counts(aws, queue):
    aws.sqs.send_message(QueueUrl=queue, MessageBody="later", DelaySeconds=900)
    assert receive(aws, queue) == []
    assert attributes(aws, queue)["ApproximateNumberOfMessagesDelayed"] == "1"


def test_purge_and_delete_empty_a_queue(aws, queue, refused):
    for i in range(3):
        aws.sqs.send_message(QueueUrl=queue, MessageBody=str(i))
    aws.sqs.purge_queue(QueueUrl=queue)
    assert attributes(aws, queue)["ApproximateNumberOfMessages"] == "0"
    aws.sqs.delete_queue(QueueUrl=queue)
    with refused(NO_QUEUE, 400):
        receive(aws, queue)


def test_attributes_change_and_wrong_ones_do_not(aws, queue, refused):
    aws.sqs.set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": "77", "DelaySeconds": "3"})
    got = attributes(aws, queue, "VisibilityTimeout", "DelaySeconds")
    assert got == {"VisibilityTimeout": "77", "DelaySeconds": "3"}
    with refused("InvalidAttributeValue", 400):
        aws.sqs.set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": "43201"})
    with refused("InvalidAttributeName", 400):
        aws.sqs.set_queue_attributes(QueueUrl=queue, Attributes={"NoSuch": "1"})


def test_listing_pages_and_filters_by_prefix(aws):
    names = [f"p-{i}" for i in range(5)] + ["other"]
    for name in names:
        aws.sqs.create_queue(QueueName=name)
    urls = aws.sqs.list_queues(QueueNamePrefix="p-")["QueueUrls"]
    assert [u.rsplit("/", 1)[1] for u in urls] == names[:5]
    page = aws.sqs.list_queues(MaxResults=4)
    rest = aws.sqs.list_queues(MaxResults=4, NextToken=page["NextToken"])
    assert len(page["QueueUrls"]) == 4 and len(rest["QueueUrls"]) == 2 and "NextToken" not in rest
