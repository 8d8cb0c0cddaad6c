"""Mixed load with a ledger: what every acknowledged operation promised, and the check of a server against it.

A worker is one thread with one connection and things of its own: keys "wN/...", queues "crash-N" and "crash-N.fifo". It
runs one operation at a time. Each is written down as the change that it makes to the worker's world, a dictionary of what
a client can see:

    ("object", bucket, key)        -> digest of the body
    ("versions", key)              -> digests, newest first ("marker" for a delete marker)
    ("upload", key, id)            -> digests of its parts
    ("message", body)              -> True
    ("group", number)              -> bodies of a FIFO group in order

An acknowledged change must be there, one whose answer never came may be there, wholly or not at all, and nothing else."""
import base64
import hashlib
import http.client
import json
import random
import re
import threading
import urllib.parse
import xml.etree.ElementTree

SIZES = (0, 100, 4096, 65_536, 65_537, 300_000)  # below and above the size at which bodies leave the database
KEYS, GROUPS = 24, 3
PART = 5 << 20


class Gone(Exception):
    """The server died during the call."""


class Client:
    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.request_id = self.version_id = None

    def call(self, method, path, body=None, headers=None):
        try:
            self.connection.request(method, path, body, headers or {})
            answer = self.connection.getresponse()
            self.request_id = answer.headers.get("x-amz-request-id") or answer.headers.get("x-amzn-RequestId")
            self.version_id = answer.headers.get("x-amz-version-id")
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            self.connection.close()
            raise Gone(str(error)) from None

    def sqs(self, operation, **members):
        status, body = self.call("POST", "/", json.dumps(members), {
            "X-Amz-Target": "AmazonSQS." + operation, "Content-Type": "application/x-amz-json-1.0"})
        if status != 200:
            raise AssertionError(f"{operation}: {status} {body[:300]!r}")
        return json.loads(body) if body else {}


def digest(body):
    return hashlib.md5(body).hexdigest()


def changed(world, effects):
    """The world after a change."""
    after = dict(world)
    for item, value in effects.items():
        if value is None or value == ():
            after.pop(item, None)
        else:
            after[item] = value
    return after


