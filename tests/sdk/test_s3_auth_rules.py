"""The errors of signatures, presigned URLs and browser forms as recorded against AWS: code, text and extra elements."""
import base64
import datetime
import hashlib
import hmac
import http.client
import json
import re
import urllib.parse
import xml.etree.ElementTree as ElementTree

import boto3
import pytest
from botocore.config import Config
from conftest import Clients
from harness import Server

KEY = "123456789012"
BUCKET = "form-rules"


@pytest.fixture(scope="module")
def server():
    with Server("--no-pipeline", "--auth", "verify") as server:
        Clients(server.endpoint, KEY).s3.create_bucket(Bucket=BUCKET)
        Clients(server.endpoint, KEY).s3.put_object(Bucket=BUCKET, Key="k", Body=b"hello")
        yield server


def client(server, version):
    return boto3.client("s3", endpoint_url=server.endpoint, region_name="us-east-1", aws_access_key_id=KEY,
                        aws_secret_access_key="test",
                        config=Config(signature_version=version, retries={"max_attempts": 0}))


def send(server, method, target, headers=None, body=None):
    """Status and the error's elements in their order, without the ids."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.request(method, target, body=body, headers=headers or {})
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    elements = [(child.tag, child.text or "") for child in ElementTree.fromstring(text)] if text else []
    return answer.status, [pair for pair in elements if pair[0] not in ("RequestId", "HostId")]


def presigned(server, version, seconds=3600):
    url = client(server, version).generate_presigned_url("get_object", {"Bucket": BUCKET, "Key": "k"}, ExpiresIn=seconds)
    return url[len(server.endpoint):]


@pytest.mark.parametrize("version, names", [
    ("s3", ["Code", "Message", "Expires", "ServerTime"]),
    ("s3v4", ["Code", "Message", "X-Amz-Expires", "Expires", "ServerTime"])])
def test_an_url_whose_time_is_over(server, version, names):
    target = presigned(server, version, 60)
    assert server.json("POST", "/_headrace/clock", {"advance": "2m"})[0] == 200
    status, found = send(server, "GET", target)
    server.json("POST", "/_headrace/clock", {"real": True})
    assert (status, [name for name, _ in found]) == (403, names)
    assert dict(found)["Code"] == "AccessDenied" and dict(found)["Message"] == "Request has expired"
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", dict(found)[name]) for name in ("Expires", "ServerTime"))


def without(target, name):
    path, _, query = target.partition("?")
    return path + "?" + "&".join(pair for pair in query.split("&") if not pair.startswith(name + "="))


def test_urls_that_lack_a_parameter(server):
    assert send(server, "GET", without(presigned(server, "s3"), "Expires")) == (403, [
        ("Code", "AccessDenied"),
        ("Message", "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters")])
    assert send(server, "GET", without(presigned(server, "s3v4"), "X-Amz-Expires")) == (400, [
        ("Code", "AuthorizationQueryParametersError"),
        ("Message", "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, "
                    "X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.")])


def test_a_header_that_was_not_signed(server):
    status, found = send(server, "GET", presigned(server, "s3v4"), {"x-amz-meta-a": "b", "x-amz-request-payer": "requester"})
    assert (status, found) == (403, [
        ("Code", "AccessDenied"), ("Message", "There were headers present in the request which were not signed"),
        ("HeadersNotSigned", "x-amz-meta-a, x-amz-request-payer")])


@pytest.mark.parametrize("version, parameter, more", [
    ("s3", "Signature", []), ("s3v4", "X-Amz-Signature", ["CanonicalRequest", "CanonicalRequestBytes"])])
def test_a_signature_that_does_not_match(server, version, parameter, more):
    target = without(presigned(server, version), parameter) + f"&{parameter}={'0' * 64}"
    status, found = send(server, "GET", target)
    assert (status, [name for name, _ in found]) == (403, [
        "Code", "Message", "AWSAccessKeyId", "StringToSign", "SignatureProvided", "StringToSignBytes", *more])
    assert dict(found)["Message"] == ("The request signature we calculated does not match the signature you provided. "
                                      "Check your key and signing method.")
    assert dict(found)["SignatureProvided"] == "0" * 64


# --- browser forms ---

def form(server, conditions, fields, key="posted", expires=3600, body=b"hello", leave=(), signed=True):
    """POSTs a form signed with SigV2, whose policy has these conditions."""
    end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=expires)
    policy = base64.b64encode(json.dumps({
        "expiration": end.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "conditions": [{"bucket": BUCKET}, ["starts-with", "$key", "posted"], *conditions]}).encode()).decode()
    signature = base64.b64encode(hmac.new(b"test", policy.encode(), hashlib.sha1).digest()).decode()
    values = {"key": key, "AWSAccessKeyId": KEY, "policy": policy, "signature": signature, **fields}
    boundary = "boundary"
    parts = [f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
             for name, value in values.items() if name not in leave]
    text = "".join(parts).encode() + f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n' \
        .encode() + body + f"\r\n--{boundary}--\r\n".encode()
    return send(server, "POST", f"/{BUCKET}", {"Content-Type": f"multipart/form-data; boundary={boundary}"}, text)


def test_a_form_as_it_should_be(server):
    assert form(server, [], {}) == (204, [])


def test_forms_that_break_their_policy(server):
    status, found = form(server, [["eq", "$success_action_redirect", "http://localhost/yes"]],
                         {"success_action_redirect": "http://localhost/no"})
    assert (status, found) == (403, [
        ("Code", "AccessDenied"),
        ("Message", 'Invalid according to Policy: Policy Condition failed: ["eq", "$success_action_redirect", '
                    '"http://localhost/yes"]')])
    assert form(server, [], {}, expires=-60) == (403, [
        ("Code", "AccessDenied"), ("Message", "Invalid according to Policy: Policy expired.")])


def test_a_form_with_too_much(server):
    assert form(server, [["content-length-range", 0, 4]], {}) == (400, [
        ("Code", "EntityTooLarge"), ("Message", "Your proposed upload exceeds the maximum allowed size"),
        ("ProposedSize", "5"), ("MaxSizeAllowed", "4")])
    assert form(server, [["content-length-range", 0, 0]], {})[1][2:] == [("ProposedSize", "5"), ("MaxSizeAllowed", "0")]
    assert form(server, [["content-length-range", 0, 0]], {}, body=b"") == (204, [])


def test_a_form_without_its_signature(server):
    status, found = form(server, [], {}, leave=("signature",))
    assert (status, found) == (400, [
        ("Code", "InvalidArgument"),
        ("Message", "Bucket POST must contain a field named 'Signature'.  If it is specified, please check the order of "
                    "the fields."),
        ("ArgumentName", "Signature"), ("ArgumentValue", "")])


def test_a_form_that_is_none(server):
    status, found = send(server, "POST", f"/{BUCKET}", {"Content-Type": "application/x-www-form-urlencoded"},
                         urllib.parse.urlencode({"key": "k"}))
    assert (status, found) == (412, [
        ("Code", "PreconditionFailed"), ("Message", "At least one of the pre-conditions you specified did not hold"),
        ("Condition", "Bucket POST must be of the enclosure-type multipart/form-data")])


# --- regions of buckets ---

def test_buckets_and_regions(server):
    here = Clients(server.endpoint, KEY)
    there = Clients(server.endpoint, KEY, region="us-west-2")

    def refusal(make, code, text, **extras):
        with pytest.raises(here.s3.exceptions.ClientError) as refused:
            make()
        error = refused.value.response["Error"]
        assert (error["Code"], error["Message"]) == (code, text)
        assert {name: error[name] for name in extras} == extras

    def west(clients, location):
        settings = {"CreateBucketConfiguration": {"LocationConstraint": location}} if location else {}
        return lambda: clients.s3.create_bucket(Bucket="west-rules", **settings)

    refusal(west(there, None), "IllegalLocationConstraintException",
            "The unspecified location constraint is incompatible for the region specific endpoint this request was sent to.")
    refusal(west(there, "eu-west-1"), "IllegalLocationConstraintException",
            "The eu-west-1 location constraint is incompatible for the region specific endpoint this request was sent to.")
    west(there, "us-west-2")()
    refusal(west(there, "us-west-2"), "BucketAlreadyOwnedByYou",
            "Your previous request to create the named bucket succeeded and you already own it.", BucketName="west-rules")
    assert there.s3.get_bucket_location(Bucket="west-rules")["LocationConstraint"] == "us-west-2"
