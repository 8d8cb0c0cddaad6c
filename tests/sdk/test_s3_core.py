"""Versions, listings, tags, attributes, customer keys: what S3's core answers beyond the everyday, through boto3."""
import base64
import hashlib
import http.client
import urllib.parse
import xml.etree.ElementTree as ElementTree

import pytest
from conftest import newer_than

NULL = "null"


@pytest.fixture
def versioned(aws, bucket):
    aws.s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    return bucket


def put(aws, bucket, key, body=b"x", **more):
    return aws.s3.put_object(Bucket=bucket, Key=key, Body=body, **more)


def body_of(aws, bucket, key, **more):
    return aws.s3.get_object(Bucket=bucket, Key=key, **more)["Body"].read()


def raw(aws, method, path, body=None, headers=None):
    place = urllib.parse.urlsplit(aws.endpoint)
    connection = http.client.HTTPConnection(place.hostname, place.port)
    connection.request(method, path, body=body, headers=headers or {})
    answer = connection.getresponse()
    return answer, answer.read()


# --- versions ---

def test_each_put_is_a_version_of_its_own(aws, versioned):
    one, two = put(aws, versioned, "k", b"one")["VersionId"], put(aws, versioned, "k", b"two")["VersionId"]
    assert one != two
    assert body_of(aws, versioned, "k") == b"two"
    assert body_of(aws, versioned, "k", VersionId=one) == b"one"
    head = aws.s3.head_object(Bucket=versioned, Key="k", VersionId=one)
    assert (head["VersionId"], head["ContentLength"]) == (one, 3)


def test_a_delete_marker_hides_and_its_removal_shows_again(aws, versioned, refused):
    put(aws, versioned, "k", b"one")
    marker = aws.s3.delete_object(Bucket=versioned, Key="k")
    assert marker["DeleteMarker"] is True
    with refused("NoSuchKey", 404) as answer:
        aws.s3.get_object(Bucket=versioned, Key="k")
    assert answer.response["ResponseMetadata"]["HTTPHeaders"]["x-amz-delete-marker"] == "true"
    assert answer.response["ResponseMetadata"]["HTTPHeaders"]["x-amz-version-id"] == marker["VersionId"]
    with refused("MethodNotAllowed", 405) as answer:
        aws.s3.get_object(Bucket=versioned, Key="k", VersionId=marker["VersionId"])
    assert answer.response["Error"]["ResourceType"] == "DeleteMarker"
    assert answer.response["Error"]["Method"] == "GET"
    gone = aws.s3.delete_object(Bucket=versioned, Key="k", VersionId=marker["VersionId"])
    assert (gone["DeleteMarker"], gone["VersionId"]) == (True, marker["VersionId"])
    assert body_of(aws, versioned, "k") == b"one"


def test_a_suspended_bucket_has_one_null_version(aws, bucket):
    put(aws, bucket, "k", b"before")
    aws.s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    kept = put(aws, bucket, "k", b"kept")["VersionId"]
    assert body_of(aws, bucket, "k", VersionId=NULL) == b"before"
    aws.s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
    assert "VersionId" not in put(aws, bucket, "k", b"after")
    copied = aws.s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "k"})
    assert "VersionId" not in copied and "CopySourceVersionId" not in copied
    aws.s3.delete_object(Bucket=bucket, Key="copy", VersionId=NULL)
    listed = aws.s3.list_object_versions(Bucket=bucket)["Versions"]
    assert [(v["VersionId"], v["IsLatest"]) for v in listed] == [(NULL, True), (kept, False)]
    assert aws.s3.delete_object(Bucket=bucket, Key="k")["VersionId"] == NULL
    listed = aws.s3.list_object_versions(Bucket=bucket)
    assert [v["VersionId"] for v in listed["Versions"]] == [kept]
    assert [(m["VersionId"], m["IsLatest"]) for m in listed["DeleteMarkers"]] == [(NULL, True)]


