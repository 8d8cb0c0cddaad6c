"""boto3 beyond plain calls: the transfer manager, resources, waiters, paginators, presigned posts, streams; keys of all kinds."""
import io
import os
import urllib.error
import urllib.request
import uuid

import botocore
import pytest
from boto3.s3.transfer import TransferConfig
from botocore.response import StreamingBody
from conftest import NAMES

MIB = 1 << 20
PARTS = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB, max_concurrency=3)


@pytest.fixture
def shop(place, bucket):
    config = botocore.config.Config(s3={"addressing_style": place.style}, proxies={"http": place.proxy} if place.proxy else None)
    return place.session().resource("s3", endpoint_url=place.endpoint, config=config).Bucket(bucket)


def opener(place):
    return urllib.request.build_opener(urllib.request.ProxyHandler({"http": place.proxy} if place.proxy else {}))


@pytest.mark.parametrize("size", [0, 5, 12 * MIB + 3])
def test_file_objects_go_up_and_down(s3, bucket, size):
    body, back, seen = os.urandom(size), io.BytesIO(), []
    s3.upload_fileobj(io.BytesIO(body), bucket, "f", ExtraArgs={"Metadata": {"a": "b"}, "ChecksumAlgorithm": "SHA256"}, Config=PARTS,
                      Callback=seen.append)
    s3.download_fileobj(bucket, "f", back, Config=PARTS)
    assert back.getvalue() == body and sum(seen) == size
    assert s3.head_object(Bucket=bucket, Key="f")["Metadata"] == {"a": "b"}


def test_a_stream_that_cannot_seek_goes_up(s3, bucket):
    class Pipe(io.RawIOBase):
        left = 7 * MIB

        def readable(self):
            return True

        def readinto(self, buffer):
            n = min(len(buffer), self.left)
            buffer[:n] = b"p" * n
            self.left -= n
            return n
    s3.upload_fileobj(Pipe(), bucket, "pipe", Config=PARTS)
    assert s3.get_object(Bucket=bucket, Key="pipe")["Body"].read() == b"p" * 7 * MIB


KEYS = [*NAMES, "/lead", "trail/", "a//b", "down/..", "down/../up", "./here", "a/../b", "+", "%", "%2F", "%00", "?", "#", "&", "=", " ", "e\u0301", "\u2028",
        "a\nb", "tab\t", "\x7f", "k" * 1000, "~", "'", "(", ")", "*", "!", "a:b", "http://x/y", "?uploads", "a;b", "[]", "|", "\\", "^", "`", '"', "<>"]


def test_keys_of_any_kind(s3, place, bucket):
    for key in KEYS:
        if place.proxy and {".", ".."} & set(key.split("/")):
            continue  # urllib3 resolves them before it asks a proxy
        copy = f"copy of {key}"
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
        assert [row["Key"] for row in s3.list_objects_v2(Bucket=bucket, Prefix=key)["Contents"]] == [key]
        assert [row["Key"] for row in s3.list_objects(Bucket=bucket, Prefix=key)["Contents"]] == [key]
        s3.copy_object(Bucket=bucket, Key=copy, CopySource={"Bucket": bucket, "Key": key})
        link = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": copy})
        assert opener(place).open(link).read() == key.encode()
        deleted = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key}, {"Key": copy}]})["Deleted"]
        assert len(deleted) == 2 and "Contents" not in s3.list_objects_v2(Bucket=bucket)


def test_resources(shop, place, tmp_path):
    (tmp_path / "f").write_bytes(b"hello")
    shop.upload_file(str(tmp_path / "f"), "a b+c")
    one = shop.Object("a b+c")
    assert (one.content_length, one.get()["Body"].read()) == (5, b"hello")
    one.copy({"Bucket": shop.name, "Key": "a b+c"}, ExtraArgs={"MetadataDirective": "REPLACE", "Metadata": {"x": "y"}})
    assert shop.Object("a b+c").metadata == {"x": "y"}
    for at in range(5):
        shop.put_object(Key=f"many/{at}", Body=b"")
    assert [row.key for row in shop.objects.filter(Prefix="many/").limit(3)] == ["many/0", "many/1", "many/2"]
    shop.Versioning().enable()
    assert shop.Versioning().status == "Enabled"
    shop.objects.filter(Prefix="many/").delete()
    shop.Object("a b+c").Acl().put(ACL="private")
    shop.object_versions.delete()
    assert not list(shop.object_versions.all())
    shop.delete()
    shop.wait_until_not_exists()


