"""What tests do to the state: reset, leaks, snapshots, fault rules, the trace and the clock, from a client's side."""
import json
import pathlib
import threading
import time
import urllib.error
import urllib.request

import pytest
from botocore.exceptions import ClientError

from conftest import Clients
from harness import Server


@pytest.fixture(scope="module")
def endpoint():
    """A server of this file's own: a snapshot brings back everybody's state."""
    with Server("--no-pipeline") as server:
        yield server.endpoint


@pytest.fixture
def s3(endpoint, account):
    return Clients(endpoint, account).s3


@pytest.fixture
def sqs(endpoint, account):
    return Clients(endpoint, account).sqs


def call(server, method, path, body=None):
    data = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
    request = urllib.request.Request(server + path, data=data, method=method)
    with urllib.request.urlopen(request, timeout=20) as answer:
        text = answer.read()
        return json.loads(text) if answer.headers.get("Content-Type") == "application/json" else text


@pytest.fixture
def faults(endpoint):
    yield lambda rule: call(endpoint, "POST", "/_headrace/faults", rule)
    call(endpoint, "DELETE", "/_headrace/faults")


def test_leaks_name_what_an_account_left_and_reset_removes_it(endpoint, s3, sqs, account):
    s3.create_bucket(Bucket="leak-" + account)
    s3.put_object(Bucket="leak-" + account, Key="k", Body=b"x" * 100_000)
    sqs.create_queue(QueueName="leak")
    assert call(endpoint, "GET", "/_headrace/leaks?account=" + account)["leaks"] == 2
    call(endpoint, "POST", "/_headrace/reset", {"account": account})
    assert call(endpoint, "GET", "/_headrace/leaks?account=" + account)["leaks"] == 0


def test_a_reset_with_an_unknown_member_is_refused(endpoint):
    with pytest.raises(urllib.error.HTTPError) as refused:
        call(endpoint, "POST", "/_headrace/reset", {"acount": "111122223333"})
    assert refused.value.code == 400


def test_a_snapshot_brings_back_objects_small_and_large_and_messages(endpoint, s3, sqs, account):
    bucket, large = "snap-" + account, bytes(range(256)) * 2000
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="small", Body=b"small")
    s3.put_object(Bucket=bucket, Key="large", Body=large)
    queue = sqs.create_queue(QueueName="snap")["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody="kept")
    name = "snap" + account
    assert call(endpoint, "POST", "/_headrace/snapshots/" + name)["bytes"] > len(large)
    s3.put_object(Bucket=bucket, Key="large", Body=b"other" * 50_000)
    s3.delete_object(Bucket=bucket, Key="small")
    sqs.purge_queue(QueueUrl=queue)
    call(endpoint, "POST", f"/_headrace/snapshots/{name}/load")
    assert s3.get_object(Bucket=bucket, Key="small")["Body"].read() == b"small"
    assert s3.get_object(Bucket=bucket, Key="large")["Body"].read() == large
    assert sqs.receive_message(QueueUrl=queue)["Messages"][0]["Body"] == "kept"
    s3.put_object(Bucket=bucket, Key="after", Body=b"z" * 100_000)
    assert s3.get_object(Bucket=bucket, Key="large")["Body"].read() == large
    data = call(endpoint, "GET", "/_headrace/snapshots/" + name)
    call(endpoint, "DELETE", "/_headrace/snapshots/" + name)
    call(endpoint, "PUT", "/_headrace/snapshots/" + name, data)
    call(endpoint, "POST", f"/_headrace/snapshots/{name}/load")
    assert "after" not in [o["Key"] for o in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    call(endpoint, "DELETE", "/_headrace/snapshots/" + name)


def test_a_snapshot_knows_which_keys_are_hidden(endpoint, s3, account):
    bucket, name = "hidden-" + account, "hidden" + account
    s3.create_bucket(Bucket=bucket)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    keys = [f"k{i:02}" for i in range(30)]
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    hidden = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key} for key in keys[1:29]]})["Deleted"]

    def listed():
        return [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]]

    call(endpoint, "POST", "/_headrace/snapshots/" + name)
    s3.delete_objects(Bucket=bucket, Delete={"Objects": [
        {"Key": one["Key"], "VersionId": one["DeleteMarkerVersionId"]} for one in hidden]})
    assert listed() == keys
    call(endpoint, "POST", f"/_headrace/snapshots/{name}/load")
    assert listed() == [keys[0], keys[29]]
    s3.put_object(Bucket=bucket, Key=keys[15], Body=b"x")
    assert listed() == [keys[0], keys[15], keys[29]]
    call(endpoint, "DELETE", "/_headrace/snapshots/" + name)