def test_versions_page_without_gaps(aws, versioned):
    for key in ("a", "b", "b", "b", "c"):
        put(aws, versioned, key)
    aws.s3.delete_object(Bucket=versioned, Key="b")
    whole = [(v["Key"], v["VersionId"]) for page in aws.s3.get_paginator("list_object_versions").paginate(Bucket=versioned)
             for v in page.get("Versions", []) + page.get("DeleteMarkers", [])]
    paged = [(v["Key"], v["VersionId"])
             for page in aws.s3.get_paginator("list_object_versions").paginate(Bucket=versioned, PaginationConfig={"PageSize": 2})
             for v in page.get("Versions", []) + page.get("DeleteMarkers", [])]
    assert len(whole) == 6 and sorted(paged) == sorted(whole)


def test_a_version_that_is_none_and_one_that_is_gone(aws, versioned, refused):
    version = put(aws, versioned, "k")["VersionId"]
    aws.s3.delete_object(Bucket=versioned, Key="k", VersionId=version)
    with refused("NoSuchVersion", 404) as answer:
        aws.s3.get_object(Bucket=versioned, Key="k", VersionId=version)
    assert (answer.response["Error"]["Key"], answer.response["Error"]["VersionId"]) == ("k", version)
    with refused("InvalidArgument", 400) as answer:
        aws.s3.get_object(Bucket=versioned, Key="k", VersionId="no version")
    assert answer.message == "Invalid version id specified"


def test_delete_objects_tells_markers_and_versions(aws, versioned):
    version = put(aws, versioned, "a")["VersionId"]
    answer = aws.s3.delete_objects(Bucket=versioned, Delete={"Objects": [{"Key": "a", "VersionId": version}, {"Key": "b"}]})
    first, second = answer["Deleted"]
    assert first == {"Key": "a", "VersionId": version}
    assert second["Key"] == "b" and second["DeleteMarker"] and len(second["DeleteMarkerVersionId"]) == 32
    assert "Deleted" not in aws.s3.delete_objects(Bucket=versioned, Delete={"Objects": [{"Key": "a"}], "Quiet": True})


def test_an_old_version_can_be_copied_over_the_new(aws, versioned):
    old = put(aws, versioned, "k", b"old")["VersionId"]
    put(aws, versioned, "k", b"new")
    copy = aws.s3.copy_object(Bucket=versioned, Key="k", CopySource={"Bucket": versioned, "Key": "k", "VersionId": old})
    assert copy["CopySourceVersionId"] == old and copy["VersionId"] not in (old, None)
    assert body_of(aws, versioned, "k") == b"old"


def test_a_versioned_bucket_must_be_emptied_of_versions(aws, versioned, refused):
    put(aws, versioned, "k")
    aws.s3.delete_object(Bucket=versioned, Key="k")
    with refused("BucketNotEmpty", 409) as answer:
        aws.s3.delete_bucket(Bucket=versioned)
    assert answer.message.endswith("You must delete all versions in the bucket.")


# --- listings ---

def test_entries_say_how_they_are_checked_and_stored(aws, bucket):
    put(aws, bucket, "k", b"hello", StorageClass="STANDARD_IA")
    entry, = aws.s3.list_objects_v2(Bucket=bucket, FetchOwner=True)["Contents"]
    assert entry["ETag"] == '"5d41402abc4b2a76b9719d911017c592"' and entry["Size"] == 5
    assert entry["StorageClass"] == "STANDARD_IA" and len(entry["Owner"]["ID"]) == 64


@newer_than(1, 36, 0)
def test_entries_name_their_checksum(aws, bucket):
    put(aws, bucket, "k", b"hello", ChecksumAlgorithm="SHA256")
    entry, = aws.s3.list_objects_v2(Bucket=bucket)["Contents"]
    assert (entry["ChecksumAlgorithm"], entry["ChecksumType"]) == (["SHA256"], "FULL_OBJECT")


