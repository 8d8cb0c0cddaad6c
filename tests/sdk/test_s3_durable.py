"""What S3 keeps over a crash and a restart besides objects: access logs that were not delivered, the order of events."""
import json

import pytest

from conftest import Clients
from harness import Server

ACCOUNT = "111122223333"
GROUP = "http://acs.amazonaws.com/groups/global/AllUsers"


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "data"


def serve(folder):
    return Server("--no-pipeline", data_dir=folder)


def test_access_log_lines_outlive_a_crash_and_have_the_grants_asked_for(folder):
    with serve(folder) as server:
        s3 = Clients(server.endpoint, ACCOUNT).s3
        for name in ("source", "logs"):
            s3.create_bucket(Bucket=name)
        s3.put_bucket_logging(Bucket="source", BucketLoggingStatus={"LoggingEnabled": {
            "TargetBucket": "logs", "TargetPrefix": "l/",
            "TargetGrants": [{"Grantee": {"Type": "Group", "URI": GROUP}, "Permission": "READ"}]}})
        s3.put_object(Bucket="source", Key="written", Body=b"x")
        s3.get_object(Bucket="source", Key="written")["Body"].read()
        server.kill()
        server.start()
        assert server.json("POST", "/_headrace/clock", {"advance": "6m"})[0] == 200
        s3 = Clients(server.endpoint, ACCOUNT).s3
        keys = [entry["Key"] for entry in s3.list_objects_v2(Bucket="logs", Prefix="l/")["Contents"]]
        lines = s3.get_object(Bucket="logs", Key=keys[0])["Body"].read().decode().splitlines()
        assert [line.split()[7] for line in lines if " written " in line] == ["REST.PUT.OBJECT", "REST.GET.OBJECT"]
        grants = s3.get_object_acl(Bucket="logs", Key=keys[0])["Grants"]
        assert {(g["Grantee"]["Type"], g["Permission"]) for g in grants} == {
            ("Group", "READ"), ("CanonicalUser", "FULL_CONTROL")}


def test_the_sequencer_of_a_key_grows_over_a_restart_and_a_clock_set_back(folder):
    def sequencers(server):
        clients = Clients(server.endpoint, ACCOUNT)
        for _ in range(2):
            clients.s3.put_object(Bucket="source", Key="k", Body=b"x")
        url = clients.sqs.get_queue_url(QueueName="q")["QueueUrl"]
        got = clients.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
        for message in got:
            clients.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        records = [json.loads(message["Body"]).get("Records") for message in got]
        return [record[0]["s3"]["object"]["sequencer"] for record in records if record]

    with serve(folder) as server:
        clients = Clients(server.endpoint, ACCOUNT)
        clients.s3.create_bucket(Bucket="source")
        clients.sqs.create_queue(QueueName="q")
        clients.s3.put_bucket_notification_configuration(Bucket="source", NotificationConfiguration={
            "QueueConfigurations": [{"QueueArn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:q", "Events": ["s3:ObjectCreated:*"]}]})
        assert server.json("POST", "/_headrace/clock", {"advance": "90d"})[0] == 200
        first = sequencers(server)
        server.kill()
        server.start()
        second = sequencers(server)  # the clock is the real one again
    seen = [int(value, 16) for value in first + second]
    assert len(seen) == 4 and seen == sorted(set(seen))
