"""Buckets and objects through boto3, as everyday programs use them."""
import base64
import hashlib
import os

import pytest
import urllib.request
from conftest import newer_than


def put(aws, bucket, key, body=b"x", **more):
    return aws.s3.put_object(Bucket=bucket, Key=key, Body=body, **more)


def get(aws, bucket, key, **more):
    answer = aws.s3.get_object(Bucket=bucket, Key=key, **more)
    return answer["Body"].read(), answer


def test_a_new_bucket_is_listed_with_its_date(aws):
    aws.s3.create_bucket(Bucket="b-" + aws.account)
    listing = aws.s3.list_buckets()
    assert [b["Name"] for b in listing["Buckets"]] == ["b-" + aws.account]
    assert listing["Buckets"][0]["CreationDate"].year > 2000
    assert len(listing["Owner"]["ID"]) == 64


def test_create_again_in_us_east_1_is_fine_and_another_owner_is_refused(aws, bucket, shared_server, account, refused):
    from conftest import Clients
    aws.s3.create_bucket(Bucket=bucket)
    other = Clients(shared_server.endpoint, "999999999999")
    with refused("BucketAlreadyExists", 409):
        other.s3.create_bucket(Bucket=bucket)


def test_location_follows_the_constraint(shared_server, account):
    from conftest import Clients
    aws = Clients(shared_server.endpoint, account, region="eu-west-1")
    aws.s3.create_bucket(Bucket="loc-" + account, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    assert aws.s3.get_bucket_location(Bucket="loc-" + account)["LocationConstraint"] == "eu-west-1"
    head = aws.s3.head_bucket(Bucket="loc-" + account)
    assert head["ResponseMetadata"]["HTTPHeaders"]["x-amz-bucket-region"] == "eu-west-1"


def test_a_bucket_in_us_east_1_has_no_location(aws, bucket):
    assert aws.s3.get_bucket_location(Bucket=bucket)["LocationConstraint"] is None


def test_a_bucket_with_objects_cannot_be_deleted(aws, bucket, refused):
    put(aws, bucket, "k")
    with refused("BucketNotEmpty", 409):
        aws.s3.delete_bucket(Bucket=bucket)
    aws.s3.delete_object(Bucket=bucket, Key="k")
    aws.s3.delete_bucket(Bucket=bucket)
    with refused("404", 404):
        aws.s3.head_bucket(Bucket=bucket)


@pytest.mark.parametrize("size", [0, 1, 4096, 65536, 65537, 1 << 20, 9 << 20])
def test_a_body_comes_back_as_it_went(aws, bucket, size):
    body = os.urandom(size)
    etag = put(aws, bucket, "dir/key", body)["ETag"]
    assert etag == '"%s"' % hashlib.md5(body).hexdigest()
    got, answer = get(aws, bucket, "dir/key")
    assert got == body and answer["ContentLength"] == size and answer["ETag"] == etag


@pytest.mark.parametrize("key", ["a b+c.txt", "ü/ß.txt", "日本語", "a//b", "down/../up", "dots/../x", "q?x=1&y", "100%", "'\"<>&",
                                 "x" * 1024, "tab\tkey", "trailing/"])
def test_a_key_of_any_characters_survives(aws, bucket, key):
    put(aws, bucket, key, key.encode())
    assert get(aws, bucket, key)[0] == key.encode()
    assert [o["Key"] for o in aws.s3.list_objects_v2(Bucket=bucket)["Contents"]] == [key]
    assert [o["Key"] for o in aws.s3.list_objects(Bucket=bucket)["Contents"]] == [key]
    aws.s3.delete_object(Bucket=bucket, Key=key)
    assert "Contents" not in aws.s3.list_objects_v2(Bucket=bucket)


def test_metadata_and_system_headers_come_back(aws, bucket):
    put(aws, bucket, "k", ContentType="text/x-test", CacheControl="no-cache", ContentDisposition="attachment",
        ContentEncoding="gzip", ContentLanguage="de", Metadata={"owner": "me", "two-words": "a b"})
    head = aws.s3.head_object(Bucket=bucket, Key="k")
    assert head["ContentType"] == "text/x-test" and head["CacheControl"] == "no-cache"
    assert head["ContentDisposition"] == "attachment" and head["ContentEncoding"] == "gzip"
    assert head["ContentLanguage"] == "de" and head["Metadata"] == {"owner": "me", "two-words": "a b"}


def test_metadata_that_no_header_can_carry_is_counted(shared_server, aws, bucket):
    """Browsers' forms and presigned URLs may bring any bytes: none of them becomes another entry, or another header."""
    fields = {"key": "form", "x-amz-meta-a": "one\nb:two", "x-amz-meta-b": "bell\x07", "X-Amz-Meta-C": "\x7f",
              "X-Amz-Meta-Colour": "red"}
    form = "".join(f'--cut\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
                   for name, value in fields.items())
    form += '--cut\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\nx\r\n--cut--\r\n'
    request = urllib.request.Request(f"{shared_server.endpoint}/{bucket}", form.encode(),
                                     {"Content-Type": "multipart/form-data; boundary=cut"})
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 204
    url = aws.s3.generate_presigned_url("put_object", {"Bucket": bucket, "Key": "url", "Metadata": {"colour": "red"}})
    url += "&x-amz-meta-a=1%0D%0AX-Evil:%202"
    with urllib.request.urlopen(urllib.request.Request(url, b"x", method="PUT")) as answer:
        assert answer.status == 200
    aws.s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/form")
    for key, missing in (("form", 3), ("copy", 3), ("url", 1)):
        head = aws.s3.head_object(Bucket=bucket, Key=key)
        assert (head["Metadata"], head.get("MissingMeta")) == ({"colour": "red"}, missing)
        assert "x-evil" not in head["ResponseMetadata"]["HTTPHeaders"]


def test_the_default_type_and_encryption_are_s3s(aws, bucket):
    put(aws, bucket, "k")
    head = aws.s3.head_object(Bucket=bucket, Key="k")
    assert head["ContentType"] == "binary/octet-stream" and head["ServerSideEncryption"] == "AES256"
    assert head["AcceptRanges"] == "bytes"


def test_missing_things_are_named_as_s3_does(aws, bucket, refused):
    with refused("NoSuchKey", 404) as answer:
        aws.s3.get_object(Bucket=bucket, Key="nope")
    assert answer.response["Error"]["Key"] == "nope"
    with refused("404", 404):
        aws.s3.head_object(Bucket=bucket, Key="nope")
    with refused("NoSuchBucket", 404) as answer:
        aws.s3.get_object(Bucket="no-such-" + aws.account, Key="k")
    assert answer.response["Error"]["BucketName"] == "no-such-" + aws.account
    with refused("NoSuchBucket", 404):
        put(aws, "no-such-" + aws.account, "k")


@pytest.mark.parametrize("spec,want,text", [
    ("bytes=0-4", b"hello", "bytes 0-4/11"), ("bytes=6-", b"world", "bytes 6-10/11"),
    ("bytes=-3", b"rld", "bytes 8-10/11"), ("bytes=4-400", b"o world", "bytes 4-10/11")])
def test_a_range_is_a_206(aws, bucket, spec, want, text):
    put(aws, bucket, "k", b"hello world")
    got, answer = get(aws, bucket, "k", Range=spec)
    assert got == want and answer["ContentRange"] == text
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 206


def test_a_range_past_the_end_is_a_416(aws, bucket, refused):
    put(aws, bucket, "k", b"hello")
    with refused("InvalidRange", 416):
        aws.s3.get_object(Bucket=bucket, Key="k", Range="bytes=5-9")


def test_conditional_reads(aws, bucket, refused):
    etag = put(aws, bucket, "k")["ETag"]
    assert get(aws, bucket, "k", IfMatch=etag)[0] == b"x"
    with refused("PreconditionFailed", 412):
        aws.s3.get_object(Bucket=bucket, Key="k", IfMatch='"other"')
    with refused("304", 304):
        aws.s3.get_object(Bucket=bucket, Key="k", IfNoneMatch=etag)
    with refused("304", 304):
        aws.s3.get_object(Bucket=bucket, Key="k", IfModifiedSince=get(aws, bucket, "k")[1]["LastModified"])


@newer_than(1, 35, 0)
def test_conditional_writes(aws, bucket, refused):
    put(aws, bucket, "k", IfNoneMatch="*")
    with refused("PreconditionFailed", 412):
        put(aws, bucket, "k", b"y", IfNoneMatch="*")
    assert get(aws, bucket, "k")[0] == b"x"


def test_a_wrong_md5_stores_nothing(aws, bucket, refused):
    wrong = base64.b64encode(hashlib.md5(b"other").digest()).decode()
    with refused("BadDigest", 400):
        put(aws, bucket, "k", b"body", ContentMD5=wrong)
    with refused("404", 404):
        aws.s3.head_object(Bucket=bucket, Key="k")
    with refused("InvalidDigest", 400):
        put(aws, bucket, "k", b"body", ContentMD5="short")


@newer_than(1, 36, 0)
@pytest.mark.parametrize("algorithm", ["CRC32", "SHA1", "SHA256"])
def test_a_checksum_comes_back_when_asked(aws, bucket, algorithm):
    field = "Checksum" + algorithm
    sent = put(aws, bucket, "k", b"hello", ChecksumAlgorithm=algorithm)[field]
    head = aws.s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert head[field] == sent and head["ChecksumType"] == "FULL_OBJECT"


def test_copy_keeps_or_replaces_metadata(aws, bucket):
    put(aws, bucket, "a b+c", b"body", Metadata={"m": "1"}, ContentType="text/x")
    aws.s3.copy_object(Bucket=bucket, Key="same", CopySource={"Bucket": bucket, "Key": "a b+c"})
    assert aws.s3.head_object(Bucket=bucket, Key="same")["Metadata"] == {"m": "1"}
    aws.s3.copy_object(Bucket=bucket, Key="new", CopySource={"Bucket": bucket, "Key": "a b+c"},
                       MetadataDirective="REPLACE", Metadata={"n": "2"})
    body, answer = get(aws, bucket, "new")
    assert body == b"body" and answer["Metadata"] == {"n": "2"} and answer["ContentType"] == "binary/octet-stream"


def test_copy_onto_itself_needs_a_change(aws, bucket, refused):
    put(aws, bucket, "k")
    with refused("InvalidRequest", 400):
        aws.s3.copy_object(Bucket=bucket, Key="k", CopySource=f"{bucket}/k")
    with refused("NoSuchKey", 404):
        aws.s3.copy_object(Bucket=bucket, Key="k", CopySource=f"{bucket}/none")
    # What the bucket would not encrypt so is changed by the copy: as LocalStack has it, and as AWS does for bucket keys.
    put(aws, bucket, "k", ServerSideEncryption="aws:kms")
    assert aws.s3.copy_object(Bucket=bucket, Key="k", CopySource=f"{bucket}/k")["ServerSideEncryption"] == "AES256"
    with refused("InvalidRequest", 400):
        aws.s3.copy_object(Bucket=bucket, Key="k", CopySource=f"{bucket}/k", ChecksumAlgorithm="SHA256")  # scality #6188
    put(aws, bucket, "k", SSECustomerAlgorithm="AES256", SSECustomerKey=b"k" * 32)
    answer = aws.s3.copy_object(Bucket=bucket, Key="k", CopySource=f"{bucket}/k", CopySourceSSECustomerAlgorithm="AES256",
                                CopySourceSSECustomerKey=b"k" * 32)
    assert answer["ServerSideEncryption"] == "AES256" and get(aws, bucket, "k")[0] == b"x"


def test_delete_objects_answers_for_every_key(aws, bucket):
    for i in range(5):
        put(aws, bucket, f"k{i}")
    answer = aws.s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": f"k{i}"} for i in range(6)]})
    assert [d["Key"] for d in answer["Deleted"]] == [f"k{i}" for i in range(6)] and "Errors" not in answer
    put(aws, bucket, "q")
    quiet = aws.s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "q"}], "Quiet": True})
    assert "Deleted" not in quiet and "Errors" not in quiet