def test_pages_of_keys_and_prefixes_join(aws, bucket):
    for key in ("a/1", "a/2", "b", "c/1", "d"):
        put(aws, bucket, key)
    seen, token = [], {}
    while True:
        page = aws.s3.list_objects_v2(Bucket=bucket, Delimiter="/", MaxKeys=1, **token)
        assert page["KeyCount"] == 1
        seen += [c["Prefix"] for c in page.get("CommonPrefixes", [])] + [c["Key"] for c in page.get("Contents", [])]
        if not page["IsTruncated"]:
            break
        token = {"ContinuationToken": page["NextContinuationToken"]}
    assert seen == ["a/", "b", "c/", "d"]
    first = aws.s3.list_objects(Bucket=bucket, Delimiter="/", MaxKeys=1)
    assert first["NextMarker"] == "a/"
    assert [c["Key"] for c in aws.s3.list_objects(Bucket=bucket, Delimiter="/", Marker="a/", MaxKeys=1)["Contents"]] == ["b"]


def test_start_after_and_max_keys_zero(aws, bucket):
    for key in ("a", "b", "c"):
        put(aws, bucket, key)
    assert [c["Key"] for c in aws.s3.list_objects_v2(Bucket=bucket, StartAfter="a")["Contents"]] == ["b", "c"]
    nothing = aws.s3.list_objects_v2(Bucket=bucket, MaxKeys=0)
    assert "Contents" not in nothing and not nothing["IsTruncated"]


def test_control_characters_in_keys_survive_with_and_without_encoding(aws, bucket):
    put(aws, bucket, "a\x01b&<\n")
    assert aws.s3.list_objects_v2(Bucket=bucket)["Contents"][0]["Key"] == "a\x01b&<\n"
    answer, body = raw(aws, "GET", f"/{bucket}?list-type=2&encoding-type=url")
    names = {"s3": "http://s3.amazonaws.com/doc/2006-03-01/"}
    assert ElementTree.fromstring(body).find("s3:Contents/s3:Key", names).text == "a%01b%26%3C%0A"
    assert b"<Key>a&#x1;b&amp;&lt;" in raw(aws, "GET", f"/{bucket}?list-type=2")[1]


@pytest.mark.parametrize("query,text", [
    ("max-keys=x", "Provided max-keys not an integer or within integer range"),
    ("list-type=2&continuation-token=x", "The continuation token provided is incorrect"),
    ("encoding-type=xml", "Invalid Encoding Method specified in Request"),
    ("versions&version-id-marker=x", "A version-id marker cannot be specified without a key marker."),
])
def test_bad_arguments_of_listings_are_named(aws, bucket, query, text):
    answer, body = raw(aws, "GET", f"/{bucket}?{query}")
    error = ElementTree.fromstring(body)
    assert (answer.status, error.findtext("Code"), error.findtext("Message")) == (400, "InvalidArgument", text)


# --- buckets ---

@newer_than(1, 35, 41)
def test_buckets_page_by_prefix_and_region(aws, shared_server, account):
    for name in ("one", "two", "three"):
        aws.s3.create_bucket(Bucket=f"{name}-{account}")
    first = aws.s3.list_buckets(MaxBuckets=2)
    rest = aws.s3.list_buckets(MaxBuckets=2, ContinuationToken=first["ContinuationToken"])
    assert [b["Name"] for b in first["Buckets"] + rest["Buckets"]] == [f"{n}-{account}" for n in ("one", "three", "two")]
    assert {b["BucketRegion"] for b in first["Buckets"]} == {"us-east-1"}
    assert [b["Name"] for b in aws.s3.list_buckets(Prefix="t")["Buckets"]] == [f"three-{account}", f"two-{account}"]
    assert aws.s3.list_buckets(BucketRegion="eu-west-1")["Buckets"] == []


def test_location_constraints_are_checked(aws, account, refused):
    with refused("InvalidLocationConstraint", 400):
        aws.s3.create_bucket(Bucket=f"l-{account}", CreateBucketConfiguration={"LocationConstraint": "mars-1"})
    answer, body = raw(aws, "PUT", "/Bad_Name")
    assert (answer.status, ElementTree.fromstring(body).findtext("Code")) == (400, "InvalidBucketName")


# --- tags, attributes, keys ---

