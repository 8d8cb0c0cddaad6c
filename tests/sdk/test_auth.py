"""Signatures under --auth verify: what botocore signs is accepted, whatever was changed afterwards is not, in every form that it
has: header and query, SigV4 and SigV2, whole bodies, unsigned ones and signed chunks."""
import base64
import datetime
import hashlib
import hmac
import http.client
import struct
import urllib.error
import urllib.request
import zlib

import boto3
import botocore
import pytest
from botocore.config import Config
from conftest import Clients, Refused
from harness import Server

KEY = "123456789012"


@pytest.fixture(scope="module")
def server():
    with Server("--no-pipeline", "--auth", "verify") as server:
        yield server


@pytest.fixture(scope="module")
def bucket(server):
    Clients(server.endpoint, KEY).s3.create_bucket(Bucket="signed")
    Clients(server.endpoint, KEY).s3.put_object(Bucket="signed", Key="k", Body=b"hello")
    return "signed"


def client(server, service="s3", key=KEY, secret="test", **config):
    return boto3.client(service, endpoint_url=server.endpoint, region_name="us-east-1", aws_access_key_id=key,
                        aws_secret_access_key=secret, config=Config(retries={"max_attempts": 0}, **config))


def fetch(url, method="GET", body=None, headers=None):
    request = urllib.request.Request(url, data=body, method=method, headers=headers or {})
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


@pytest.mark.parametrize("version", ["s3v4", "s3"])
def test_signed_headers_hold(server, bucket, version):
    s3 = client(server, signature_version=version)
    s3.put_object(Bucket=bucket, Key="a b/\u00fc+c", Body=b"x", ContentType="text/plain", Metadata={"a": "b"})
    assert s3.list_objects_v2(Bucket=bucket, Prefix="a b/")["KeyCount"] == 1
    assert s3.get_object(Bucket=bucket, Key="a b/\u00fc+c")["Metadata"] == {"a": "b"}


@pytest.mark.parametrize("signing", [True, False])
def test_bodies_may_be_signed_or_not(server, bucket, signing):
    client(server, s3={"payload_signing_enabled": signing}).put_object(Bucket=bucket, Key="body", Body=b"x")


@pytest.mark.parametrize("version", ["s3v4", "s3"])
def test_a_wrong_secret_is_shown_what_was_signed(server, bucket, version):
    with Refused("SignatureDoesNotMatch", 403) as answer:
        client(server, secret="wrong", signature_version=version).list_objects(Bucket=bucket)
    error = answer.response["Error"]
    assert error["AWSAccessKeyId"] == KEY
    assert bytes.fromhex(error["StringToSignBytes"].replace(" ", "")).decode() == error["StringToSign"]
    assert ("CanonicalRequest" in error) == (version == "s3v4")


def test_unknown_keys_and_nobody(server, bucket):
    with Refused("InvalidAccessKeyId", 403):
        client(server, key="AKIANOBODY").list_objects(Bucket=bucket)
    with Refused("AccessDenied", 403):
        client(server, signature_version=botocore.UNSIGNED).list_objects(Bucket=bucket)


@pytest.mark.parametrize("service, call", [("sqs", "list_queues"), ("sts", "get_caller_identity")])
def test_the_other_services_check_the_body_too(server, service, call):
    getattr(client(server, service), call)()
    with Refused("SignatureDoesNotMatch", 403):
        getattr(client(server, service, secret="wrong"), call)()
    with Refused("InvalidClientTokenId", 403):
        getattr(client(server, service, key="AKIANOBODY"), call)()
    with Refused("MissingAuthenticationToken", 403) as answer:
        getattr(client(server, service, signature_version=botocore.UNSIGNED), call)()
    assert answer.message == "Request is missing Authentication Token"


@pytest.mark.parametrize("version", ["s3v4", "s3"])
def test_presigned_urls(server, bucket, version):
    s3 = client(server, signature_version=version)
    url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k", "ResponseContentType": "a/b"})
    assert fetch(url) == (200, "hello")
    status, text = fetch(url.replace("/k?", "/other?"))
    assert status == 403 and "<Code>SignatureDoesNotMatch</Code>" in text
    put = s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "put"})
    assert fetch(put, "PUT", b"data", {"Content-Type": ""})[0] == 200
    assert fetch(put, "GET")[0] == 403


def test_headers_that_were_not_signed_are_refused(server, bucket):
    url = client(server, signature_version="s3v4").generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k"})
    status, text = fetch(url, headers={"x-amz-request-payer": "requester"})
    assert status == 403 and "<HeadersNotSigned>x-amz-request-payer</HeadersNotSigned>" in text


# --- aws-chunked, signed ---

EMPTY = hashlib.sha256(b"").hexdigest()


def mac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256)