@pytest.mark.parametrize("flags", [("--ephemeral",), ()])
def test_a_snapshot_saved_under_load_is_of_one_instant(tmp_path, flags):
    """Each object's body is the number of its key's last put; a writer counts up all the time, through two keys in turn."""
    with Server("--no-pipeline", data_dir=None if flags else tmp_path) as server:
        s3 = Clients(server.endpoint, "test").s3
        s3.create_bucket(Bucket="bucket")
        filler = bytes(range(256)) * 400
        for n in range(60):
            s3.put_object(Bucket="bucket", Key=f"filler/{n}", Body=filler)
        written = [0]
        ended = threading.Event()

        def put(client):
            written[0] += 1
            for key in ("a", "b"):
                client.put_object(Bucket="bucket", Key=key, Body=str(written[0]).encode() + b"." * 100_000)

        def write():
            own = Clients(server.endpoint, "test").s3
            while not ended.is_set():
                put(own)

        put(s3)
        writer = threading.Thread(target=write)
        writer.start()
        states = []
        for n in range(4):
            least = written[0] - 1
            call(server.endpoint, "POST", f"/_headrace/snapshots/s{n}")
            states.append((least, written[0]))
        ended.set()
        writer.join()
        for n, (least, most) in enumerate(states):
            call(server.endpoint, "POST", f"/_headrace/snapshots/s{n}/load")
            a, b = (int(s3.get_object(Bucket="bucket", Key=k)["Body"].read().rstrip(b".")) for k in ("a", "b"))
            assert b in (a, a - 1) and least <= b <= most
            assert s3.get_object(Bucket="bucket", Key="filler/59")["Body"].read() == filler
        listed = call(server.endpoint, "GET", "/_headrace/snapshots")["snapshots"]
        assert sorted(s["name"] for s in listed) == ["s0", "s1", "s2", "s3"]
        if not flags:
            (tmp_path / "snapshots/.s0.left").touch()  # as a killed process leaves it
            call(server.endpoint, "POST", "/_headrace/snapshots/s0")
            assert sorted(f.name for f in (tmp_path / "snapshots").iterdir()) == ["s0", "s1", "s2", "s3"]


def test_a_file_that_is_no_snapshot_changes_nothing(endpoint, s3, account):
    s3.create_bucket(Bucket="stays-" + account)
    call(endpoint, "PUT", "/_headrace/snapshots/broken" + account, b"not a database" * 100)
    with pytest.raises(urllib.error.HTTPError) as refused:
        call(endpoint, "POST", f"/_headrace/snapshots/broken{account}/load")
    assert refused.value.code == 409
    s3.head_bucket(Bucket="stays-" + account)
    call(endpoint, "DELETE", "/_headrace/snapshots/broken" + account)


def test_a_snapshot_that_cannot_be_read_to_its_end_changes_nothing(endpoint, s3, account):
    s3.create_bucket(Bucket="stays-" + account)
    s3.put_object(Bucket="stays-" + account, Key="k", Body=b"\xa7" * 1000000)
    call(endpoint, "POST", "/_headrace/snapshots/torn" + account)
    file = bytearray(call(endpoint, "GET", "/_headrace/snapshots/torn" + account))
    file[60:64] = bytes(4)  # no sum: made by hand
    page = int.from_bytes(file[16:18], "big") or 65536
    full = b"\xa7" * (page - 4)
    torn = [at for at in range(page, len(file), page) if file[at + 4 : at + page] == full][50]
    file[torn : torn + 4] = b"\xff" * 4  # the number of the next page of this body
    call(endpoint, "DELETE", "/_headrace/snapshots/torn" + account)
    call(endpoint, "PUT", "/_headrace/snapshots/torn" + account, bytes(file))
    s3.put_object(Bucket="stays-" + account, Key="later", Body=b"")
    with pytest.raises(urllib.error.HTTPError) as refused:
        call(endpoint, "POST", f"/_headrace/snapshots/torn{account}/load")
    assert refused.value.code in (409, 500)
    s3.head_object(Bucket="stays-" + account, Key="later")
    call(endpoint, "DELETE", "/_headrace/snapshots/torn" + account)