def test_tags_come_back_and_are_counted(aws, bucket, refused):
    put(aws, bucket, "k", Tagging="b=2&a=1")
    assert aws.s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]
    assert aws.s3.get_object(Bucket=bucket, Key="k")["TagCount"] == 2
    with refused("InvalidTag", 400) as answer:
        aws.s3.put_object_tagging(Bucket=bucket, Key="k", Tagging={"TagSet": [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]})
    assert answer.message == "Cannot provide multiple Tags with the same key"
    with refused("BadRequest", 400) as answer:  # as users of AWS report it: boto/boto3#1213
        aws.s3.put_object_tagging(Bucket=bucket, Key="k", Tagging={"TagSet": [{"Key": str(i), "Value": ""} for i in range(11)]})
    assert answer.message == "Object tags cannot be greater than 10"
    aws.s3.delete_object_tagging(Bucket=bucket, Key="k")
    assert aws.s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == []


def test_attributes_are_those_asked_for(aws, bucket):
    put(aws, bucket, "k", b"hello")
    some = aws.s3.get_object_attributes(Bucket=bucket, Key="k", ObjectAttributes=["ETag", "ObjectSize"])
    assert (some["ETag"], some["ObjectSize"]) == ("5d41402abc4b2a76b9719d911017c592", 5)
    assert "StorageClass" not in some and "Checksum" not in some


def test_a_customers_key_is_needed_to_read(aws, bucket, refused):
    def key(text):
        return {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": text * 32}
    written = put(aws, bucket, "k", b"secret", **key("a"))
    assert written["SSECustomerKeyMD5"] == base64.b64encode(hashlib.md5(b"a" * 32).digest()).decode()
    assert body_of(aws, bucket, "k", **key("a")) == b"secret"
    with refused("InvalidRequest", 400):
        aws.s3.get_object(Bucket=bucket, Key="k")
    with refused("AccessDenied", 403):
        aws.s3.get_object(Bucket=bucket, Key="k", **key("b"))


def test_copy_directives_for_tags(aws, bucket):
    put(aws, bucket, "k", Tagging="a=1")
    source = {"Bucket": bucket, "Key": "k"}
    aws.s3.copy_object(Bucket=bucket, Key="kept", CopySource=source)
    aws.s3.copy_object(Bucket=bucket, Key="new", CopySource=source, TaggingDirective="REPLACE", Tagging="b=2")
    assert aws.s3.get_object_tagging(Bucket=bucket, Key="kept")["TagSet"] == [{"Key": "a", "Value": "1"}]
    assert aws.s3.get_object_tagging(Bucket=bucket, Key="new")["TagSet"] == [{"Key": "b", "Value": "2"}]


def test_copies_ask_conditions_of_their_source(aws, bucket, refused):
    etag = put(aws, bucket, "k")["ETag"]
    source = {"Bucket": bucket, "Key": "k"}
    aws.s3.copy_object(Bucket=bucket, Key="c", CopySource=source, CopySourceIfMatch=etag)
    with refused("PreconditionFailed", 412) as answer:
        aws.s3.copy_object(Bucket=bucket, Key="c", CopySource=source, CopySourceIfNoneMatch=etag)
    assert answer.response["Error"]["Condition"] == "x-amz-copy-source-If-None-Match"


def test_metadata_beyond_ascii_comes_back_mail_safe(aws, bucket):
    raw(aws, "PUT", f"/{bucket}/k", b"x", {"x-amz-meta-name": "Ä".encode(), "Content-Length": "1"})
    answer, _ = raw(aws, "HEAD", f"/{bucket}/k")
    assert answer.getheader("x-amz-meta-name") == "=?UTF-8?B?w4PChA==?="


def test_answers_can_be_given_other_headers(aws, bucket):
    put(aws, bucket, "k", ContentType="text/plain")
    answer = aws.s3.get_object(Bucket=bucket, Key="k", ResponseContentType="text/csv", ResponseCacheControl="no-store")
    assert (answer["ContentType"], answer["CacheControl"]) == ("text/csv", "no-store")


def test_the_expected_owner_is_checked(aws, bucket, account, refused):
    aws.s3.head_bucket(Bucket=bucket, ExpectedBucketOwner=account)
    with refused("AccessDenied", 403):
        aws.s3.list_objects_v2(Bucket=bucket, ExpectedBucketOwner="999999999999")
    with refused("InvalidBucketOwnerAWSAccountID", 400):
        aws.s3.list_objects_v2(Bucket=bucket, ExpectedBucketOwner="abcd")