class Chunks:
    """A PUT with a body in signed chunks, as SDKs without trailers sent it, and with a signed trailer."""

    def __init__(self, server, path, body, size, trailer=None):
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        self.now, self.scope = now, f"{now[:8]}/us-east-1/s3/aws4_request"
        self.key = b"AWS4test"
        for part in self.scope.split("/"):
            self.key = mac(self.key, part).digest()
        mode = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" + ("-TRAILER" if trailer else "")
        self.host, self.path = server.endpoint.split("//")[1], path
        self.headers = {"content-encoding": "aws-chunked", "host": self.host, "x-amz-content-sha256": mode, "x-amz-date": now,
                        "x-amz-decoded-content-length": str(len(body))}
        if trailer:
            self.headers["x-amz-trailer"] = trailer[0]
        names = ";".join(sorted(self.headers))
        lines = "".join(f"{name}:{self.headers[name]}\n" for name in sorted(self.headers))
        canonical = f"PUT\n{path}\n\n{lines}\n{names}\n{mode}"
        text = f"AWS4-HMAC-SHA256\n{now}\n{self.scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        self.previous = mac(self.key, text).hexdigest()
        self.headers["authorization"] = (f"AWS4-HMAC-SHA256 Credential={KEY}/{self.scope}, SignedHeaders={names}, "
                                         f"Signature={self.previous}")
        self.body = b"".join(self.chunk(body[at:at + size]) for at in range(0, len(body), size)) + self.chunk(b"", trailer)

    def sign(self, kind, tail):
        self.previous = mac(self.key, f"AWS4-HMAC-SHA256-{kind}\n{self.now}\n{self.scope}\n{self.previous}\n{tail}").hexdigest()
        return self.previous

    def chunk(self, data, trailer=None):
        signature = self.sign("PAYLOAD", f"{EMPTY}\n{hashlib.sha256(data).hexdigest()}")
        head = f"{len(data):x};chunk-signature={signature}\r\n".encode()
        if not trailer:
            return head + data + b"\r\n"
        line = f"{trailer[0]}:{trailer[1]}"
        signature = self.sign("TRAILER", hashlib.sha256((line + "\n").encode()).hexdigest())
        return head + f"{line}\r\nx-amz-trailer-signature:{signature}\r\n\r\n".encode()

    def send(self):
        connection = http.client.HTTPConnection(self.host)
        connection.request("PUT", self.path, self.body, self.headers)
        answer = connection.getresponse()
        return answer.status, answer.getheader("etag"), answer.read().decode()


BODY = b"a" * 100000
CRC32 = base64.b64encode(struct.pack(">I", zlib.crc32(BODY))).decode()


def test_signed_chunks_hold(server, bucket):
    status, etag, _ = Chunks(server, f"/{bucket}/chunks", BODY, 65536).send()
    assert (status, etag) == (200, f'"{hashlib.md5(BODY).hexdigest()}"')
    assert client(server).get_object(Bucket=bucket, Key="chunks")["Body"].read() == BODY


def test_a_changed_chunk_leaves_nothing_behind(server, bucket):
    request = Chunks(server, f"/{bucket}/changed", BODY, 65536)
    request.body = request.body.replace(b"aaaa", b"aaab", 1)
    status, _, text = request.send()
    assert status == 403 and "<Code>SignatureDoesNotMatch</Code>" in text
    with Refused("404", 404):
        client(server).head_object(Bucket=bucket, Key="changed")


def test_a_signed_trailer_is_checked_twice(server, bucket):
    path = f"/{bucket}/trailer"
    assert Chunks(server, path, BODY, 65536, ("x-amz-checksum-crc32", CRC32)).send()[0] == 200
    assert "<Code>BadDigest</Code>" in Chunks(server, path, BODY, 65536, ("x-amz-checksum-crc32", "AAAAAA==")).send()[2]
    request = Chunks(server, path, BODY, 65536, ("x-amz-checksum-crc32", CRC32))
    request.body = request.body.replace(b"x-amz-trailer-signature:", b"x-amz-trailer-signature:0")
    assert "<Code>SignatureDoesNotMatch</Code>" in request.send()[2]


def test_small_chunks_are_for_the_end(server, bucket):
    status, _, text = Chunks(server, f"/{bucket}/small", BODY, 1000).send()
    assert status == 403 and "<Code>InvalidChunkSizeError</Code>" in text


# --- the region of a signature ---

def in_region(server, region, **config):
    return boto3.client("s3", endpoint_url=server.endpoint, region_name=region, aws_access_key_id=KEY,
                        aws_secret_access_key="test", config=Config(retries={"max_attempts": 0}, **config))


def test_a_signature_names_the_region_of_its_bucket(server, bucket):
    url = in_region(server, "ap-south-1", signature_version="s3v4").generate_presigned_url(
        "get_object", {"Bucket": bucket, "Key": "k"})
    status, text = fetch(url)
    assert status == 400 and "<Code>AuthorizationQueryParametersError</Code>" in text
    assert "the region 'ap-south-1' is wrong; expecting 'us-east-1'" in text and "<Region>us-east-1</Region>" in text


def test_clients_of_another_region_are_sent_to_the_right_one(server, bucket):
    elsewhere = in_region(server, "ap-south-1", signature_version="s3v4")
    assert elsewhere.get_object(Bucket=bucket, Key="k")["Body"].read() == b"hello"
    headers = in_region(server, "ap-south-1").head_bucket(Bucket=bucket)["ResponseMetadata"]["HTTPHeaders"]
    assert headers["x-amz-bucket-region"] == "us-east-1"


def test_a_region_that_is_none_is_refused_everywhere(server, bucket):
    with Refused("AuthorizationHeaderMalformed", 400) as answer:
        in_region(server, "nowhere-1").list_buckets()
    assert answer.message == ("The authorization header is malformed; the region 'nowhere-1' is wrong; "
                              "expecting 'us-east-1'")
    assert answer.response["Error"]["Region"] == "us-east-1"
    in_region(server, "eu-west-1").list_buckets()