@pytest.mark.parametrize("name", ["..", ".hidden", "a%2Fb", "a" * 65])
def test_a_snapshots_name_names_no_other_place(endpoint, name):
    with pytest.raises(urllib.error.HTTPError) as refused:
        call(endpoint, "POST", "/_headrace/snapshots/" + name)
    assert refused.value.code in (400, 404)


def test_the_third_receive_fails_with_the_error_that_was_ordered(endpoint, sqs, account, faults):
    queue = sqs.create_queue(QueueName="third")["QueueUrl"]
    faults({"service": "sqs", "operation": "ReceiveMessage", "account": account, "nth": 3,
            "effect": "error", "code": "OverLimit", "status": 403})
    outcomes = []
    for _ in range(4):
        try:
            sqs.receive_message(QueueUrl=queue)
            outcomes.append("ok")
        except ClientError as error:
            outcomes.append(error.response["Error"]["Code"])
    assert outcomes == ["ok", "ok", "OverLimit", "ok"]


def test_a_duplicate_delivery_has_one_message_id(sqs, account, faults):
    queue = sqs.create_queue(QueueName="twice")["QueueUrl"]
    faults({"operation": "SendMessage", "account": account, "next": 1, "effect": "duplicate"})
    sent = sqs.send_message(QueueUrl=queue, MessageBody="m")["MessageId"]
    got = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    assert [m["MessageId"] for m in got] == [sent, sent]


def test_reordered_delivery_gives_the_newest_first(sqs, account, faults):
    queue = sqs.create_queue(QueueName="order")["QueueUrl"]
    for body in "abc":
        sqs.send_message(QueueUrl=queue, MessageBody=body)
    faults({"operation": "ReceiveMessage", "account": account, "next": 1, "effect": "reorder"})
    assert sqs.receive_message(QueueUrl=queue)["Messages"][0]["Body"] == "c"
    assert sqs.receive_message(QueueUrl=queue)["Messages"][0]["Body"] == "a"


def test_a_lost_delete_is_acknowledged_and_the_message_returns(sqs, account, faults):
    queue = sqs.create_queue(QueueName="undead")["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody="m")
    handle = sqs.receive_message(QueueUrl=queue, VisibilityTimeout=0)["Messages"][0]["ReceiptHandle"]
    faults({"operation": "DeleteMessage", "account": account, "next": 1, "effect": "lose-delete"})
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=handle)
    assert sqs.receive_message(QueueUrl=queue)["Messages"][0]["Body"] == "m"


def test_latency_is_waited_for(sqs, account, faults):
    faults({"operation": "ListQueues", "account": account, "next": 1, "effect": "latency", "delay": "300ms"})
    began = time.monotonic()
    sqs.list_queues()
    assert time.monotonic() - began >= 0.3


@pytest.mark.parametrize("at", ["before", "within", "after"])
def test_a_connection_is_cut(endpoint, s3, account, faults, at):
    bucket = "cut-" + account
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="k", Body=b"x" * 1000)
    faults({"operation": "GetObject", "bucket": bucket, "next": 10, "effect": "cut", "at": at})
    with pytest.raises(Exception):
        s3.get_object(Bucket=bucket, Key="k")["Body"].read()


def test_a_trace_tells_why_nothing_happened(endpoint, s3, sqs, account):
    bucket = "why-" + account
    s3.create_bucket(Bucket=bucket)
    queue = sqs.create_queue(QueueName="why")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]

    def reasons(key):
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
        events = call(endpoint, "GET", f"/_headrace/trace?target=s3://{bucket}/{key}")["events"]
        return [e.get("reason") for e in events if e["kind"] == "nothing"]

    assert reasons("none.txt") == ["no_rule"]
    rule = {"QueueArn": arn, "Events": ["s3:ObjectCreated:*"],
            "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "in/"}, {"Name": "suffix", "Value": ".txt"}]}}}
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={"QueueConfigurations": [rule]})
    assert reasons("out/a.txt") == ["prefix"]
    assert reasons("in/a.jpg") == ["suffix"]
    assert reasons("in/a.txt") == []
    sqs.delete_queue(QueueUrl=queue)
    assert reasons("in/b.txt") == ["queue_missing"]