class Worker:
    """Runs operations until the server is gone, keeping book."""

    def __init__(self, number, seed, large=True):
        self.number, self.random, self.large = number, random.Random(seed * 1000 + number), large
        self.world = {}         # what is certain
        self.pending = None     # the change whose answer is awaited; a text while it creates something without a known name
        self.history = []       # (request id, change) of what was acknowledged
        self.ids = {}           # digest of a version -> its id
        self.resend = None      # a FIFO send that may or may not have arrived
        self.tasks, self.serial, self.problem = 0, 0, None
        self.counts = {}

    @property
    def queue(self):
        return f"crash-{self.number}"

    def prepare(self, client):
        client.sqs("CreateQueue", QueueName=self.queue)
        client.sqs("CreateQueue", QueueName=self.queue + ".fifo", Attributes={"FifoQueue": "true"})

    def begin(self, port, limit):
        self.thread = threading.Thread(target=self.run, args=(Client(port), limit), daemon=True)
        self.thread.start()

    ACTIONS = ("put", "put", "delete", "copy", "delete_many", "put_version", "put_version", "delete_version", "mark", "multipart",
               "abort", "send", "send", "send_batch", "receive", "receive_batch", "order", "order", "take_order", "again")

    def run(self, client, limit):
        try:
            if self.resend:
                self.settle_resend(client)
            for _ in range(limit):
                action = self.random.choice(self.ACTIONS)
                getattr(self, action)(client)
                self.counts[action] = self.counts.get(action, 0) + 1
        except Gone:
            pass
        except AssertionError as error:
            self.problem = error

    # ---- bookkeeping ----

    def done(self, client, effects):
        self.history.append((client.request_id, effects))
        self.world = changed(self.world, effects)
        self.pending = None
        self.tasks += 1

    def perform(self, client, effects, method, path, body=None, headers=None):
        self.pending = effects
        status, answer = client.call(method, path, body, headers)
        if status not in (200, 204):
            raise AssertionError(f"{method} {path}: {status} {answer[:300]!r}")
        if not isinstance(effects, str):
            self.done(client, effects)
        return answer

    def perform_sqs(self, client, effects, operation, **members):
        self.pending = effects
        answer = client.sqs(operation, **members)
        assert not answer.get("Failed"), answer
        self.done(client, effects)
        return answer

    def body(self):
        size = self.random.choice(SIZES)
        return self.random.randbytes(size) if size else b""

    def key(self):
        return f"w{self.number}/k{self.random.randrange(KEYS)}"

    def name(self):
        self.serial += 1
        return f"w{self.number}-{self.serial}-{self.random.getrandbits(40):x}"

    # ---- S3 ----

    def put(self, client):
        key, body = self.key(), self.body()
        self.perform(client, {("object", "crash", key): digest(body)}, "PUT", "/crash/" + key, body)

    def delete(self, client):
        key = self.key()
        self.perform(client, {("object", "crash", key): None}, "DELETE", "/crash/" + key)

    def copy(self, client):
        source, target = self.key(), self.key()
        there = self.world.get(("object", "crash", source))
        if there and source != target:
            self.perform(client, {("object", "crash", target): there}, "PUT", "/crash/" + target, None,
                         {"x-amz-copy-source": f"/crash/{source}"})

    def delete_many(self, client):
        keys = {self.key() for _ in range(3)}
        xml = "<Delete>" + "".join(f"<Object><Key>{key}</Key></Object>" for key in keys) + "</Delete>"
        self.perform(client, {("object", "crash", key): None for key in keys}, "POST", "/crash?delete", xml,
                     {"Content-MD5": base64.b64encode(hashlib.md5(xml.encode()).digest()).decode()})

    def versions_key(self):
        return f"w{self.number}/v{self.random.randrange(6)}"

    def put_version(self, client):
        key, body = self.versions_key(), self.body() + self.random.randbytes(8)
        self.perform(client, {("versions", key): (digest(body), *self.world.get(("versions", key), ()))}, "PUT", "/versions/" + key, body)
        self.ids[digest(body)] = client.version_id

    def mark(self, client):
        key = self.versions_key()
        self.perform(client, {("versions", key): ("marker", *self.world.get(("versions", key), ()))}, "DELETE", "/versions/" + key)

    def delete_version(self, client):
        key = self.versions_key()
        known = [v for v in self.world.get(("versions", key), ()) if v in self.ids]
        if known:
            gone = self.random.choice(known)
            left = tuple(v for v in self.world[("versions", key)] if v != gone)
            self.perform(client, {("versions", key): left}, "DELETE", f"/versions/{key}?versionId={self.ids[gone]}")

    def begin_upload(self, client):
        key = f"w{self.number}/m{self.random.randrange(6)}"
        answer = self.perform(client, "upload " + key, "POST", f"/crash/{key}?uploads")
        upload = answer.split(b"<UploadId>")[1].split(b"<")[0].decode()
        self.done(client, {("upload", key, upload): ("begun",)})
        return key, upload

    def part(self, client, key, upload, number, body):
        parts = self.world[("upload", key, upload)] + (digest(body),)
        self.perform(client, {("upload", key, upload): parts}, "PUT", f"/crash/{key}?uploadId={upload}&partNumber={number}", body)

    def multipart(self, client):
        key, upload = self.begin_upload(client)
        parts = [self.body()]
        if self.large and self.random.random() < 0.1:
            parts.insert(0, self.random.randbytes(PART))
        for number, body in enumerate(parts, 1):
            self.part(client, key, upload, number, body)
        xml = "".join(f"<Part><PartNumber>{n}</PartNumber><ETag>{digest(body)}</ETag></Part>" for n, body in enumerate(parts, 1))
        self.perform(client, {("upload", key, upload): None, ("object", "crash", key): digest(b"".join(parts))}, "POST",
                     f"/crash/{key}?uploadId={upload}", f"<CompleteMultipartUpload>{xml}</CompleteMultipartUpload>")

    def abort(self, client):
        key, upload = self.begin_upload(client)
        self.part(client, key, upload, 1, self.body())
        self.perform(client, {("upload", key, upload): None}, "DELETE", f"/crash/{key}?uploadId={upload}")

    # ---- SQS ----

    def send(self, client):
        body = self.name()
        more = {"DelaySeconds": 1} if self.random.random() < 0.1 else {}
        self.perform_sqs(client, {("message", body): True}, "SendMessage", QueueUrl=self.queue, MessageBody=body, **more)

    def send_batch(self, client):
        bodies = [self.name() + "x" * self.random.choice((0, 5000)) for _ in range(5)]
        self.perform_sqs(client, {("message", body): True for body in bodies}, "SendMessageBatch", QueueUrl=self.queue,
                         Entries=[{"Id": str(i), "MessageBody": body} for i, body in enumerate(bodies)])

    def received(self, client, most):
        messages = client.sqs("ReceiveMessage", QueueUrl=self.queue, MaxNumberOfMessages=most, VisibilityTimeout=2).get("Messages", [])
        for message in messages:
            assert ("message", message["Body"]) in self.world, f"{message['Body']} was deleted and is received again"
        return messages

    def receive(self, client):
        for message in self.received(client, 3):
            if self.random.random() < 0.2:
                client.sqs("ChangeMessageVisibility", QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0)
                return
            self.perform_sqs(client, {("message", message["Body"]): None}, "DeleteMessage", QueueUrl=self.queue,
                             ReceiptHandle=message["ReceiptHandle"])

    def receive_batch(self, client):
        messages = self.received(client, 10)
        if messages:
            self.perform_sqs(client, {("message", m["Body"]): None for m in messages}, "DeleteMessageBatch", QueueUrl=self.queue,
                             Entries=[{"Id": str(i), "ReceiptHandle": m["ReceiptHandle"]} for i, m in enumerate(messages)])

    def send_order(self, client, group, body):
        effects = {("group", group): self.world.get(("group", group), ()) + (body,)}
        self.resend = (group, body)
        self.perform_sqs(client, effects, "SendMessage", QueueUrl=self.queue + ".fifo", MessageBody=body, MessageGroupId=str(group),
                         MessageDeduplicationId=body)
        self.resend = None

    def order(self, client):
        self.send_order(client, self.random.randrange(GROUPS), self.name())

    def settle_resend(self, client):
        """Sends again what may have arrived: deduplication must make one of the two."""
        group, body = self.resend
        if body not in self.world.get(("group", group), ()):
            self.send_order(client, group, body)
        else:
            self.perform_sqs(client, {}, "SendMessage", QueueUrl=self.queue + ".fifo", MessageBody=body, MessageGroupId=str(group),
                             MessageDeduplicationId=body)
            self.resend = None

    def again(self, client):
        """A second send of the same deduplication id changes nothing."""
        group = self.random.randrange(GROUPS)
        waiting = self.world.get(("group", group), ())
        if waiting:
            self.perform_sqs(client, {}, "SendMessage", QueueUrl=self.queue + ".fifo", MessageBody=waiting[-1], MessageGroupId=str(group),
                             MessageDeduplicationId=waiting[-1])

    def take_order(self, client):
        for message in client.sqs("ReceiveMessage", QueueUrl=self.queue + ".fifo", MaxNumberOfMessages=5, VisibilityTimeout=1,
                                  AttributeNames=["MessageGroupId"]).get("Messages", []):
            group = int(message["Attributes"]["MessageGroupId"])
            waiting = self.world[("group", group)]
            assert message["Body"] == waiting[0], f"group {group}: {message['Body']} came, {waiting[0]} was due"
            self.perform_sqs(client, {("group", group): waiting[1:]}, "DeleteMessage", QueueUrl=self.queue + ".fifo",
                             ReceiptHandle=message["ReceiptHandle"])


