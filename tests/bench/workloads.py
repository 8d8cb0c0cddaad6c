"""What the servers are asked to do. Each function is a group of cells that share their set-up; bench.py calls it for each server in
each round, with a Run (load.py). Names of queues and buckets carry the round, so that no round finds what an earlier one left."""
import json
import os
import random
import socket
import time

from frames import BODY, LENGTH, frame, md5
from load import Failed, hrload

TEXT = "x" * 300
TEXT_MD5 = md5(TEXT)
SMALL = 4096
KEYS = 500
PLAIN = "text/plain"
MANY = 1_000_000  # objects that Headrace lists from
PAGE = 1000
BOTH = (1, 64)

# cell: (title, group, unit). One connection and 64 are two cells. The order is that of the report.
CELLS = {f"{key}-{c}": (f"{title}, {c} connection{'s' if c > 1 else ''}", group, unit) for key, title, group, unit, counts in (
    ("send", "SQS SendMessage 300 B", "send", "/s", BOTH),
    ("batch", "SQS SendMessageBatch 10 x 300 B", "send", " messages/s", BOTH),
    ("pair", "SQS ReceiveMessage + DeleteMessage", "pair", " pairs/s", BOTH),
    ("fifo-send", "SQS FIFO SendMessage 300 B", "fifo", "/s", BOTH),
    ("fifo-pair", "SQS FIFO ReceiveMessage + DeleteMessage", "fifo", " pairs/s", BOTH),
    ("put", "S3 PutObject 4 KiB", "small", "/s", BOTH),
    ("get", "S3 GetObject 4 KiB", "small", "/s", BOTH),
    ("list", "S3 ListObjectsV2, a page of 1,000", "list", " pages/s", BOTH),
    ("large-put", "S3 PutObject, one large object after the other", "large", " MB/s", (1,)),
    ("large-get", "S3 GetObject, one large object after the other", "large", " MB/s", (1,)),
) for c in counts}


def send(run):
    url = run.link.queue(f"send-{run.round}")
    one = [frame(run.make.sqs("SendMessage", QueueUrl=url, MessageBody=TEXT), 1, TEXT_MD5)]
    many = [frame(run.make.sqs("SendMessageBatch", QueueUrl=url, Entries=[{"Id": str(i), "MessageBody": TEXT} for i in range(10)]),
                  10, TEXT_MD5)]
    for connections in BOTH:
        run.warm(one, connections)
        run.load(f"send-{connections}", one, connections)
    for connections in BOTH:
        run.warm(many, connections)
        run.load(f"batch-{connections}", many, connections, units=10)
    run.link.call("DeleteQueue", QueueUrl=url)