def test_twelve_hours_of_visibility_four_redeliveries_and_the_dlq_take_milliseconds(endpoint, sqs, account):
    dlq = sqs.create_queue(QueueName="dead")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dlq, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    queue = sqs.create_queue(QueueName="slow", Attributes={
        "VisibilityTimeout": "43200", "MessageRetentionPeriod": "1209600",
        "RedrivePolicy": json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 4})})["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody="m")
    for attempt in range(4):
        assert sqs.receive_message(QueueUrl=queue)["Messages"][0]["Body"] == "m"
        assert "Messages" not in sqs.receive_message(QueueUrl=queue)
        call(endpoint, "POST", "/_headrace/clock", {"advance": "12h"})
    assert "Messages" not in sqs.receive_message(QueueUrl=queue)
    assert sqs.receive_message(QueueUrl=dlq)["Messages"][0]["Body"] == "m"
    call(endpoint, "POST", "/_headrace/clock", {"real": True})


def test_a_moved_clock_answers_with_what_happened_on_the_way(endpoint, sqs, account):
    queue = sqs.create_queue(QueueName="told", Attributes={"VisibilityTimeout": "30"})["QueueUrl"]
    message = sqs.send_message(QueueUrl=queue, MessageBody="m")["MessageId"]
    sqs.receive_message(QueueUrl=queue)
    start = call(endpoint, "POST", "/_headrace/clock", {"freeze": True})
    assert start["events"] == [] and start["instants"] == 0
    answer = call(endpoint, "POST", "/_headrace/clock", {"advance": "30s"})
    returned = [event for event in answer["events"] if event["id"] == message]
    assert [event["kind"] for event in returned] == ["returned"] and start["now"] < returned[0]["at"] <= answer["now"]
    assert answer["instants"] >= 1 and answer["eventsLeftOut"] == 0
    call(endpoint, "POST", "/_headrace/clock", {"real": True})


def cpu_ms(pid):
    """Of all threads; the machine may be busy with others."""
    return sum(int(path.read_text().split()[0]) for path in pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e6


def test_that_takes_less_than_fifty_milliseconds_of_the_servers_time():
    with Server("--no-pipeline", "--clock", "frozen") as server:
        sqs = Clients(server.endpoint, "test").sqs
        dlq = sqs.create_queue(QueueName="dead")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=dlq, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        queue = sqs.create_queue(QueueName="slow", Attributes={
            "VisibilityTimeout": "43200", "RedrivePolicy": json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 4})})["QueueUrl"]
        before = cpu_ms(server.process.pid)
        sqs.send_message(QueueUrl=queue, MessageBody="m")
        for attempt in range(4):
            assert sqs.receive_message(QueueUrl=queue)["Messages"][0]["Body"] == "m"
            assert call(server.endpoint, "POST", "/_headrace/clock", {"advance": "12h"})["mode"] == "frozen"
        assert "Messages" not in sqs.receive_message(QueueUrl=queue)
        assert sqs.receive_message(QueueUrl=dlq)["Messages"][0]["Body"] == "m"
        assert cpu_ms(server.process.pid) - before < 50


def test_what_is_switched_off_says_so_and_the_rest_works():
    with Server("--workers", "1", "--trace", "off", "--lint", "off") as server:
        clients = Clients(server.endpoint, "test")
        clients.s3.put_object(Bucket="dropzone", Key="incoming/a.txt", Body=b"one two")
        results = clients.sqs.get_queue_url(QueueName="results-queue")["QueueUrl"]
        assert "Messages" in clients.sqs.receive_message(QueueUrl=results, WaitTimeSeconds=20)
        for path in ("/_headrace/trace?target=s3://dropzone/incoming/a.txt", "/_headrace/events", "/_headrace/lint"):
            with pytest.raises(urllib.error.HTTPError) as refused:
                call(server.endpoint, "GET", path)
            assert refused.value.code == 409 and b"off" in refused.value.read()
        call(server.endpoint, "POST", "/_headrace/reset", {})
        call(server.endpoint, "POST", "/_headrace/snapshots/off")
        call(server.endpoint, "POST", "/_headrace/snapshots/off/load")


def test_the_memory_of_the_trace_is_bounded_as_told():
    with Server("--no-pipeline", "--trace-mib", "1") as server:
        s3 = Clients(server.endpoint, "test").s3
        s3.create_bucket(Bucket="bucket")

        def put(n):
            s3.put_object(Bucket="bucket", Key=f"{n}/" + "k" * 1000, Body=b"")

        def known(n):
            return call(server.endpoint, "GET", f"/_headrace/trace?target=s3://bucket/{n}/" + "k" * 1000)["events"]

        put(0)
        assert known(0)
        for n in range(1, 1100):  # each event of a write holds its key: more than a kilobyte a write
            put(n)
        assert not known(0) and known(1099)