# ---- what a server shows ----

def tree(text):
    return xml.etree.ElementTree.fromstring(re.sub(rb' xmlns="[^"]*"', b"", text, count=1))


def get(client, path):
    status, body = client.call("GET", path)
    assert status == 200, f"GET {path}: {status} {body[:200]!r}"
    return body


def listing(client, path, entries, tokens):
    """Elements of all pages; `tokens` maps an element of the answer to the parameter that goes on."""
    extra = ""
    while True:
        page = tree(get(client, path + extra))
        yield from (entry for entry in page if entry.tag in entries)
        if page.findtext("IsTruncated") != "true":
            return
        extra = "".join(f"&{parameter}={urllib.parse.quote(page.findtext(element) or '', safe='')}" for element, parameter in tokens.items())


def seen_objects(client, number, world):
    for entry in listing(client, f"/crash?list-type=2&max-keys=100&prefix=w{number}/", ("Contents",),
                         {"NextContinuationToken": "continuation-token"}):
        key = entry.findtext("Key")
        body = get(client, "/crash/" + key)
        assert len(body) == int(entry.findtext("Size")), f"{key}: {len(body)} bytes, listed as {entry.findtext('Size')}"
        world["object", "crash", key] = digest(body)


def seen_versions(client, number, world):
    for entry in listing(client, f"/versions?versions&max-keys=100&prefix=w{number}/", ("Version", "DeleteMarker"),
                         {"NextKeyMarker": "key-marker", "NextVersionIdMarker": "version-id-marker"}):
        key, what = entry.findtext("Key"), "marker"
        if entry.tag == "Version":
            what = digest(get(client, f"/versions/{key}?versionId={entry.findtext('VersionId')}"))
        world["versions", key] = world.get(("versions", key), ()) + (what,)
        if entry.findtext("IsLatest") == "true":
            world["latest", key] = what


