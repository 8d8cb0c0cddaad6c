"""S3 tells SQS: notifications as a program sees them."""
import json
import urllib.parse

import pytest


@pytest.fixture
def target(aws, queue):
    return aws.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def configure(aws, bucket, arn, events=("s3:ObjectCreated:*",), **filters):
    rules = [{"Name": name, "Value": value} for name, value in filters.items()]
    queue = {"QueueArn": arn, "Events": list(events)}
    if rules:
        queue["Filter"] = {"Key": {"FilterRules": rules}}
    aws.s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={"QueueConfigurations": [queue]})


def events(aws, queue):
    got = []
    while True:
        messages = aws.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
        if not messages:
            return got
        for message in messages:
            body = json.loads(message["Body"])
            got += body.get("Records", [body])
            aws.sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])


def test_the_test_event_comes_first_and_every_put_is_told_at_once(aws, bucket, queue, target):
    configure(aws, bucket, target)
    (test,) = events(aws, queue)
    assert test["Event"] == "s3:TestEvent" and test["Bucket"] == bucket and test["Service"] == "Amazon S3"
    put = aws.s3.put_object(Bucket=bucket, Key="in/a b+ü.txt", Body=b"hello")
    (record,) = events(aws, queue)
    assert record["eventName"] == "ObjectCreated:Put" and record["eventSource"] == "aws:s3"
    assert record["awsRegion"] == "us-east-1" and record["eventVersion"] == "2.1"
    assert record["s3"]["bucket"]["name"] == bucket and record["s3"]["bucket"]["arn"] == "arn:aws:s3:::" + bucket
    thing = record["s3"]["object"]
    assert urllib.parse.unquote_plus(thing["key"]) == "in/a b+ü.txt" and thing["key"] == "in/a+b%2B%C3%BC.txt"
    assert thing["size"] == 5 and '"%s"' % thing["eTag"] == put["ETag"] and "versionId" not in thing
    assert record["responseElements"]["x-amz-request-id"] == put["ResponseMetadata"]["RequestId"]


def test_a_write_succeeds_though_its_event_is_too_long_for_the_queue(aws, bucket, queue, target):
    configure(aws, bucket, target)
    events(aws, queue)
    aws.sqs.set_queue_attributes(QueueUrl=queue, Attributes={"MaximumMessageSize": "1024"})
    key = "k" * 900
    aws.s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    assert aws.s3.get_object(Bucket=bucket, Key=key)["Body"].read() == b"x"
    assert list(events(aws, queue)) == []
    aws.s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    assert [e["s3"]["object"]["key"] for e in events(aws, queue)] == ["k"]


def test_delete_objects_tells_of_keys_that_are_not_there(aws, bucket, queue, target):
    configure(aws, bucket, target, events=("s3:ObjectRemoved:*",))
    events(aws, queue)
    aws.s3.delete_object(Bucket=bucket, Key="none")
    assert list(events(aws, queue)) == []
    aws.s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "none"}]})
    (record,) = events(aws, queue)
    assert record["eventName"] == "ObjectRemoved:Delete" and record["s3"]["object"]["key"] == "none"


def test_filters_choose_by_prefix_and_suffix(aws, bucket, queue, target):
    configure(aws, bucket, target, prefix="incoming/", suffix=".txt")
    events(aws, queue)
    for key in ("incoming/a.txt", "incoming/a.csv", "other/a.txt", "incoming/deep/b.txt"):
        aws.s3.put_object(Bucket=bucket, Key=key, Body=b"")
    assert [r["s3"]["object"]["key"] for r in events(aws, queue)] == ["incoming/a.txt", "incoming/deep/b.txt"]


def test_copy_multipart_and_delete_have_their_own_names(aws, bucket, queue, target):
    configure(aws, bucket, target, events=("s3:ObjectCreated:*", "s3:ObjectRemoved:*"))
    events(aws, queue)
    aws.s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    aws.s3.copy_object(Bucket=bucket, Key="c", CopySource=f"{bucket}/k")
    upload = aws.s3.create_multipart_upload(Bucket=bucket, Key="m")["UploadId"]
    tag = aws.s3.upload_part(Bucket=bucket, Key="m", UploadId=upload, PartNumber=1, Body=b"p")["ETag"]
    aws.s3.complete_multipart_upload(Bucket=bucket, Key="m", UploadId=upload,
                                     MultipartUpload={"Parts": [{"ETag": tag, "PartNumber": 1}]})
    aws.s3.delete_object(Bucket=bucket, Key="k")
    got = events(aws, queue)
    assert [r["eventName"] for r in got] == ["ObjectCreated:Put", "ObjectCreated:Copy",
                                             "ObjectCreated:CompleteMultipartUpload", "ObjectRemoved:Delete"]
    assert "size" not in got[3]["s3"]["object"]
    order = [r["s3"]["object"]["sequencer"] for r in got]
    assert order == sorted(order)


# The event is in botocore's model; what it tells is in the event library of AWS's SDK for Java (ObjectRetentionEventData).
def test_a_retention_is_told_with_its_mode_and_date(aws, queue, target):
    bucket = f"retained-{aws.account}"
    aws.s3.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)
    version = aws.s3.put_object(Bucket=bucket, Key="k", Body=b"12345")["VersionId"]
    configure(aws, bucket, target, events=("s3:ObjectRetention:Put", "s3:ObjectAnnotation:*"))
    events(aws, queue)
    aws.s3.put_object_retention(Bucket=bucket, Key="k", Retention={"Mode": "GOVERNANCE", "RetainUntilDate": "2050-01-02T03:04:05Z"})
    (record,) = events(aws, queue)
    assert (record["eventName"], record["eventVersion"]) == ("ObjectRetention:Put", "2.5")
    assert record["objectRetentionEventData"] == {"mode": "GOVERNANCE", "retainUntilDate": "2050-01-02T03:04:05.000Z"}
    thing = record["s3"]["object"]
    assert (thing["key"], thing["size"], thing["versionId"]) == ("k", 5, version) and thing["eTag"] and thing["sequencer"]
    aws.s3.put_object_retention(Bucket=bucket, Key="k", Retention={}, BypassGovernanceRetention=True)
    (record,) = events(aws, queue)
    assert record["eventName"] == "ObjectRetention:Put" and "objectRetentionEventData" not in record
    aws.s3.put_object_legal_hold(Bucket=bucket, Key="k", LegalHold={"Status": "OFF"})
    assert events(aws, queue) == []


def test_a_missing_queue_is_refused_when_configuring(aws, bucket, refused):
    with refused("InvalidArgument", 400) as answer:
        configure(aws, bucket, f"arn:aws:sqs:us-east-1:{aws.account}:none")
    assert answer.message == "Unable to validate the following destination configurations"
    assert "QueueConfigurations" not in aws.s3.get_bucket_notification_configuration(Bucket=bucket)


def test_a_configuration_comes_back_and_an_empty_one_ends_it(aws, bucket, queue, target):
    configure(aws, bucket, target, prefix="a/")
    (got,) = aws.s3.get_bucket_notification_configuration(Bucket=bucket)["QueueConfigurations"]
    assert got["QueueArn"] == target and got["Events"] == ["s3:ObjectCreated:*"] and got["Id"]
    assert [(r["Name"].lower(), r["Value"]) for r in got["Filter"]["Key"]["FilterRules"]] == [("prefix", "a/")]
    events(aws, queue)
    aws.s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={})
    aws.s3.put_object(Bucket=bucket, Key="a/x", Body=b"")
    assert events(aws, queue) == []
