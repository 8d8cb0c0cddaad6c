"""Query requests in the forms of AWS's older documentation, and whose queue it is that is not there."""
import pytest
from test_sqs_rules import NO_QUEUE, attributes, raw, raw_json


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_lone_attribute_needs_no_number_and_the_address_may_end_with_a_slash(aws, queue, method):
    path = f"/{aws.account}/queue/"
    status, body, _ = raw(aws, {"Action": "SetQueueAttributes", "Attribute.Name": "VisibilityTimeout", "Attribute.Value": "41"}, path, method)
    assert status == 200, body
    assert attributes(aws, queue)["VisibilityTimeout"] == "41"
    status, body, _ = raw(aws, {"Action": "TagQueue", "Tag.Key": "a", "Tag.Value": "b"}, path, method)
    assert status == 200 and aws.sqs.list_queue_tags(QueueUrl=queue)["Tags"] == {"a": "b"}
    status, body, _ = raw(aws, {"Action": "ListQueues"}, path, method)
    assert status == 400 and "<Code>InvalidAction</Code>" in body


def test_a_queue_address_with_a_slash_is_known_without_a_signature(aws, queue):
    unsigned = {"Authorization": ""}
    status, body, headers = raw(aws, {"Action": "GetQueueUrl", "QueueName": "none"}, f"/{aws.account}/queue/", "GET", unsigned)
    assert status == 400 and f"<Code>{NO_QUEUE}</Code>" in body
    assert raw(aws, {"MessageBody": "m"}, f"/{aws.account}/queue/", "GET", unsigned)[:2] == (404, "<UnknownOperationException/>\n")


def test_a_queue_of_another_account_that_is_not_there(aws, queue, refused):
    with refused(NO_QUEUE, 400) as answer:
        aws.sqs.get_queue_url(QueueName="queue", QueueOwnerAWSAccountId="999999999999")
    assert answer.message == "The specified queue does not exist or you do not have access to it."
    with refused(NO_QUEUE, 400) as answer:
        aws.sqs.get_queue_url(QueueName="none", QueueOwnerAWSAccountId=aws.account)
    assert answer.message != "The specified queue does not exist or you do not have access to it."


@pytest.mark.parametrize("operation", ["SendMessageBatch", "DeleteMessageBatch", "ChangeMessageVisibilityBatch"])
def test_r27_a_queue_that_is_not_there_wins_over_a_batch_without_entries(aws, queue, operation):
    """Query can only leave the entries out, JSON can do so too: neither changes what is looked at first."""
    _, body, _ = raw(aws, {"Action": operation, "QueueUrl": queue + "x"})
    assert f"<Code>{NO_QUEUE}</Code>" in body
    assert raw_json(aws, operation, {"QueueUrl": queue + "x"})[2]["x-amzn-query-error"] == NO_QUEUE + ";Sender"
    _, body, _ = raw(aws, {"Action": operation, "QueueUrl": queue})
    assert "<Code>AWS.SimpleQueueService.EmptyBatchRequest</Code>" in body and f"one {operation}RequestEntry in the request." in body
    assert raw_json(aws, operation, {"QueueUrl": queue})[1]["__type"] == "com.amazonaws.sqs#EmptyBatchRequest"


@pytest.mark.parametrize("operation, before", [("SendMessage", ""), ("SendMessageBatch", "SendMessageBatchRequestEntry.1.")])
def test_r15_a_message_attribute_has_one_name(aws, queue, operation, before):
    """"Name must be unique among all attribute names for the message" (Developer Guide, Amazon SQS message metadata)."""
    parameters = {"Action": operation, "QueueUrl": queue, before + "MessageBody": "m", **({before + "Id": "i"} if before else {})}
    for i, name in enumerate(("x", "y", "x"), 1):
        parameters |= {f"{before}MessageAttribute.{i}.Name": name, f"{before}MessageAttribute.{i}.Value.DataType": "String",
                       f"{before}MessageAttribute.{i}.Value.StringValue": str(i)}
    body = raw(aws, parameters)[1]
    assert "<Code>InvalidParameterValue</Code>" in body and "<Message>Message (user) attribute name 'x' already exists.</Message>" in body
    assert attributes(aws, queue)["ApproximateNumberOfMessages"] == "0"
