"""/metrics as Prometheus reads it, and `headrace status`."""
import json
import urllib.request

import pytest
from botocore.exceptions import ClientError
from prometheus_client.parser import text_string_to_metric_families

from conftest import Clients
from harness import Server


@pytest.fixture
def server():
    with Server("--workers", "2", "--clock", "frozen=2026-01-01T00:00:00Z") as server:
        yield server


def scrape(server):
    with urllib.request.urlopen(server.endpoint + "/metrics", timeout=20) as answer:
        assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        text = answer.read().decode()
    return text, {family.name: family for family in text_string_to_metric_families(text)}


def value(families, family, name, **labels):
    (found,) = [s.value for s in families[family].samples if s.name == "headrace_" + name and s.labels == labels]
    return found


def test_every_family_has_its_head_and_histograms_are_cumulative(server):
    clients = Clients(server.endpoint, "test")
    for n in range(3):
        clients.s3.put_object(Bucket="dropzone", Key=f"incoming/{n}.txt", Body=b"one two")
    text, families = scrape(server)
    for name, family in families.items():
        assert family.type in ("counter", "gauge", "histogram") and family.documentation, name
        assert text.count(f"# TYPE {name}{'_total' if family.type == 'counter' else ''} ") == 1
        rows = {}
        for sample in family.samples if family.type == "histogram" else ():
            labels = {k: v for k, v in sample.labels.items() if k != "le"}
            rows.setdefault(json.dumps(labels), []).append(sample)
        for samples in rows.values():
            buckets = [s.value for s in samples if s.name.endswith("_bucket")]
            (count,) = [s.value for s in samples if s.name.endswith("_count")]
            assert buckets == sorted(buckets) and buckets[-1] == count
            assert [s.labels["le"] for s in samples if "le" in s.labels][-1] == "+Inf"


def test_requests_jobs_commits_and_workers_are_counted(server):
    clients = Clients(server.endpoint, "test")
    clients.s3.put_object(Bucket="dropzone", Key="incoming/a.txt", Body=b"one two")
    with pytest.raises(ClientError):
        clients.s3.get_object(Bucket="dropzone", Key="none")
    clients.sqs.receive_message(QueueUrl=clients.sqs.get_queue_url(QueueName="jobs-dlq")["QueueUrl"])
    _, families = scrape(server)
    for code, operation in (("", "PutObject"), ("NoSuchKey", "GetObject")):
        assert value(families, "headrace_requests", "requests_total", service="s3", operation=operation, code=code) == 1
    assert value(families, "headrace_empty_receives", "empty_receives_total", service="sqs",
                 operation="ReceiveMessage") == 1
    for stage in ("ingest", "worker"):
        assert value(families, "headrace_jobs", "jobs_total", stage=stage, result="done") == 1
        assert value(families, "headrace_workers", "workers", stage=stage, state="busy") == 0
    assert value(families, "headrace_workers", "workers", stage="worker", state="idle") == 2
    assert value(families, "headrace_commit_seconds", "commit_seconds_count") >= 1
    assert value(families, "headrace_commit_requests", "commit_requests_sum") >= 1


def test_a_job_that_fails_or_is_killed_is_counted_as_such(server):
    clients = Clients(server.endpoint, "test")
    rule = {"service": "worker", "operation": "ProcessJob", "next": 1, "effect": "kill-worker"}
    assert server.json("POST", "/_headrace/faults", rule)[0] == 201
    clients.s3.put_object(Bucket="dropzone", Key="incoming/a.txt", Body=b"one two")
    clients.sqs.send_message(QueueUrl=clients.sqs.get_queue_url(QueueName="jobs-queue")["QueueUrl"], MessageBody=json.dumps(
        {"bucket": "none", "key": "none", "traceId": "t", "outputBucket": "processed", "outputKey": "none.json",
         "etag": "e", "size": 1, "jobId": "j", "createdAt": "2026-01-01T00:00:00Z"}))
    server.json("POST", "/_headrace/clock", {"advance": "1s"})
    _, families = scrape(server)
    assert value(families, "headrace_jobs", "jobs_total", stage="worker", result="killed") == 1
    assert value(families, "headrace_jobs", "jobs_total", stage="worker", result="failed") == 1


def test_the_age_of_the_oldest_message_is_virtual_and_ends_with_it(server):
    sqs = Clients(server.endpoint, "test").sqs
    url = sqs.create_queue(QueueName="ages")["QueueUrl"]

    def age():
        return value(scrape(server)[1], "headrace_queue_oldest_message_age_seconds", "queue_oldest_message_age_seconds",
                     account="000000000000", region="us-east-1", queue="ages")

    assert age() == 0
    sqs.send_message(QueueUrl=url, MessageBody="first")
    server.json("POST", "/_headrace/clock", {"advance": "90s"})
    sqs.send_message(QueueUrl=url, MessageBody="second")
    server.json("POST", "/_headrace/clock", {"advance": "10s"})
    assert age() == 100
    message = sqs.receive_message(QueueUrl=url)["Messages"][0]  # in flight, it is still there
    assert age() == 100
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    assert age() == 10


def test_labels_that_come_from_clients_are_escaped(server):
    rule = {"operation": "ListQueues", "effect": "error", "code": "Strange", "next": 1}
    server.json("POST", "/_headrace/faults", rule)
    scope = 'Credential=AK/20260101/mo"on\\1/sqs/aws4_request'
    request = urllib.request.Request(server.endpoint + "/", data=b'{"QueueName":"q"}', headers={
        "Authorization": f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0",
        "X-Amz-Target": "AmazonSQS.CreateQueue", "Content-Type": "application/x-amz-json-1.0"})
    urllib.request.urlopen(request, timeout=20).read()
    _, families = scrape(server)
    regions = {s.labels["region"] for s in families["headrace_queue_messages"].samples}
    assert regions == {"us-east-1", 'mo"on\\1'}


def test_status_shows_queues_workers_and_rates(server):
    clients = Clients(server.endpoint, "test")
    clients.s3.put_object(Bucket="dropzone", Key="incoming/a.txt", Body=b"one two")
    server.json("POST", "/_headrace/clock", {"advance": "3h"})
    status = server.json("GET", "/_headrace/status")[1]
    assert {b["name"]: b["versions"] for b in status["buckets"]} == {"dropzone": 1, "processed": 1}
    (results,) = [q for q in status["queues"] if q["name"] == "results-queue"]
    assert (results["visible"], results["oldestAgeMs"]) == (1, 3 * 3600 * 1000)
    assert [(w["stage"], w["slots"], w["busy"], w["done"]) for w in status["workers"]] == [
        ("ingest", 1, 0, 1), ("worker", 2, 0, 1)]
    assert all("perSecond" in o for o in status["operations"])
    with urllib.request.urlopen(server.endpoint + "/_headrace/status?format=text", timeout=20) as answer:
        text = answer.read().decode()
    for word in ("BUCKETS", "QUEUES", "WORKERS", "REQUESTS", "a second", "3 h", "frozen"):
        assert word in text
    assert max(map(len, text.splitlines())) <= 80
