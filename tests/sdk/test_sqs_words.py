"""The words in which SQS refuses: one row a refusal, sent raw, for boto3 would not send half of them. Where they are known from is in
docs/sqs-behaviour.md; QUEUE and FIFO stand for a queue of each kind, DEAD for a dead letter queue of QUEUE's."""
import json

import pytest
from test_sqs_rules import FIFO, arn, raw_json

VALUE = {"DataType": "String", "StringValue": "v"}
INVALID, MISSING, MALFORMED = "InvalidParameterValue", "MissingParameter", "MalformedInput"
ARN_FORM = "You must use this format to specify the %s: arn:<partition>:<service>:<region>:<account-id>:<resource-id>"
FAILED_BATCH = "AWS.SimpleQueueService."


def send(**more):
    return "SendMessage", {"QueueUrl": "QUEUE", "MessageBody": "m", **more}


def attribute(name="a", **value):
    return send(MessageAttributes={name: value or VALUE})


def on_queue(operation, **more):
    return operation, {"QueueUrl": "QUEUE", **more}


def policy(**statement):
    return on_queue("SetQueueAttributes", Attributes={"Policy": json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": "*", "Resource": "*", **statement}]})})


def redrive(arn_of_target, count=1):
    return on_queue("SetQueueAttributes", Attributes={"RedrivePolicy": json.dumps({"deadLetterTargetArn": arn_of_target, "maxReceiveCount": count})})


def fifo_batch(**entry):
    return "SendMessageBatch", {"QueueUrl": "FIFO", "Entries": [
        {"Id": "1", "MessageBody": "m", "MessageGroupId": "g", "MessageDeduplicationId": "1"},
        {"Id": "2", "MessageBody": "m", "MessageGroupId": "g", "MessageDeduplicationId": "2", **entry}]}


ROWS = [
    # queues
    (("CreateQueue", {}), INVALID, "Value for parameter QueueName is invalid. Reason: Must specify a queue name."),
    (("CreateQueue", {"QueueName": ""}), INVALID, "Queue name cannot be empty"),
    (("GetQueueUrl", {}), INVALID, "Value for parameter QueueName is invalid. Reason: Must specify a queue name."),
    (("GetQueueUrl", {"QueueName": ""}), INVALID, "Value for parameter QueueName is invalid. Reason: Must specify a queue name."),
    (("GetQueueUrl", {"QueueName": "queue", "QueueOwnerAWSAccountId": "nobody"}), FAILED_BATCH + "NonExistentQueue",
     "The specified queue does not exist."),
    (("ListQueues", {"MaxResults": 1001}), INVALID, "Value for parameter MaxResults is invalid. Reason: MaxResults must be an integer between 1 and 1000."),
    (("ListQueues", {"MaxResults": -1}), INVALID, "Value for parameter MaxResults is invalid. Reason: MaxResults must be an integer between 1 and 1000."),
    (on_queue("SetQueueAttributes"), MISSING, "The request must contain the parameter Attribute.Name."),
    (on_queue("SetQueueAttributes", Attributes={}), MISSING, "The request must contain the parameter Attribute.Name."),
    (on_queue("SetQueueAttributes", Attributes={"Policy": json.dumps({"Version": "2012-10-17", "Statement": [
        {"Sid": str(i), "Effect": "Allow", "Principal": "*", "Action": "sqs:*", "Resource": "*"} for i in range(22)]})}),
     "OverLimit", "22 statements were found in the submitted policy, max allowed is 20"),
    (policy(Action=["sqs:SendMessage"] * 8), "OverLimit", "8 actions were found in a statement from the submitted policy, max allowed is 7"),
    (policy(Action="sqs:ChangeMessageVisibilityBatch"), INVALID, "Value sqs:ChangeMessageVisibilityBatch for parameter ActionName is invalid. "
                                                                 "Reason: Please refer to the appropriate WSDL for a list of valid actions. "),
    *((policy(**statement), "InvalidAttributeValue", "Invalid value for the parameter Policy.") for statement in (
        {"Action": "sqs:SendMessage", "NotAction": "sqs:ReceiveMessage"}, {}, {"Action": []}, {"Action": "sqs:SendMessage", "Sid": "s" * 8192},
        {"Action": "sqs:SendMessage", "Effect": "Perhaps"})),
    (redrive("x"), INVALID, 'Value {"deadLetterTargetArn": "x", "maxReceiveCount": 1} for parameter RedrivePolicy is invalid. '
                            "Reason: Dead-letter target ARN should be fully qualified ARN."),
    (redrive("arn:aws:sns:us-east-1:1:t"), INVALID, "*Reason: Only SQS queues are valid resources for deadLetterTargetArn."),
    (redrive("arn:aws:sqs:eu-west-1:ACCOUNT:dead"), INVALID, "*Reason: Dead-letter target must be in same region as the source."),
    (redrive("arn:aws:sqs:us-east-1:111111111111:dead"), INVALID, "*Reason: Dead-letter target owner should be same as the source."),
    (redrive("arn:aws:sqs:us-east-1:ACCOUNT:nowhere"), INVALID, "*Reason: Dead letter target does not exist."),
    (redrive("arn:aws:sqs:us-east-1:ACCOUNT:queue.fifo"), INVALID, "*Reason: Dead-letter queue must be same type of queue as the source."),
    # tags
    (on_queue("UntagQueue", TagKeys=[]), INVALID, "Tag keys must be between 1 and 128 characters in length."),
    (on_queue("TagQueue", Tags={"é" * 129: "v"}), INVALID, "Tag keys must be between 1 and 128 characters in length."),
    (on_queue("TagQueue", Tags={"k": "é" * 257}), INVALID, "Tag values must be between 0 and 256 characters in length."),
    (on_queue("TagQueue", Tags={"k#": "v"}), INVALID,
     "Tag keys may only contain unicode letters, digits, whitespace, or one of these symbols: _ . : / = + - @"),
    (on_queue("TagQueue", Tags={str(i): "v" for i in range(51)}), INVALID, "Too many tags added for queue queue."),
    # permissions
    (on_queue("AddPermission", Label="", AWSAccountIds=["111111111111"], Actions=["*"]), MISSING, "The request must contain the parameter Label."),
    (on_queue("AddPermission", Label="a b", AWSAccountIds=["111111111111"], Actions=["*"]), INVALID,
     "Label can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"),
    (on_queue("AddPermission", Label="l", AWSAccountIds=["111111111111"], Actions=["SendMessageBatch"]), INVALID,
     "Value SQS:SendMessageBatch for parameter ActionName is invalid. Reason: Please refer to the appropriate WSDL for a list of valid actions. "),
    (on_queue("RemovePermission", Label="l"), INVALID, "Value l for parameter Label is invalid. Reason: can't find label."),
    # messages
    (attribute(DataType="Fish", StringValue="v"), INVALID,
     "The type of message (user) attribute 'a' is invalid. You must use only the following supported type prefixes: Binary, Number, String."),
    (attribute(DataType="String", StringValue="v", BinaryValue="dg=="), INVALID, "Message (user) attribute 'a' must have a single value."),
    (attribute(DataType="String", StringValue="\u0001"), INVALID, "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | "
                                                                  "#x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF"),
    (attribute("a..b"), INVALID, "Message (user) attribute name must not have successive '.' characters."),
    (send(MessageDeduplicationId="d"), INVALID, "Value d for parameter MessageDeduplicationId is invalid. Reason: The request include parameter "
                                                "that is not valid for this queue type."),
    (send(MessageBody={}), MALFORMED, "Start of structure or map found where not expected."),
    (send(MessageBody=[]), MALFORMED, "Start of list found where not expected"),
    (send(MessageBody=1), MALFORMED, "NUMBER_VALUE can not be converted to a String"),
    (send(DelaySeconds="x"), MALFORMED, "STRING_VALUE can not be converted to an Integer"),
    (send(MessageAttributes="x"), MALFORMED, "Expected map or null"),
    (send(MessageAttributes={"a": "x"}), MALFORMED, "Expected null"),
    (on_queue("GetQueueAttributes", AttributeNames="All"), MALFORMED, "Expected list or null"),
    (on_queue("GetQueueAttributes", AttributeNames=[1]), MALFORMED, "NUMBER_VALUE can not be converted to a String"),
    (on_queue("SendMessageBatch", Entries=[1]), MALFORMED, "Expected null"),
    (("ListQueues", []), MALFORMED, "Start of list found where not expected"),
    (on_queue("ReceiveMessage", VisibilityTimeout=43201), INVALID,
     "Value 43201 for parameter VisibilityTimeout is invalid. Reason: Must be >= 0 and <= 43200, if provided."),
    (on_queue("ChangeMessageVisibility", ReceiptHandle="x", VisibilityTimeout=-1), INVALID,
     "Value -1 for parameter VisibilityTimeout is invalid. Reason: Must be between 0 and 43200."),
    (on_queue("ChangeMessageVisibility", ReceiptHandle="", VisibilityTimeout=1), MISSING, "The request must contain the parameter ReceiptHandle."),
    (on_queue("DeleteMessage", ReceiptHandle=""), MISSING, "The request must contain the parameter MessageHandle."),
    (on_queue("DeleteMessage"), MISSING, "The request must contain the parameter MessageHandle."),
    # batches
    (on_queue("SendMessageBatch", Entries=[{"Id": "a", "MessageBody": "m"}, {"MessageBody": "m"}]), MISSING,
     "The request must contain the parameter SendMessageBatchRequestEntry.2.Id."),
    (on_queue("DeleteMessageBatch", Entries=[{}]), MISSING, "The request must contain the parameter DeleteMessageBatchRequestEntry.1.Id."),
    (fifo_batch(MessageBody=""), INVALID, "The request must contain the parameter SendMessageBatchRequestEntry.2.MessageBody."),
    (fifo_batch(DelaySeconds=3), INVALID,
     "Value 3 for parameter DelaySeconds is invalid. Reason: The request include parameter that is not valid for this queue type."),
    (fifo_batch(MessageBody="m" * 1025), INVALID, "One or more parameters are invalid. Reason: Message must be shorter than 1024 bytes."),
    (fifo_batch(MessageAttributes={"a": {"DataType": "Fish", "StringValue": "v"}}), INVALID, "*type of message (user) attribute 'a' is invalid.*"),
    (fifo_batch(MessageAttributes={"a": {"DataType": "String", "StringListValues": ["v"]}}), FAILED_BATCH + "UnsupportedOperation",
     "Message attribute list values in SendMessage operation are not supported."),
    # move tasks
    (("StartMessageMoveTask", {"SourceArn": ""}), INVALID, ARN_FORM % "SourceArn"),
    (("ListMessageMoveTasks", {"SourceArn": "queue"}), INVALID, ARN_FORM % "SourceArn"),
    (("StartMessageMoveTask", {"SourceArn": "DEAD", "DestinationArn": ""}), INVALID, ARN_FORM % "DestinationArn"),
    (("StartMessageMoveTask", {"SourceArn": "DEAD", "DestinationArn": "DEAD"}), INVALID, "Source queue arn and destination queue arn cannot be the same."),
    (("StartMessageMoveTask", {"SourceArn": "DEAD", "DestinationArn": "arn:aws:sqs:us-east-1:ACCOUNT:queue.fifo"}), INVALID,
     "The source queue and destination queue must be of the same queue type."),
    *((("StartMessageMoveTask", {"SourceArn": "DEAD", "MaxNumberOfMessagesPerSecond": rate}), INVALID,
       "Value for parameter MaxNumberOfMessagesPerSecond is invalid. Reason: You must enter a number that's between 1 and 500.") for rate in (0, 501, -1)),
    (("ListMessageMoveTasks", {"SourceArn": "DEAD", "MaxResults": 11}), INVALID,
     "Value for parameter MaxResults is invalid. Reason: You must enter a number that's between 1 and 10."),
    (("CancelMessageMoveTask", {"TaskHandle": ""}), INVALID, "The TaskHandle parameter is required."),
]


def filled(value, places):
    if isinstance(value, str):
        return places.get(value, value.replace("ACCOUNT", places["ACCOUNT"]))
    if isinstance(value, dict):
        return {key: filled(item, places) for key, item in value.items()}
    return [filled(item, places) for item in value] if isinstance(value, list) else value


@pytest.fixture
def places(aws):
    sqs = aws.sqs
    sqs.create_queue(QueueName="dead")
    policy = json.dumps({"deadLetterTargetArn": arn(aws, "dead"), "maxReceiveCount": 2})
    return {"QUEUE": sqs.create_queue(QueueName="queue")["QueueUrl"], "ACCOUNT": aws.account, "DEAD": arn(aws, "dead"),
            "FIFO": sqs.create_queue(QueueName="queue.fifo", Attributes={**FIFO, "MaximumMessageSize": "1024"})["QueueUrl"],
            "SOURCE": sqs.create_queue(QueueName="source", Attributes={"RedrivePolicy": policy})["QueueUrl"]}


@pytest.mark.parametrize("call, code, message", ROWS, ids=lambda part: part[0] if isinstance(part, tuple) else None)
def test_the_words_of_a_refusal(aws, places, call, code, message):
    operation, body = call
    status, answer, headers = raw_json(aws, operation, filled(body, places))
    assert status == (403 if code == "OverLimit" else 400), answer
    assert headers["x-amzn-query-error"] == code + ";Sender"
    if "*" in (message[0], message[-1]):
        assert message.strip("*") in answer["message"]
    else:
        assert answer["message"] == message
    assert aws.sqs.get_queue_attributes(QueueUrl=places["FIFO"], AttributeNames=["All"])["Attributes"]["ApproximateNumberOfMessages"] == "0"


@pytest.mark.parametrize("operation, entry, code, message", [
    ("SendMessageBatch", {}, MISSING, "The request must contain the parameter SendMessageBatchRequestEntry.1.MessageBody."),
    ("SendMessageBatch", {"MessageBody": "m", "MessageAttributes": {"a": {"DataType": "String", "StringListValues": ["v"]}}},
     FAILED_BATCH + "UnsupportedOperation", "Message attribute list values in SendMessage operation are not supported."),
    ("SendMessageBatch", {"MessageBody": "m", "MessageDeduplicationId": "d"}, INVALID,
     "The request include parameter that is not valid for this queue type"),  # aws-sdk-js, issue 3187
    ("DeleteMessageBatch", {}, MISSING, "The request must contain the parameter ReceiptHandle."),
    ("DeleteMessageBatch", {"ReceiptHandle": ""}, MISSING, "The request must contain the parameter ReceiptHandle."),
    ("ChangeMessageVisibilityBatch", {"VisibilityTimeout": 1}, MISSING, "The request must contain the parameter ReceiptHandle."),
    ("ChangeMessageVisibilityBatch", {"ReceiptHandle": "x"}, MISSING,
     "The request must contain the parameter ChangeMessageVisibilityBatchRequestEntry.1.VisibilityTimeout."),
    ("ChangeMessageVisibilityBatch", {"ReceiptHandle": "x", "VisibilityTimeout": -85}, INVALID,
     "Value -85 for parameter VisibilityTimeout is invalid. Reason: VisibilityTimeout must be an integer between 0 and 43200."),
])
def test_an_entry_of_a_batch_fails_alone(aws, places, operation, entry, code, message):
    status, answer, _ = raw_json(aws, operation, {"QueueUrl": places["QUEUE"], "Entries": [{"Id": "e", **entry}]})
    assert (status, answer) == (200, {"Failed": [{"Id": "e", "SenderFault": True, "Code": code, "Message": message}]})


def test_a_label_that_an_existing_policy_lacks(aws, places):
    for i in range(20):
        aws.sqs.add_permission(QueueUrl=places["QUEUE"], Label=f"l{i}", AWSAccountIds=["111111111111"], Actions=["SendMessage"])
    _, answer, _ = raw_json(aws, "RemovePermission", {"QueueUrl": places["QUEUE"], "Label": "other"})
    assert answer["message"] == "Value other for parameter Label is invalid. Reason: can't find label on existing policy."
    _, answer, _ = raw_json(aws, "AddPermission", {"QueueUrl": places["QUEUE"], "Label": "l20", "AWSAccountIds": ["111111111111"],
                                                   "Actions": ["SendMessage"]})
    assert answer["message"] == "21 Statements were found, maximum allowed is 20."


def test_a_reuse_period_shows_without_a_key_when_it_is_not_the_usual_one(aws, places):
    def shown():
        return aws.sqs.get_queue_attributes(QueueUrl=places["QUEUE"], AttributeNames=["All"])["Attributes"].get("KmsDataKeyReusePeriodSeconds")
    assert shown() is None
    aws.sqs.set_queue_attributes(QueueUrl=places["QUEUE"], Attributes={"KmsDataKeyReusePeriodSeconds": "600"})
    assert shown() == "600"
    aws.sqs.set_queue_attributes(QueueUrl=places["QUEUE"], Attributes={"KmsDataKeyReusePeriodSeconds": "300"})
    assert shown() is None


def test_no_move_tasks_are_an_empty_list(aws, places):
    assert raw_json(aws, "ListMessageMoveTasks", {"SourceArn": places["DEAD"]})[1] == {"Results": []}


@pytest.mark.parametrize("actions", ["*", "sqs:*", "SQS:Get*", "SQS:sendmessage", ["sqs:DeleteQueue", "sqs:SetQueueAttributes"], "s3:GetObject"])
def test_a_policy_may_name_any_action_there_is(aws, places, actions):
    for key in "Action", "NotAction":
        document = {"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Principal": "*", key: actions, "Resource": "*"}}
        _, body = on_queue("SetQueueAttributes", Attributes={"Policy": json.dumps(document)})
        assert raw_json(aws, "SetQueueAttributes", filled(body, places))[0] == 200


def test_a_policy_without_version_gets_the_old_one(aws, places):
    statement = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"}
    for document, stored in ({"Statement": [statement]}, {"Version": "2008-10-17", "Statement": [statement]}), ({"Version": "2012-10-17", "Statement": statement},) * 2:
        text = "  " + json.dumps(document)
        aws.sqs.set_queue_attributes(QueueUrl=places["QUEUE"], Attributes={"Policy": text})
        shown = aws.sqs.get_queue_attributes(QueueUrl=places["QUEUE"], AttributeNames=["Policy"])["Attributes"]["Policy"]
        assert json.loads(shown) == stored and (shown == text) == (document == stored)
    same = aws.sqs.create_queue(QueueName="unversioned", Attributes={"Policy": json.dumps({"Statement": [statement]})})
    assert same["QueueUrl"] == aws.sqs.create_queue(QueueName="unversioned", Attributes={"Policy": json.dumps({"Statement": [statement]})})["QueueUrl"]