def test_delimiter_gives_folders_and_pages_cover_all(aws, bucket):
    keys = [f"{d}/{f}" for d in "abc" for f in ("1", "2")] + ["top1", "top2"]
    for key in keys:
        put(aws, bucket, key)
    page = aws.s3.list_objects_v2(Bucket=bucket, Delimiter="/")
    assert [p["Prefix"] for p in page["CommonPrefixes"]] == ["a/", "b/", "c/"]
    assert [o["Key"] for o in page["Contents"]] == ["top1", "top2"]
    seen, prefixes, token, pages = [], [], None, 0
    while True:
        more = {"ContinuationToken": token} if token else {}
        page = aws.s3.list_objects_v2(Bucket=bucket, Delimiter="/", MaxKeys=2, **more)
        assert page["KeyCount"] == len(page.get("Contents", [])) + len(page.get("CommonPrefixes", []))
        seen += [o["Key"] for o in page.get("Contents", [])]
        prefixes += [p["Prefix"] for p in page.get("CommonPrefixes", [])]
        pages += 1
        token = page.get("NextContinuationToken")
        if not page["IsTruncated"]:
            break
    assert (seen, prefixes, pages) == (["top1", "top2"], ["a/", "b/", "c/"], 3)
    assert [o["Key"] for o in aws.s3.list_objects_v2(Bucket=bucket, Prefix="b/")["Contents"]] == ["b/1", "b/2"]
    assert [o["Key"] for o in aws.s3.list_objects(Bucket=bucket, Marker="c/1")["Contents"]] == ["c/2", "top1", "top2"]


