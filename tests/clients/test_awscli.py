"""aws-cli 2 from Debian and the newest aws-cli 1 from pip: the s3 commands, nearly every s3api operation, presigned links, SQS.
Each command of theirs takes most of a second, so each version goes one way: signatures checked, or policies enforced and virtual hosts.

CLIENTS_AWS1 names the aws-cli 1; without it only version 2 is tested."""
import json
import os
import urllib.request

import pytest
from conftest import NAMES, Place, files_of, need, run

WAYS = ["v2-enforce-virtual", pytest.param("v1-verify-path", marks=pytest.mark.skipif("CLIENTS_AWS1" not in os.environ, reason="no CLIENTS_AWS1"))]


@pytest.fixture(params=WAYS)
def place(request, servers):
    version, auth, style = request.param.split("-")
    place = Place(servers(auth), auth, style)
    place.version = version
    return place


@pytest.fixture
def aws(place, tmp_path):
    """Runs one command."""
    config = tmp_path / "config"
    config.write_text(f"[default]\ns3 =\n  addressing_style = {place.style}\n")
    program, env = need("aws") if place.version == "v2" else os.environ["CLIENTS_AWS1"], place.environment(AWS_CONFIG_FILE=str(config))

    def cli(service, *arguments, endpoint=None, **more):
        endpoint = endpoint or (place.endpoint if service != "sqs" else place.server.endpoint)
        return run([program, "--endpoint-url", endpoint, service, *arguments], env, **more)
    return cli


@pytest.fixture
def api(aws, place):
    """aws s3api OPERATION --bucket BUCKET ...: its answer."""
    def call(operation, *arguments, **more):
        out = aws("s3api", operation, "--bucket", place.bucket, *arguments, "--output", "json", **more)
        return out if more.get("code") else json.loads(out or "{}")
    return call


def fetch(place, link):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({"http": place.proxy} if place.proxy else {}))
    with opener.open(link) as answer:
        return answer.read()


def test_mb_cp_ls_mv_rm_rb(aws, place, tree, tmp_path):
    there = f"s3://{place.bucket}"
    aws("s3", "mb", there)
    aws("s3", "cp", "--quiet", "--recursive", tree, f"{there}/t")
    listing = aws("s3", "ls", "--recursive", there)
    assert all(f" t/{name}\n" in listing for name in NAMES)
    assert "PRE t/" in aws("s3", "ls", there) and place.bucket in aws("s3", "ls")
    aws("s3", "cp", "--quiet", "--recursive", f"{there}/t", tmp_path / "back")
    assert files_of(tmp_path / "back") == files_of(tree)
    aws("s3", "cp", "--quiet", "-", f"{there}/in", text=b"from a pipe")
    assert aws("s3", "cp", "--quiet", f"{there}/in", "-") == "from a pipe"
    aws("s3", "mv", "--quiet", "--recursive", f"{there}/t", f"{there}/moved to")
    assert "PRE t/" not in aws("s3", "ls", there)
    link = aws("s3", "presign", "--expires-in", "600", f"{there}/moved to/plus+sign.txt").strip()
    assert fetch(place, link) == (tree / "plus+sign.txt").read_bytes()
    aws("s3", "rm", "--quiet", f"{there}/moved to/a b.txt")
    assert "BucketNotEmpty" in aws("s3", "rb", there, code=1)
    aws("s3", "rb", "--force", there)
    assert "NoSuchBucket" in aws("s3", "ls", there, code=(254, 255))


def test_sync_both_ways(aws, place, tree, tmp_path):
    there = f"s3://{place.bucket}/tree"
    aws("s3", "mb", f"s3://{place.bucket}")
    aws("s3", "sync", "--quiet", tree, there)
    assert aws("s3", "sync", tree, there) == ""
    aws("s3", "sync", "--quiet", there, tmp_path / "back")
    assert files_of(tmp_path / "back") == files_of(tree)
    (tree / "a b.txt").unlink()
    (tree / "plain.txt").write_text("changed\n")
    aws("s3", "sync", "--quiet", "--delete", tree, there)
    aws("s3", "sync", "--quiet", there, f"s3://{place.bucket}/copy")
    aws("s3", "sync", "--quiet", "--delete", "--exact-timestamps", f"s3://{place.bucket}/copy", tmp_path / "back")
    assert files_of(tmp_path / "back") == files_of(tree)


