"""Looking at messages without receiving them: our endpoint and LocalStack's."""
import json
import urllib.error
import urllib.parse
import urllib.request

import pytest
from conftest import SQS_IS_JSON, Clients


def get(url, **headers):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


@pytest.fixture
def filled(aws, queue):
    aws.sqs.send_message(QueueUrl=queue, MessageBody="flying")
    (message,) = aws.sqs.receive_message(QueueUrl=queue)["Messages"]
    aws.sqs.send_message(QueueUrl=queue, MessageBody="waiting", MessageAttributes={
        "s": {"DataType": "String", "StringValue": "v"}, "b": {"DataType": "Binary", "BinaryValue": b"\x01\x02"}})
    aws.sqs.send_message(QueueUrl=queue, MessageBody="delayed", DelaySeconds=900)
    yield queue
    aws.sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])  # still good


def peek(aws, queue, **more):
    status, body = get(f"{aws.endpoint}/_headrace/sqs/messages?" + urllib.parse.urlencode({"QueueUrl": queue, **more}))
    assert status == 200
    return json.loads(body)


def test_our_endpoint_shows_states_and_changes_nothing(aws, filled):
    (waiting,) = peek(aws, filled)["messages"]
    assert (waiting["body"], waiting["state"], waiting["receiveCount"], waiting["visibleAt"]) == ("waiting", "visible", 0, None)
    assert waiting["attributes"] == {"s": {"type": "String", "value": "v"}, "b": {"type": "Binary", "base64": "AQI="}}
    for _ in range(2):
        every = peek(aws, filled, ShowInvisible="true", ShowDelayed="true")["messages"]
        assert [(m["body"], m["state"], m["receiveCount"]) for m in every] == [
            ("flying", "inFlight", 1), ("waiting", "visible", 0), ("delayed", "delayed", 0)]
        assert every[0]["visibleAt"] and every[2]["visibleAt"]
    first = peek(aws, filled, ShowInvisible="true", ShowDelayed="true", limit=2)
    rest = peek(aws, filled, ShowInvisible="true", ShowDelayed="true", limit=2, after=first["next"])
    assert [m["body"] for m in first["messages"] + rest["messages"]] == ["flying", "waiting", "delayed"] and "next" not in rest
    assert len(aws.sqs.receive_message(QueueUrl=filled, MaxNumberOfMessages=10)["Messages"]) == 1


def test_a_missing_queue_is_not_found(aws):
    status, body = get(f"{aws.endpoint}/_headrace/sqs/messages?QueueUrl={aws.endpoint}/{aws.account}/nope")
    assert status == 404 and "does not exist" in json.loads(body)["error"]
    status, body = get(f"{aws.endpoint}/_aws/sqs/messages?QueueUrl={aws.endpoint}/{aws.account}/nope")
    assert status == 400 and "<Code>AWS.SimpleQueueService.NonExistentQueue</Code>" in body
    assert get(f"{aws.endpoint}/_aws/sqs/messages")[0] == 400


def test_localstacks_endpoint_in_its_two_forms(aws, filled):
    address = f"{aws.endpoint}/_aws/sqs/messages"
    for url in (f"{address}?QueueUrl={filled}", f"{address}/us-east-1/{aws.account}/queue"):
        status, body = get(url)
        assert status == 200 and body.count("<Message>") == 1 and "<Body>waiting</Body>" in body
        messages = json.loads(get(url, Accept="application/json")[1])["ReceiveMessageResponse"]["ReceiveMessageResult"]["Message"]
        assert [m["Body"] for m in messages] == ["waiting"]
        assert {a["Name"]: a["Value"] for a in messages[0]["Attribute"]}["ApproximateReceiveCount"] == "0"
    every = json.loads(get(f"{address}?QueueUrl={filled}&ShowInvisible=true&ShowDelayed=true", Accept="application/json")[1])
    states = [{a["Name"]: a["Value"] for a in m["Attribute"]} for m in every["ReceiveMessageResponse"]["ReceiveMessageResult"]["Message"]]
    assert [(s["IsVisible"], s["IsDelayed"]) for s in states] == [("false", "false"), ("true", "false"), ("false", "true")]


@pytest.mark.skipif(not SQS_IS_JSON, reason="older SDKs send to the queue's URL, whatever the endpoint")
def test_an_sdk_with_that_endpoint_receives_nothing_for_good(aws, filled):
    looking = Clients(aws.endpoint + "/_aws/sqs/messages", aws.account).sqs
    for _ in range(3):
        (message,) = looking.receive_message(QueueUrl=filled)["Messages"]
        assert message["Body"] == "waiting" and message["MessageAttributes"]["b"]["BinaryValue"] == b"\x01\x02"
    assert aws.sqs.get_queue_attributes(QueueUrl=filled, AttributeNames=["All"])["Attributes"]["ApproximateNumberOfMessages"] == "1"


@pytest.mark.skipif(not SQS_IS_JSON, reason="older SDKs send to the queue's URL, whatever the endpoint")
def test_who_takes_that_address_for_an_endpoint_may_only_look(aws, queue):
    looking = Clients(aws.endpoint + "/_aws/sqs/messages", aws.account).sqs
    for call, more in (looking.send_message, {"MessageBody": "m"}), (looking.purge_queue, {}):
        with pytest.raises(looking.exceptions.ClientError, match="InvalidAction.* is not valid for this endpoint"):
            call(QueueUrl=queue, **more)
    address = f"{aws.endpoint}/_aws/sqs/messages?Action=PurgeQueue&QueueUrl={queue}"
    status, body = get(address, Accept="application/json")
    assert (status, json.loads(body)["Error"]) == (400, {"Code": "InvalidAction", "Type": "Sender",
                                                         "Message": "The action PurgeQueue is not valid for this endpoint."})
    assert get(address.replace("PurgeQueue", "ReceiveMessage"))[0] == 200


def test_queues_are_counted(aws, filled):
    queues = json.loads(get(aws.endpoint + "/_headrace/sqs/queues")[1])["queues"]
    (mine,) = [q for q in queues if q["queueUrl"] == filled]
    assert (mine["visible"], mine["inFlight"], mine["delayed"], mine["fifo"]) == (1, 1, 1, False)