def pairs(run, cell, url, batches):
    """Half of what waits is for one connection, the rest for 64; an eighth of that at most for warming up."""
    waiting = 10 * run.fill(batches, run.options.seconds, len(batches) if len(batches) > 1 else 3000)
    receive, delete = [frame(run.make.sqs("ReceiveMessage", QueueUrl=url), 1, TEXT_MD5)], run.make.delete_message(url)
    for connections, share in ((1, 2), (64, 1)):
        waiting -= run.warm(receive, connections, limit=max(1, waiting // share // 8), follow=delete)
        waiting -= run.load(f"{cell}-{connections}", receive, connections, follow=delete, limit=max(1, waiting // share))["done"]
    run.link.call("DeleteQueue", QueueUrl=url)


def pair(run):
    url = run.link.queue(f"pair-{run.round}", VisibilityTimeout="600")
    pairs(run, "pair", url, [frame(run.make.sqs("SendMessageBatch", QueueUrl=url, Entries=[
        {"Id": str(i), "MessageBody": TEXT} for i in range(10)]), 10, TEXT_MD5)])


def fifo(run):
    """Every message has an id of its own, so the bodies are made from a pattern; that leaves their signatures wrong, and no server
    of queues here looks at them."""
    url = run.link.queue(f"order-{run.round}.fifo", FifoQueue="true")
    pattern = run.make.sqs("SendMessage", QueueUrl=url, MessageBody=TEXT, MessageGroupId="gGG", MessageDeduplicationId="d-NNNNNNNN")

    def sends(first, count):
        return (frame(pattern.replace(b"gGG", b"g%02d" % (i % 100)).replace(b"NNNNNNNN", b"%08d" % i), 1, TEXT_MD5)
                for i in range(first, first + count))

    for connections, first, early, count in ((1, 0, 4000, 12_000), (64, 50_000, 8000, 30_000)):
        run.warm(sends(first, early), connections, limit=early)
        run.load(f"fifo-send-{connections}", sends(first + early, count), connections, limit=count)
    run.link.call("DeleteQueue", QueueUrl=url)
    url = run.link.queue(f"pair-{run.round}.fifo", FifoQueue="true", VisibilityTimeout="600")
    pattern = run.make.sqs("SendMessageBatch", QueueUrl=url, Entries=[
        {"Id": str(k), "MessageBody": TEXT, "MessageGroupId": f"gGGG{k}", "MessageDeduplicationId": f"d{k}-NNNNNNNN"} for k in range(10)])
    pairs(run, "fifo-pair", url, [frame(pattern.replace(b"gGGG", b"g%03d" % (i % 100)).replace(b"NNNNNNNN", b"%08d" % i), 10, TEXT_MD5)
                                  for i in range(2500)])


def small(run):
    run.link.bucket("small")
    bodies = [random.Random(i).randbytes(SMALL) for i in range(KEYS)]
    puts = [frame(run.make.put(f"/small/k{i}", body, content_type=PLAIN), 1, md5(body)) for i, body in enumerate(bodies)]
    if run.fill(puts, 60, KEYS) < KEYS:
        raise Failed("objects could not be written")
    for connections in BOTH:
        run.warm(puts, connections)
        run.load(f"put-{connections}", puts, connections)
    gets = [frame(run.make.get(f"/small/k{i}"), BODY, body) for i, body in enumerate(bodies)]
    if run.target.learns:
        run.fill(gets, 60, KEYS)
    for connections in BOTH:
        run.warm(gets, connections)
        run.load(f"get-{connections}", gets, connections)


def many_frames(run, first, count):
    """Objects of one byte. Their signatures are right only where somebody looks."""
    if "sign" in run.target.services:
        return [frame(run.make.put(f"/many/object-{i:08d}", b"x", content_type=PLAIN)) for i in range(first, first + count)]
    pattern = frame(run.make.put("/many/object-NNNNNNNN", b"x", content_type=PLAIN))
    return (pattern.replace(b"NNNNNNNN", b"%08d" % i) for i in range(first, first + count))


def listing(run):
    """Headrace is filled to MANY once; the others for as long as options.fill seconds, which the report says."""
    target, most = run.target, MANY if run.target.name == "headrace" and not run.options.quick else 100_000
    if run.first:
        run.link.bucket("many")
        target.listed, began = 0, time.monotonic()
        while target.listed < most:
            left = 600 if most == MANY else run.options.fill - (time.monotonic() - began)
            if left <= 0.1:
                break
            count = min(most - target.listed, 100_000 if most == MANY else 10_000)
            done = run.fill(many_frames(run, target.listed, count), left, count)
            target.listed += done
            if done < count:
                break
    if target.listed <= PAGE + 64:
        raise Failed(f"only {target.listed:,} objects in {run.options.fill:g} s")
    chance = random.Random(run.round)
    pages = [frame(run.make.get(f"/many?list-type=2&start-after=object-{chance.randrange(target.listed - PAGE - 64):08d}"), PAGE, "<Key>")
             for _ in range(90)]
    for connections in BOTH:
        run.warm(pages, connections)
        run.load(f"list-{connections}", pages, connections)
        run.results[f"list-{connections}"][target.name][-1]["objects"] = target.listed


def large(run):
    run.link.bucket("large")
    size = run.options.large << 20
    if not hasattr(run.options, "large_body"):
        run.options.large_body = random.Random(7).randbytes(1 << 20) * run.options.large
        run.options.large_md5 = md5(run.options.large_body)
    os.sync()
    put = [frame(run.make.put("/large/k", run.options.large_body, content_type=PLAIN), 1, run.options.large_md5)]
    # Two that do not count: a virtual machine gives memory that is not used back to its host, and
    # has it fetched page by page when a file is written there: ten times the cost of the write.
    # Who came first would pay for all.
    run.fill(put, 20, 2, 1)
    run.load("large-put-1", put, 1, size / 1e6, limit=2, seconds=20)
    get = run.make.get("/large/k")
    if run.first and md5(run.link.send(get)) != run.options.large_md5:
        raise Failed("the large object came back changed")
    run.load("large-get-1", [frame(get, LENGTH, str(size))], 1, size / 1e6, limit=4, seconds=20)
    run.link.send(run.make.raw("s3", "DELETE", "/large/k"))


# ---- latencies, over bare sockets: no thread of Python is in the way ----

def answer_on(link):
    """One answer with a length, from a bare socket: its body."""
    data = b""
    while True:
        head, found, body = data.partition(b"\r\n\r\n")
        if found:
            fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line)
            if len(body) >= int(fields.get(b"content-length", 0)) and b"transfer-encoding" not in fields or body.endswith(b"0\r\n\r\n"):
                return body
        more = link.recv(1 << 16)
        if not more:
            raise Failed("closed a connection that waited")
        data += more


def dial(run):
    link = socket.create_connection(("127.0.0.1", run.target.port), timeout=15)
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return link


def wakes(run, cell, url, trigger, times):
    """From sending `trigger(i)` to the complete answer of a receive that was parked: milliseconds. At most six seconds in all."""
    receive = run.make.sqs("ReceiveMessage", QueueUrl=url, WaitTimeSeconds=5)
    took, until = [], time.monotonic() + 6
    for i in range(times):
        waiter, other = dial(run), dial(run)
        with waiter, other:
            waiter.sendall(receive)
            time.sleep(0.005)
            began = time.perf_counter()
            other.sendall(trigger(i))
            body = answer_on(waiter)
            took.append((time.perf_counter() - began) * 1000)
            answer_on(other)
        messages = json.loads(body[body.index(b"{"):body.rindex(b"}") + 1]).get("Messages")
        if not messages:
            raise Failed("a parked receive came back empty")
        run.link.call("DeleteMessage", QueueUrl=url, ReceiptHandle=messages[0]["ReceiptHandle"])
        if time.monotonic() > until:
            break
    took = sorted(took[1:] or took)
    run.keep(cell, p50=took[len(took) // 2], p99=took[int(len(took) * 0.99)], done=len(took))
    return messages[0]


def wake(run):
    url = run.link.queue(f"wake-{run.round}")
    request = run.make.sqs("SendMessage", QueueUrl=url, MessageBody=TEXT)
    wakes(run, "wake", url, lambda i: request, 60)


def event(run):
    """An upload, its S3 event in a queue, and a parked receive that gets it."""
    name, bucket = f"event-{run.round}", f"event-{run.round}"
    url = run.link.queue(name)
    arn = run.link.call("GetQueueAttributes", QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"},
                                                      "Action": "sqs:SendMessage", "Resource": arn}]}
    run.link.call("SetQueueAttributes", QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
    run.link.bucket(bucket)
    run.link.send(run.make.put(f"/{bucket}?notification", (
        '<NotificationConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><QueueConfiguration><Id>e</Id><Queue>' + arn +
        '</Queue><Event>s3:ObjectCreated:*</Event></QueueConfiguration></NotificationConfiguration>').encode()))
    while True:  # S3's test event
        answer = run.link.call("ReceiveMessage", QueueUrl=url, WaitTimeSeconds=1)
        if not answer.get("Messages"):
            break
        run.link.call("DeleteMessage", QueueUrl=url, ReceiptHandle=answer["Messages"][0]["ReceiptHandle"])
    body = b"t" * SMALL
    last = wakes(run, "event", url, lambda i: run.make.put(f"/{bucket}/k{i}", body, content_type=PLAIN), 40)
    if "ObjectCreated:Put" not in last["Body"]:
        raise Failed("what came was no S3 event")


# ---- the pipeline, which only Headrace has built in ----

def pipeline(run):
    files = run.options.files
    url = run.link.call("GetQueueUrl", QueueName="results-queue")["QueueUrl"]
    body = (b"hello world, this is a line of text\n" * 114)[:SMALL]
    last = wakes(run, "upload-result", url, lambda i: run.make.put(f"/dropzone/incoming/l{run.round}-{i}.txt", body, content_type=PLAIN), 100)
    result = json.loads(last["Body"])
    report = json.loads(run.link.send(run.make.get(f"/{result['outputBucket']}/{result['outputKey']}")))
    if report["report"]["words"] != len(body.split()):
        raise Failed(f"a wrong report: {report}")
    pattern = frame(run.make.put("/dropzone/incoming/rRR-NNNNNNNN.txt", body, content_type=PLAIN).replace(b"RR", b"%02d" % run.round))
    run.write(pattern.replace(b"NNNNNNNN", b"%08d" % i) for i in range(files))
    before, began = run.target.cpu_seconds(), time.monotonic()
    got = hrload(run.target.port, run.folder, 64, 120, files)
    while True:
        attributes = run.link.call("GetQueueAttributes", QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])["Attributes"]
        if int(attributes["ApproximateNumberOfMessages"]) >= files:
            break
        if time.monotonic() - began > 180:
            raise Failed("results are missing")
        time.sleep(0.005)
    took = time.monotonic() - began
    run.keep("pipeline", rate=files / took, p50=got["p50_us"] / 1000, p99=got["p99_us"] / 1000, done=files, errors=got["errors"],
             cpu=(run.target.cpu_seconds() - before) * 1e6 / files)
    run.link.call("PurgeQueue", QueueUrl=url)


# ---- what comes before, and Headrace against itself ----

def warm(run):
    """Not measured: virtual machines compile, caches fill."""
    if "sqs" in run.target.services:
        url = run.link.queue("warm")
        run.fill([frame(run.make.sqs("SendMessage", QueueUrl=url, MessageBody=TEXT))], 1)
        run.write([frame(run.make.sqs("ReceiveMessage", QueueUrl=url))])
        hrload(run.target.port, run.folder, 4, 1, follow=run.make.delete_message(url))
    if "s3" in run.target.services:
        run.link.bucket("warm")
        for make, body in ((run.make.put, {"body": TEXT.encode(), "content_type": PLAIN}), (run.make.get, {})):
            run.fill([frame(make("/warm/k", **body))], 0.7)


SWITCH_CELLS = {"switch-send": "SendMessage", "switch-put": "PutObject 4 KiB", "switch-get": "GetObject 4 KiB"}


def switches(run):
    """What recording causes (--trace) and watching for bad habits (--lint) cost: 64 connections, CPU time."""
    url = run.link.queue(f"switch-{run.round}")
    run.link.bucket("switch")
    body = random.Random(1).randbytes(SMALL)
    for cell, frames in (
            ("switch-send", [frame(run.make.sqs("SendMessage", QueueUrl=url, MessageBody=TEXT), 1, TEXT_MD5)]),
            ("switch-put", [frame(run.make.put(f"/switch/k{i}", body, content_type=PLAIN), 1, md5(body)) for i in range(KEYS)]),
            ("switch-get", [frame(run.make.get("/switch/k0"), BODY, body)])):
        run.warm(frames, 64)
        run.load(cell, frames, 64)


GROUPS = {  # name: (function, the services that a server must have, rounds at most)
    "warm": (warm, "", 1), "send": (send, "sqs", 9), "pair": (pair, "sqs", 9), "fifo": (fifo, "sqs", 9), "small": (small, "s3", 9),
    "wake": (wake, "sqs", 1), "event": (event, "sqs s3", 1), "pipeline": (pipeline, "pipeline", 3),
    "switches": (switches, "switches", 3), "large": (large, "s3", 2), "list": (listing, "s3", 2),
}


def takes_part(target, name):
    """Whether a server is asked what a group asks; "sdk" is no group of this file."""
    services = set(target.services)
    able = set(GROUPS[name][1].split()) <= services if name in GROUPS else bool({"s3", "sqs"} & services)
    return able and (target.groups is None or name in target.groups)