def test_parts_and_copies_of_parts(aws, place, big, tmp_path, s3):
    there = f"s3://{place.bucket}"
    aws("s3", "mb", there)
    aws("s3", "cp", "--quiet", "--metadata", "color=blue", "--storage-class", "STANDARD_IA", "--content-type", "a/b", big, f"{there}/big one")
    aws("s3", "cp", "--quiet", f"{there}/big one", f"{there}/copy+two")
    aws("s3", "mv", "--quiet", f"{there}/copy+two", f"{there}/moved")
    aws("s3", "cp", "--quiet", f"{there}/moved", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == big.read_bytes()
    head = s3.head_object(Bucket=place.bucket, Key="moved")
    assert head["ETag"].endswith('-3"')
    # Version 1 leaves the properties behind when it copies in parts.
    assert head["Metadata"] == ({"color": "blue"} if place.version == "v2" else {})


def test_s3api_objects(api, place, tmp_path):
    (tmp_path / "f").write_bytes(b"hello world")
    api("create-bucket")
    api("head-bucket")
    put = api("put-object", "--key", "a b/\u00fc+%.txt", "--body", tmp_path / "f", "--metadata", "m=1", "--tagging", "a=1&b=2",
              "--cache-control", "no-cache", "--checksum-algorithm", "SHA256", "--server-side-encryption", "AES256")
    assert put["ChecksumSHA256"] and put["ServerSideEncryption"] == "AES256"
    key = ["--key", "a b/\u00fc+%.txt"]
    assert api("head-object", *key, "--checksum-mode", "ENABLED")["ChecksumSHA256"] == put["ChecksumSHA256"]
    assert api("get-object", *key, "--range", "bytes=6-", tmp_path / "back")["ContentRange"] == "bytes 6-10/11"
    assert (tmp_path / "back").read_bytes() == b"world"
    assert api("get-object-attributes", *key, "--object-attributes", "ObjectSize", "ETag", "Checksum")["ObjectSize"] == 11
    assert len(api("get-object-tagging", *key)["TagSet"]) == 2
    api("put-object-tagging", *key, "--tagging", "TagSet=[{Key=c,Value=3}]")
    assert api("get-object-tagging", *key)["TagSet"] == [{"Key": "c", "Value": "3"}]
    api("delete-object-tagging", *key)
    api("put-object-acl", *key, "--acl", "public-read")
    assert len(api("get-object-acl", *key)["Grants"]) == 2
    source = f"{place.bucket}/a b/\u00fc+%.txt"  # it encodes this itself
    api("copy-object", "--key", "c/copy", "--copy-source", source, "--metadata-directive", "REPLACE", "--metadata", "n=2")
    assert api("head-object", "--key", "c/copy")["Metadata"] == {"n": "2"}
    assert [p["Prefix"] for p in api("list-objects-v2", "--delimiter", "/")["CommonPrefixes"]] == ["a b/", "c/"]
    assert len(api("list-objects-v2", "--page-size", "1")["Contents"]) == 2
    assert len(api("list-objects", "--max-items", "1")["Contents"]) == 1
    assert "304" in api("get-object", "--key", "c/copy", "--if-none-match", api("head-object", "--key", "c/copy")["ETag"],
                        tmp_path / "back", code=(254, 255))
    assert "404" in api("head-object", "--key", "none", code=(254, 255))
    assert "NoSuchKey" in api("get-object", "--key", "none", tmp_path / "back", code=(254, 255))
    gone = api("delete-objects", "--delete", json.dumps({"Objects": [{"Key": "a b/\u00fc+%.txt"}, {"Key": "c/copy"}]}))
    assert len(gone["Deleted"]) == 2
    api("delete-bucket")


def test_s3api_parts_and_versions(api, tmp_path, place):
    (tmp_path / "f").write_bytes(b"x" * (5 << 20))
    api("create-bucket")
    api("put-bucket-versioning", "--versioning-configuration", "Status=Enabled")
    assert api("get-bucket-versioning")["Status"] == "Enabled"
    upload = api("create-multipart-upload", "--key", "m")["UploadId"]
    at = ["--key", "m", "--upload-id", upload]
    assert api("list-multipart-uploads")["Uploads"][0]["UploadId"] == upload
    one = api("upload-part", *at, "--part-number", "1", "--body", tmp_path / "f")["ETag"]
    api("put-object", "--key", "src", "--body", tmp_path / "f")
    two = api("upload-part-copy", *at, "--part-number", "2", "--copy-source", f"{place.bucket}/src",
              "--copy-source-range", "bytes=0-9")["CopyPartResult"]["ETag"]
    assert [part["Size"] for part in api("list-parts", *at)["Parts"]] == [5 << 20, 10]
    done = api("complete-multipart-upload", *at, "--multipart-upload",
               json.dumps({"Parts": [{"PartNumber": 1, "ETag": one}, {"PartNumber": 2, "ETag": two}]}))
    assert done["ETag"].endswith('-2"') and done["VersionId"]
    assert api("head-object", "--key", "m", "--part-number", "2")["ContentLength"] == 10
    api("abort-multipart-upload", "--key", "n", "--upload-id", api("create-multipart-upload", "--key", "n")["UploadId"])
    assert api("delete-object", "--key", "m")["DeleteMarker"] is True
    listing = api("list-object-versions")
    assert len(listing["Versions"]) == 2 and len(listing["DeleteMarkers"]) == 1
    for row in listing["Versions"] + listing["DeleteMarkers"]:
        api("delete-object", "--key", row["Key"], "--version-id", row["VersionId"])
    api("delete-bucket")


SETTINGS = [  # put, its flag, a value, get, delete
    ("bucket-tagging", "tagging", {"TagSet": [{"Key": "a", "Value": "b c"}]}, True),
    ("bucket-cors", "cors-configuration", {"CORSRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}]}, True),
    ("bucket-website", "website-configuration", {"IndexDocument": {"Suffix": "i.html"}}, True),
    ("bucket-encryption", "server-side-encryption-configuration",
     {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": True}]}, True),
    ("bucket-lifecycle-configuration", "lifecycle-configuration",
     {"Rules": [{"ID": "r", "Filter": {"Prefix": "p/"}, "Status": "Enabled", "Expiration": {"Days": 1}}]}, "bucket-lifecycle"),
    ("public-access-block", "public-access-block-configuration",
     {"BlockPublicAcls": True, "IgnorePublicAcls": True, "BlockPublicPolicy": False, "RestrictPublicBuckets": False}, True),
    ("bucket-ownership-controls", "ownership-controls", {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}, True),
    ("bucket-request-payment", "request-payment-configuration", {"Payer": "Requester"}, None),
    ("bucket-accelerate-configuration", "accelerate-configuration", {"Status": "Enabled"}, None),
    ("bucket-logging", "bucket-logging-status", {"LoggingEnabled": {"TargetBucket": "BUCKET", "TargetPrefix": "log/"}}, None),
    ("bucket-notification-configuration", "notification-configuration", {}, None),
    ("bucket-policy", "policy", {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject",
                                                                         "Resource": "arn:aws:s3:::BUCKET/*"}]}, True),
]
NAMED = [  # configurations with an id
    ("metrics", {"Id": "c"}), ("analytics", {"Id": "c", "StorageClassAnalysis": {}}),
    ("inventory", {"Id": "c", "IsEnabled": True, "IncludedObjectVersions": "All", "Schedule": {"Frequency": "Daily"},
                   "Destination": {"S3BucketDestination": {"Bucket": "arn:aws:s3:::BUCKET", "Format": "CSV"}}}),
    ("intelligent-tiering", {"Id": "c", "Status": "Enabled", "Tierings": [{"Days": 90, "AccessTier": "ARCHIVE_ACCESS"}]}),
]


def holds(got, want):
    """Everything wanted is there; a newer S3 may tell more."""
    if isinstance(want, dict):
        return isinstance(got, dict) and all(key in got and holds(got[key], value) for key, value in want.items())
    if isinstance(want, list):
        return isinstance(got, list) and len(got) == len(want) and all(map(holds, got, want))
    return got == want


def test_s3api_settings(api, place):
    def fill(value):
        return json.dumps(value).replace("BUCKET", place.bucket)
    api("create-bucket")
    for noun, flag, value, gone in SETTINGS:
        api(f"put-{noun}", f"--{flag}", fill(value))
        got = api(f"get-{noun}")
        if noun == "bucket-policy":
            got = json.loads(got["Policy"])
            assert api("get-bucket-policy-status")["PolicyStatus"]["IsPublic"] is True
        want = json.loads(fill(value))
        assert holds(got, want) or any(holds(one, want) for one in got.values()), got
        if gone:
            api(f"delete-{gone if isinstance(gone, str) else noun}")
            if noun != "bucket-encryption":  # there is always one
                assert "(" in api(f"get-{noun}", code=(254, 255))
    for noun, value in NAMED:
        put = f"put-bucket-{noun}-configuration", "--id", "c", f"--{noun}-configuration", fill(value)
        api(*put)
        (got,) = api(f"get-bucket-{noun}-configuration", "--id", "c").values()
        assert got == json.loads(fill(value))
        assert len(api(f"list-bucket-{noun}-configurations")[f"{noun.title().replace('-', '')}ConfigurationList"]) == 1
        api(f"delete-bucket-{noun}-configuration", "--id", "c")
    assert api("get-bucket-location") == {"LocationConstraint": None}
    api("put-bucket-acl", "--acl", "private")
    assert api("get-bucket-acl")["Grants"][0]["Permission"] == "FULL_CONTROL"


def test_s3api_locks(api, tmp_path):
    (tmp_path / "f").write_bytes(b"x")
    api("create-bucket", "--object-lock-enabled-for-bucket")
    rule = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}}}
    api("put-object-lock-configuration", "--object-lock-configuration", json.dumps(rule))
    assert api("get-object-lock-configuration")["ObjectLockConfiguration"] == rule
    version = api("put-object", "--key", "k", "--body", tmp_path / "f")["VersionId"]
    assert api("get-object-retention", "--key", "k")["Retention"]["Mode"] == "GOVERNANCE"
    api("put-object-legal-hold", "--key", "k", "--legal-hold", "Status=ON")
    assert api("get-object-legal-hold", "--key", "k")["LegalHold"] == {"Status": "ON"}
    assert "AccessDenied" in api("delete-object", "--key", "k", "--version-id", version, code=(254, 255))
    api("put-object-legal-hold", "--key", "k", "--legal-hold", "Status=OFF")
    api("put-object-retention", "--key", "k", "--bypass-governance-retention", "--retention", "{}")
    api("put-object", "--key", "g", "--body", tmp_path / "f", "--storage-class", "GLACIER")
    api("restore-object", "--key", "g", "--restore-request", '{"Days": 1, "GlacierJobParameters": {"Tier": "Expedited"}}')
    assert 'ongoing-request="true"' in api("head-object", "--key", "g")["Restore"]