def test_paginators_and_waiters(s3, bucket):
    for at in range(7):
        s3.put_object(Bucket=bucket, Key=f"d{at % 2}/\u00fc {at}")
    for operation, rows in (("list_objects_v2", "Contents"), ("list_objects", "Contents"), ("list_object_versions", "Versions")):
        pages = s3.get_paginator(operation).paginate(Bucket=bucket, PaginationConfig={"PageSize": 2})
        assert len([row for page in pages for row in page[rows]]) == 7
        pages = s3.get_paginator(operation).paginate(Bucket=bucket, Delimiter="/", PaginationConfig={"PageSize": 1})
        assert [row["Prefix"] for row in pages.search("CommonPrefixes") if row] == ["d0/", "d1/"]
    uploads = {s3.create_multipart_upload(Bucket=bucket, Key="same")["UploadId"] for _ in range(3)}
    pages = s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket, PaginationConfig={"PageSize": 1})
    assert {row["UploadId"] for page in pages for row in page["Uploads"]} == uploads
    upload = uploads.pop()
    for number in range(1, 4):
        s3.upload_part(Bucket=bucket, Key="same", UploadId=upload, PartNumber=number, Body=b"x")
    pages = s3.get_paginator("list_parts").paginate(Bucket=bucket, Key="same", UploadId=upload, PaginationConfig={"PageSize": 2})
    assert [row["PartNumber"] for page in pages for row in page["Parts"]] == [1, 2, 3]
    s3.get_waiter("object_exists").wait(Bucket=bucket, Key="d0/\u00fc 0")
    s3.get_waiter("bucket_exists").wait(Bucket=bucket)


@pytest.mark.parametrize("version", ["s3v4", "s3"])
def test_a_form_uploads(place, bucket, version):
    s3 = place.client(signature_version=version)
    post = s3.generate_presigned_post(bucket, "form/${filename}", Fields={"acl": "private", "x-amz-meta-tag": "v w", "success_action_status": "201"},
                                      Conditions=[{"acl": "private"}, {"x-amz-meta-tag": "v w"}, {"success_action_status": "201"},
                                                  ["content-length-range", 1, 10]])
    status, text = send_form(place, post, "a b+\u00fc.txt", b"hello")
    assert status == 201 and "<Key>form/a b+\u00fc.txt</Key>" in text
    assert s3.get_object(Bucket=bucket, Key="form/a b+\u00fc.txt")["Metadata"] == {"tag": "v w"}
    status, text = send_form(place, post, "large", b"x" * 11)
    assert status == 400 and "<Code>EntityTooLarge</Code>" in text
    post["fields"]["x-amz-meta-tag"] = "other"
    status, text = send_form(place, post, "other", b"x")
    assert (status, "<Code>AccessDenied</Code>" in text) == (403, True) if place.auth != "off" else status in (201, 403)


def send_form(place, post, name, body):
    mark = uuid.uuid4().hex
    rows = "".join(f'--{mark}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n' for key, value in post["fields"].items())
    rows += f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\nContent-Type: text/plain\r\n\r\n'
    data = rows.encode() + body + f"\r\n--{mark}--\r\n".encode()
    request = urllib.request.Request(post["url"], data, {"Content-Type": f"multipart/form-data; boundary={mark}"})
    try:
        with opener(place).open(request) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_bodies_can_be_read_in_many_ways(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"one\ntwo\n" * 1000)
    body = s3.get_object(Bucket=bucket, Key="k")["Body"]
    assert isinstance(body, StreamingBody) and next(body.iter_lines()) == b"one"
    assert sum(len(part) for part in s3.get_object(Bucket=bucket, Key="k")["Body"].iter_chunks(100)) == 8000
    assert s3.get_object(Bucket=bucket, Key="k", Range="bytes=-4")["Body"].read() == b"two\n"


@pytest.mark.parametrize("config", [{"payload_signing_enabled": True}, {"payload_signing_enabled": False}, {"use_accelerate_endpoint": False}])
@pytest.mark.parametrize("algorithm", ["CRC32", "SHA1", "SHA256"])
def test_bodies_signed_or_with_trailers(place, bucket, config, algorithm):
    s3 = place.client(s3={"addressing_style": place.style, **config})
    s3.put_object(Bucket=bucket, Key="k", Body=io.BytesIO(b"x" * 100000), ChecksumAlgorithm=algorithm)
    assert s3.get_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")["Body"].read() == b"x" * 100000


def test_queues(place):
    session = place.session()
    # Queues have no virtual hosts, so the server is addressed itself.
    queue = session.resource("sqs", endpoint_url=place.server.endpoint).create_queue(QueueName="q")
    queue.send_message(MessageBody="a \u00fc", MessageAttributes={"n": {"DataType": "Number", "StringValue": "1"}})
    (message,) = queue.receive_messages(MessageAttributeNames=["All"])
    assert message.body == "a \u00fc" and message.message_attributes["n"]["StringValue"] == "1"
    message.change_visibility(VisibilityTimeout=5)
    message.delete()
    queue.delete()