def test_more_than_a_thousand_keys_page(aws, bucket):
    for i in range(1003):
        put(aws, bucket, f"k{i:05d}", b"")
    pages = list(aws.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket))
    assert [p["KeyCount"] for p in pages] == [1000, 3]
    assert [o["Key"] for p in pages for o in p["Contents"]] == [f"k{i:05d}" for i in range(1003)]


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_a_presigned_url_puts_and_gets(aws, bucket, version):
    s3 = aws.client("s3", signature_version=version)
    url = s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "p q"}, ExpiresIn=60)
    with urllib.request.urlopen(urllib.request.Request(url, b"signed", {"Content-Type": ""}, method="PUT")) as answer:
        assert answer.status == 200
    url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "p q",
                                                          "ResponseContentType": "text/odd"}, ExpiresIn=60)
    with urllib.request.urlopen(url) as answer:
        assert answer.read() == b"signed" and answer.headers["Content-Type"] == "text/odd"


def test_public_access_block_comes_back(aws, bucket, refused):
    block = {"BlockPublicAcls": True, "IgnorePublicAcls": False, "BlockPublicPolicy": True, "RestrictPublicBuckets": False}
    aws.s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=block)
    assert aws.s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"] == block
    aws.s3.delete_public_access_block(Bucket=bucket)
    with refused("NoSuchPublicAccessBlockConfiguration", 404):
        aws.s3.get_public_access_block(Bucket=bucket)


def test_virtual_host_addressing_finds_the_bucket(shared_server, aws, bucket):
    put(aws, bucket, "v/k", b"virtual")
    connection = shared_server.connect()
    connection.request("GET", "/v/k", headers={"Host": f"{bucket}.s3.localhost:{shared_server.port}"})
    assert connection.getresponse().read() == b"virtual"
    connection.close()


def test_sts_says_who_one_is(aws):
    identity = aws.sts.get_caller_identity()
    assert identity["Account"] == aws.account and identity["Arn"].startswith(f"arn:aws:iam::{aws.account}:")