def test_without_keys(aws, place, bucket, s3):
    s3.put_object(Bucket=bucket, Key="open", Body=b"for all", ACL="public-read")
    flags = ["--no-sign-request", "cp", "--quiet", f"s3://{bucket}/open", "-"]
    if place.auth == "verify":
        aws("s3", *flags, code=1)
    else:
        assert aws("s3", *flags) == "for all"


def test_waiters(aws, bucket, s3):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    aws("s3api", "wait", "bucket-exists", "--bucket", bucket)
    aws("s3api", "wait", "object-exists", "--bucket", bucket, "--key", "k")
    aws("s3api", "wait", "object-not-exists", "--bucket", bucket, "--key", "none")


def test_queues(aws, place):
    def sqs(*arguments):
        return json.loads(aws("sqs", *arguments, "--output", "json") or "{}")
    url = sqs("create-queue", "--queue-name", "shell.fifo", "--attributes", "FifoQueue=true,ContentBasedDeduplication=true")["QueueUrl"]
    at = ["--queue-url", url]
    sqs("send-message", *at, "--message-body", "one \u00fc", "--message-group-id", "g", "--message-attributes",
        '{"n": {"DataType": "Number", "StringValue": "1"}, "b": {"DataType": "Binary", "BinaryValue": "AAE="}}')
    sqs("send-message-batch", *at, "--entries", '[{"Id": "a", "MessageBody": "two", "MessageGroupId": "h"}]')
    got = sqs("receive-message", *at, "--max-number-of-messages", "10", "--attribute-names", "All", "--message-attribute-names", "All")
    assert sorted(message["Body"] for message in got["Messages"]) == ["one \u00fc", "two"]
    handles = [message["ReceiptHandle"] for message in got["Messages"]]
    sqs("change-message-visibility", *at, "--receipt-handle", handles[0], "--visibility-timeout", "5")
    sqs("delete-message", *at, "--receipt-handle", handles[0])
    assert len(sqs("delete-message-batch", *at, "--entries", json.dumps([{"Id": "a", "ReceiptHandle": handles[1]}]))["Successful"]) == 1
    sqs("tag-queue", *at, "--tags", "a=b")
    assert sqs("list-queue-tags", *at)["Tags"] == {"a": "b"}
    sqs("set-queue-attributes", *at, "--attributes", "VisibilityTimeout=7")
    assert sqs("get-queue-attributes", *at, "--attribute-names", "All")["Attributes"]["VisibilityTimeout"] == "7"
    assert sqs("get-queue-url", "--queue-name", "shell.fifo")["QueueUrl"] == url
    assert url in sqs("list-queues")["QueueUrls"]
    sqs("purge-queue", *at)
    sqs("delete-queue", *at)