def seen_uploads(client, number, world):
    for entry in listing(client, f"/crash?uploads&prefix=w{number}/", ("Upload",),
                         {"NextKeyMarker": "key-marker", "NextUploadIdMarker": "upload-id-marker"}):
        key, upload = entry.findtext("Key"), entry.findtext("UploadId")
        parts = tree(get(client, f"/crash/{key}?uploadId={upload}")).findall("Part")
        world["upload", key, upload] = ("begun", *(part.findtext("ETag").strip('"') for part in parts))


def peeked(client, queue):
    messages, after = [], 0
    while after >= 0:
        page = json.loads(get(client, f"/_headrace/sqs/messages?QueueUrl={queue}&ShowInvisible=true&ShowDelayed=true&limit=1000&after={after}"))
        messages += page["messages"]
        after = page["next"] if page.get("next") is not None else -1
    attributes = client.sqs("GetQueueAttributes", QueueUrl=queue, AttributeNames=["All"])["Attributes"]
    counted = sum(int(attributes["ApproximateNumberOfMessages" + part]) for part in ("", "NotVisible", "Delayed"))
    assert counted == len(messages), f"{queue}: {len(messages)} messages, its attributes count {counted}"
    return messages


def seen_messages(client, number, world):
    for message in peeked(client, f"crash-{number}"):
        assert ("message", message["body"]) not in world, f"{message['body']} is there twice"
        world["message", message["body"]] = True
    for message in peeked(client, f"crash-{number}.fifo"):
        group = ("group", int(message["groupId"]))
        world[group] = world.get(group, ()) + (message["body"],)


def seen(client, number):
    """The world of a worker as the server shows it."""
    world = {}
    for look in (seen_objects, seen_versions, seen_uploads, seen_messages):
        look(client, number, world)
    return world


def as_listed(world):
    """Versions and delete markers stand in lists of their own, each in order; and which of all is the latest."""
    shown = dict(world)
    for item, value in world.items():
        if item[0] == "versions":
            shown.setdefault(("latest", item[1]), value[0])
            shown[item] = tuple(v for v in value if v != "marker") + tuple(v for v in value if v == "marker")
    return shown


def differences(want, got):
    want, got = as_listed(want), as_listed(got)
    return [f"{item}: {got.get(item)}, want {want.get(item)}" for item in want.keys() | got.keys() if want.get(item) != got.get(item)]


def adopt_upload(pending, want, got):
    """An upload whose answer was lost has a name that nobody knows."""
    if isinstance(pending, str):
        for item in got.keys() - want.keys():
            if item[0] == "upload" and pending == "upload " + item[1] and got[item] == ("begun",):
                return {item: got[item]}
    return {}


def check_worker(client, worker, want, pending):
    """Problems, and what is there: exactly `want`, or `want` with the whole of the pending change."""
    got = seen(client, worker.number)
    change = pending if isinstance(pending, dict) else adopt_upload(pending, want, got)
    problems = differences(want, got)
    if problems and change:
        other = differences(changed(want, change), got)
        if len(other) < len(problems):
            problems, want = other, changed(want, change)
    return [f"worker {worker.number} {problem}" for problem in problems], want


def check(client, workers):
    """Every worker's world is there. What was uncertain is certain afterwards."""
    problems = []
    for worker in workers:
        found, got = check_worker(client, worker, worker.world, worker.pending)
        problems += found
        worker.world, worker.pending = got, None
    return problems


def prepare(client, workers):
    for bucket in ("crash", "versions"):
        assert client.call("PUT", "/" + bucket)[0] == 200
    enabled = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
    assert client.call("PUT", "/versions?versioning", enabled)[0] == 200
    for worker in workers:
        worker.prepare(client)
