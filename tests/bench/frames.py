"""The requests of the benchmark: their bytes, their signatures, and what their answers must hold.

A frame is what hrload.c sends: a whole HTTP request, and an expectation. Every request is signed (SigV4), for servers that check:
S3 with UNSIGNED-PAYLOAD, as an SDK does over TLS, so that nobody hashes a body only because of the header. What is signed is the
key pair of the server, given as `target` (port, access_key, secret_key)."""
import datetime
import hashlib
import hmac
import http.client
import json
import struct
import urllib.parse

BODY, LENGTH = 0xFFFFFFFF, 0xFFFFFFFE  # the needle is the body; the body is so long
REGION = "us-east-1"


def chain(key, *texts):
    for text in texts:
        key = hmac.new(key, text.encode(), hashlib.sha256).digest()
    return key


class Signer:
    """Signatures of one server for one minute: the date and the derived keys are made once."""

    def __init__(self, target):
        self.host, self.access = f"127.0.0.1:{target.port}", target.access_key
        self.stamp = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        self.day = self.stamp[:8]
        self.keys = {service: chain(b"AWS4" + target.secret_key.encode(), self.day, REGION, service, "aws4_request")
                     for service in ("s3", "sqs")}

    def headers(self, service, method, path, body, extra):
        """The header lines of a request; `extra` are lower-case pairs, signed too."""
        payload = "UNSIGNED-PAYLOAD" if service == "s3" else hashlib.sha256(body).hexdigest()
        signed = {"host": self.host, "x-amz-date": self.stamp, **extra}
        if service == "s3":
            signed["x-amz-content-sha256"] = payload
        names = sorted(signed)
        route, _, query = path.partition("?")
        query = "&".join(sorted(f"{name}={urllib.parse.quote(urllib.parse.unquote(value), safe='-_.~')}"
                                for name, _, value in (part.partition("=") for part in query.split("&") if part)))
        canonical = "\n".join([method, route, query, *[f"{name}:{signed[name]}" for name in names], "", ";".join(names), payload])
        scope = f"{self.day}/{REGION}/{service}/aws4_request"
        text = f"AWS4-HMAC-SHA256\n{self.stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        signature = hmac.new(self.keys[service], text.encode(), hashlib.sha256).hexdigest()
        return {**signed, "authorization": f"AWS4-HMAC-SHA256 Credential={self.access}/{scope}, "
                                           f"SignedHeaders={';'.join(names)}, Signature={signature}"}


class Requests:
    """Makes requests for one server: raw bytes."""

    def __init__(self, target):
        self.signer = Signer(target)

    def raw(self, service, method, path, body=b"", **extra):
        headers = self.signer.headers(service, method, path, body, {k.replace("_", "-"): v for k, v in extra.items()})
        if body or method in ("PUT", "POST"):
            headers["content-length"] = str(len(body))
        lines = [f"{method} {path} HTTP/1.1", *[f"{name}: {value}" for name, value in headers.items()]]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body

    def sqs(self, operation, **members):
        return self.raw("sqs", "POST", "/", json.dumps(members).encode(), content_type="application/x-amz-json-1.0",
                        x_amz_target="AmazonSQS." + operation)

    def put(self, path, body=b"", **extra):
        return self.raw("s3", "PUT", path, body, **extra)

    def get(self, path):
        return self.raw("s3", "GET", path)

    def delete_message(self, url):
        """With a hole for the receipt handle, and four digits for the length: see hrload.c."""
        request = self.sqs("DeleteMessage", QueueUrl=url, ReceiptHandle="%HANDLE%")
        head, _, body = request.partition(b"\r\n\r\n")
        return head.replace(b"content-length: %d" % len(body), b"Content-Length: 0000") + b"\r\n\r\n" + body


def frame(request, expect=0, needle=b""):
    needle = needle.encode() if isinstance(needle, str) else needle
    return struct.pack("<III", len(request), expect if needle else 0, len(needle)) + request + needle


def md5(body):
    return hashlib.md5(body.encode() if isinstance(body, str) else body).hexdigest()


class Refused(Exception):
    """An answer that is not a success."""


class Link:
    """Single checked requests, for set-up. Opens its connection anew when the server closed it."""

    def __init__(self, target):
        self.make, self.port, self.connection = Requests(target), target.port, None

    def send(self, request, good=(200, 204)):
        head, _, body = request.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        method, path, _ = lines[0].split(" ")
        headers = dict(line.split(": ", 1) for line in lines[1:])
        for attempt in (1, 2):
            try:
                self.connection = self.connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
                self.connection.request(method, path, body or None, headers)
                answer = self.connection.getresponse()
                text = answer.read()
                break
            except (OSError, http.client.HTTPException):
                self.connection = None
                if attempt == 2:
                    raise
        if answer.status not in good:
            raise Refused(f"{lines[0]}: {answer.status} {text[:160]!r}")
        return text

    def call(self, operation, **members):
        return json.loads(self.send(self.make.sqs(operation, **members)) or b"{}")

    def queue(self, name, **attributes):
        return self.call("CreateQueue", QueueName=name, Attributes=attributes)["QueueUrl"]

    def bucket(self, name):
        """Made where it is not yet."""
        self.send(self.make.put(f"/{name}"), (200, 409))
