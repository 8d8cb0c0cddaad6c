"""Mixed load whose every acknowledgement is remembered, and the check of what a restarted server must still know.

A worker is one thread with one connection and things of its own: keys "wN/...", messages "wN-...". What a worker was doing
when the server died is uncertain (it may or may not have happened); everything before it is certain."""
import hashlib
import http.client
import json
import random
import threading
import urllib.parse

SIZES = (0, 100, 4096, 70_000, 300_000)  # below and above the size at which bodies leave the database


class Gone(Exception):
    """The server died during the call."""


class Client:
    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def call(self, method, path, body=None, headers=None):
        try:
            self.connection.request(method, path, body, headers or {})
            answer = self.connection.getresponse()
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


class Worker:
    """Runs operations until the server is gone, keeping book."""

    def __init__(self, number, seed):
        self.number, self.random = number, random.Random(seed)
        self.objects = {}      # key -> digest of the acknowledged body, None when acknowledged as deleted
        self.uncertain = {}    # key -> digests (or None) that an unacknowledged call may have left
        self.sent = set()      # bodies acknowledged as sent
        self.deleted = set()   # bodies acknowledged as deleted
        self.maybe_deleted = set()
        self.tasks = 0
        self.problem = None

    def begin(self, port, limit):
        self.thread = threading.Thread(target=self.run, args=(Client(port), limit), daemon=True)
        self.thread.start()

    def run(self, client, limit):
        actions = (self.put, self.put, self.delete, self.send, self.send, self.receive, self.multipart)
        try:
            for _ in range(limit):
                self.random.choice(actions)(client)
                self.tasks += 1
        except Gone:
            pass
        except AssertionError as error:
            self.problem = error

    def attempt(self, key, digest, call, *arguments):
        self.uncertain.setdefault(key, set()).add(digest)
        status, body = call(*arguments)
        if status not in (200, 204):
            raise AssertionError(f"{arguments[:2]}: {status} {body[:300]!r}")
        self.objects[key] = digest
        del self.uncertain[key]

    def body(self):
        return self.random.randbytes(self.random.choice(SIZES))

    def key(self):
        return f"w{self.number}/k{self.random.randrange(60)}"

    def put(self, client):
        key, body = self.key(), self.body()
        self.attempt(key, hashlib.md5(body).hexdigest(), client.call, "PUT", "/crash/" + key, body)

    def delete(self, client):
        key = self.key()
        self.attempt(key, None, client.call, "DELETE", "/crash/" + key)

    def multipart(self, client):
        key, body = f"w{self.number}/m{self.random.randrange(10)}", self.body()
        status, answer = client.call("POST", f"/crash/{key}?uploads")
        assert status == 200, answer
        upload = answer.split(b"<UploadId>")[1].split(b"<")[0].decode()
        status, answer = client.call("PUT", f"/crash/{key}?uploadId={upload}&partNumber=1", body)
        assert status == 200, answer
        tag = hashlib.md5(body).hexdigest()
        complete = (f"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{tag}</ETag></Part>"
                    "</CompleteMultipartUpload>")
        self.attempt(key, tag, client.call, "POST", f"/crash/{key}?uploadId={upload}", complete)

    def send(self, client):
        body = f"w{self.number}-{self.tasks}-{self.random.getrandbits(48):x}"
        client.sqs("SendMessage", QueueUrl="crash", MessageBody=body)
        self.sent.add(body)

    def receive(self, client):
        for message in client.sqs("ReceiveMessage", QueueUrl="crash", MaxNumberOfMessages=5, VisibilityTimeout=2).get("Messages", []):
            body = message["Body"]
            if body in ALL_DELETED:
                raise AssertionError(f"deleted message {body} was received again")
            self.maybe_deleted.add(body)
            client.sqs("DeleteMessage", QueueUrl="crash", ReceiptHandle=message["ReceiptHandle"])
            self.maybe_deleted.discard(body)
            self.deleted.add(body)


ALL_DELETED = set()


def check_objects(client, workers):
    """Every object is what its last acknowledged write made it, or what the interrupted one would have."""
    problems = []
    for worker in workers:
        for key in set(worker.objects) | set(worker.uncertain):
            status, body = client.call("GET", "/crash/" + key)
            got = hashlib.md5(body).hexdigest() if status == 200 else None
            allowed = {worker.objects.get(key)} | worker.uncertain.get(key, set())
            if status not in (200, 404) or got not in allowed:
                problems.append(f"{key}: {status} {got}, want one of {allowed}")
            worker.objects[key] = got
        worker.uncertain.clear()
    return problems


def check_messages(client, workers, rounds=30):
    """Every acknowledged message is there unless deleted, none that was deleted comes back; what was in flight returns
    by its timeout. Takes everything out of the queue."""
    sent, deleted, maybe = set(), set(), set()
    for worker in workers:
        sent |= worker.sent
        deleted |= worker.deleted
        maybe |= worker.maybe_deleted
    problems, missing = [], sent - deleted
    for _ in range(rounds):
        messages = client.sqs("ReceiveMessage", QueueUrl="crash", MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages", [])
        for message in messages:
            body = message["Body"]
            if body in deleted:
                problems.append(f"deleted message {body} came back")
            client.sqs("DeleteMessage", QueueUrl="crash", ReceiptHandle=message["ReceiptHandle"])
            missing.discard(body)
            deleted.add(body)
        if not messages and not missing - maybe:
            break
        if messages:
            rounds += 1
    problems += [f"acknowledged message {body} is lost" for body in missing - maybe]
    for worker in workers:
        worker.sent, worker.deleted, worker.maybe_deleted = set(), set(), set()
    ALL_DELETED.update(deleted)
    return problems


def check_listing(client, workers):
    """The listing agrees with the objects one by one."""
    want = {key for worker in workers for key, digest in worker.objects.items() if digest}
    got, token = set(), ""
    while True:
        status, body = client.call("GET", "/crash?list-type=2&max-keys=100" + (f"&continuation-token={token}" if token else ""))
        assert status == 200, body
        got |= {part.split(b"<")[0].decode() for part in body.split(b"<Key>")[1:]}
        if b"<NextContinuationToken>" not in body:
            break
        token = urllib.parse.quote(body.split(b"<NextContinuationToken>")[1].split(b"<")[0].decode(), safe="")
    return [f"listing differs: missing {sorted(want - got)[:5]}, extra {sorted(got - want)[:5]}"] if want != got else []
