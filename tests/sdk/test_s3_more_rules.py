"""More rows of what AWS answers, in the form of test_s3_rules.py: objects under keys, locks and archives, uploads that end
wrongly, and bucket configurations. Its world is that file's with a few things more."""
import base64
import hashlib
from xml.etree import ElementTree

import pytest
from test_s3_rules import (KEY_MISSING, NO_PART, SCHEMA, World, argument, complete, copy, crc32, fault_of, get, names, post,
                           put, tagging)

SSEC = "x-amz-server-side-encryption-customer-"
NAMED = {"ArgumentName": "x-amz-server-side-encryption"}
CUSTOMER = "Requests specifying Server Side Encryption with Customer provided keys must provide "
BOTH = "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied"
MARKER = "The specified method is not allowed against this resource."
SECRET = base64.b64encode(bytes(32)).decode()
SECRET_MD5 = base64.b64encode(hashlib.md5(bytes(32)).digest()).decode()
TWO_TAGS = "<Tag><Key>a</Key><Value>1</Value></Tag><Tag><Key>a</Key><Value>2</Value></Tag>"
NEVER = "A" * 32


def sse(**headers):
    return {SSEC + name.replace("_", "-"): value for name, value in headers.items()}


def lifecycle(action, filter_="<Filter><Prefix></Prefix></Filter>"):
    return (f"<LifecycleConfiguration><Rule><ID>x</ID>{filter_}<Status>Enabled</Status>{action}</Rule>"
            "</LifecycleConfiguration>")


def inventory(id_, bucket):
    return (f"<InventoryConfiguration><Destination><S3BucketDestination><Bucket>{bucket}</Bucket><Format>CSV</Format>"
            f"</S3BucketDestination></Destination><IsEnabled>true</IsEnabled><Id>{id_}</Id><IncludedObjectVersions>All"
            "</IncludedObjectVersions><Schedule><Frequency>Daily</Frequency></Schedule></InventoryConfiguration>")


def replication(bucket):
    return (f"<ReplicationConfiguration><Role>r</Role><Rule><Status>Enabled</Status><Prefix></Prefix><Destination>"
            f"<Bucket>arn:aws:s3:::{bucket}</Bucket></Destination></Rule></ReplicationConfiguration>")


def default_retention(rule):
    return ("<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled>"
            f"<Rule><DefaultRetention><Mode>GOVERNANCE</Mode>{rule}</DefaultRetention></Rule></ObjectLockConfiguration>")


K, L = "/{bucket}/k", "/{locked}/new"
LOCK = "x-amz-object-lock-"
TRAILER = {"Transfer-Encoding": "chunked", "x-amz-trailer": "x-amz-checksum-crc32"}


def trailed(document):
    """In chunks, with a checksum of something else behind them."""
    return f"{len(document):x}\r\n{document}\r\n0\r\nx-amz-checksum-crc32:{crc32(b'other')}\r\n\r\n"


RULES = [
    # keys of the customer
    ("SSE-C without an algorithm", put(K, "x", sse(key=SECRET, key_MD5=SECRET_MD5)), 400, "InvalidArgument",
     CUSTOMER + "a valid encryption algorithm.", NAMED),
    ("SSE-C without a key", put(K, "x", sse(algorithm="AES256")), 400, "InvalidArgument",
     CUSTOMER + "an appropriate secret key.", NAMED),
    ("SSE-C of another algorithm", put(K, "x", sse(algorithm="AES128", key=SECRET, key_MD5=SECRET_MD5)), 400,
     "InvalidEncryptionAlgorithmError", "The Encryption request you specified is not valid. Supported value: AES256.",
     argument("x-amz-server-side-encryption", "AES128")),
    ("SSE-C with a short key", put(K, "x", sse(algorithm="AES256", key="eA==", key_MD5=SECRET_MD5)), 400,
     "InvalidArgument", "The secret key was invalid for the specified algorithm.", NAMED),
    ("SSE-C with another MD5", put(K, "x", sse(algorithm="AES256", key=SECRET, key_MD5="eA==")), 400, "InvalidArgument",
     "The calculated MD5 hash of the key did not match the hash that was provided.", NAMED),
    ("a part with a key that the upload has not", put("/{bucket}/u?partNumber=9&uploadId={upload}", "x", sse(
        algorithm="AES256", key=SECRET, key_MD5=SECRET_MD5)), 400, "InvalidRequest",
     "The multipart upload initiate requested encryption. Subsequent part requests must include the appropriate "
     "encryption parameters.", {}),
    ("a KMS key of another region", put(K, "x", {
        "x-amz-server-side-encryption": "aws:kms",
        "x-amz-server-side-encryption-aws-kms-key-id": "arn:aws:kms:eu-west-1:000000000000:key/k"}), 400,
     "KMS.NotFoundException", "Invalid arn eu-west-1", {}),
    # locks
    ("a lock where there is none", put(K, "x", {LOCK + "legal-hold": "ON"}), 400, "InvalidRequest",
     "Bucket is missing ObjectLockConfiguration", {}),
    ("lock headers are read before the bucket", put(K, "x", {LOCK + "mode": "GOVERNANCE"}), 400, "InvalidArgument", BOTH,
     {"ArgumentName": LOCK + "retain-until-date"}),
    ("lock mode alone", put(L, "x", {LOCK + "mode": "GOVERNANCE"}), 400, "InvalidArgument", BOTH,
     {"ArgumentName": LOCK + "retain-until-date"}),
    ("lock date alone", put(L, "x", {LOCK + "retain-until-date": "2099-01-01T00:00:00Z"}), 400, "InvalidArgument", BOTH,
     {"ArgumentName": LOCK + "mode"}),
    ("no lock mode", put(L, "x", {LOCK + "mode": "x", LOCK + "retain-until-date": "2099-01-01T00:00:00Z"}), 400,
     "InvalidArgument", "Unknown wormMode directive.", argument(LOCK + "mode", "x")),
    ("no lock date", put(L, "x", {LOCK + "mode": "GOVERNANCE", LOCK + "retain-until-date": "x"}), 400, "InvalidArgument",
     "The retain until date must be provided in ISO 8601 format", argument(LOCK + "retain-until-date", "x")),
    ("retention in the past", put("/{locked}/free?retention", "<Retention><Mode>GOVERNANCE</Mode><RetainUntilDate>"
                                  "2020-01-01T00:00:00Z</RetainUntilDate></Retention>"), 400, "InvalidArgument",
     "The retain until date must be in the future!", argument("RetainUntilDate", "Tue Dec 31 16:00:00 PST 2019")),
    ("retention in a past summer", put("/{locked}/free?retention", "<Retention><Mode>GOVERNANCE</Mode><RetainUntilDate>"
                                       "2024-03-10T10:00:00Z</RetainUntilDate></Retention>"), 400, "InvalidArgument",
     "The retain until date must be in the future!", argument("RetainUntilDate", "Sun Mar 10 03:00:00 PDT 2024")),
    ("bypass where there is no lock", ("DELETE", K, {"x-amz-bypass-governance-retention": "true"}, None), 400,
     "InvalidArgument", "x-amz-bypass-governance-retention is only applicable to Object Lock enabled buckets.",
     {"ArgumentName": "x-amz-bypass-governance-retention"}),
    ("lock configuration, versions first", put("/{bucket}?object-lock", default_retention("")), 409, "InvalidBucketState",
     "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration", {}),
    ("default retention for ever", put("/{locked}?object-lock", default_retention("<Days>36501</Days>")), 400,
     "InvalidArgument", "Default retention period too large.", argument("Days", "36501")),
    # versions and markers
    ("version where there are none", get(K + "?versionId=" + NEVER), 400, "InvalidArgument", "Invalid version id specified",
     argument("versionId", NEVER)),
    ("delete of a version that never was", ("DELETE", "/{versioned}/k?versionId=" + NEVER, {}, None), 400,
     "InvalidArgument", "Invalid version id specified", argument("versionId", NEVER)),
    ("tags onto a deleted key", put("/{versioned}/k?tagging", tagging(("a", "b"))), 405, "MethodNotAllowed", MARKER,
     {"Method": "PUT", "ResourceType": "DeleteMarker"}),
    ("no tags of a deleted key", ("DELETE", "/{versioned}/k?tagging", {}, None), 405, "MethodNotAllowed", MARKER,
     {"Method": "DELETE", "ResourceType": "DeleteMarker"}),
    ("tags of a deleted key", get("/{versioned}/k?tagging"), 405, "MethodNotAllowed", MARKER,
     {"Method": "GET", "ResourceType": "DeleteMarker"}),
    ("ACL onto a deleted key", put("/{versioned}/k?acl", "", {"x-amz-acl": "private"}), 405, "MethodNotAllowed", MARKER,
     {"Method": "PUT", "ResourceType": "DeleteMarker"}),
    ("tags of no key", get("/{bucket}/none?tagging"), 404, "NoSuchKey", KEY_MISSING, {"Key": "{bucket}/none"}),
    ("tags onto no key", put("/{bucket}/none?tagging", tagging(("a!", "b"))), 404, "NoSuchKey", KEY_MISSING,
     {"Key": "none"}),
    # other rules of objects
    ("redirect to nowhere", put(K, "x", {"x-amz-website-redirect-location": "elsewhere"}), 400, "InvalidRedirectLocation",
     "The website redirect location must have a prefix of 'http://' or 'https://' or '/'.", {}),
    ("copy of what is archived", copy("/{bucket}/c", "{bucket}/cold", copy_source_if_match='"other"'), 403,
     "InvalidObjectState", "Operation is not valid for the source object's storage class", {"StorageClass": "GLACIER"}),
    ("a header beyond ISO 8859-1", get(K + "?response-content-disposition=%E2%82%AC"), 400, "InvalidArgument",
     "Header value cannot be represented using ISO-8859-1.", argument("response-content-disposition", "\u20ac")),
    ("attributes of no name", get(K + "?attributes"), 400, "InvalidRequest", "The x-amz-object-attributes header "
     "specifying the attributes to be retrieved is either missing or empty", {}),
    ("preflight of no method", ("OPTIONS", "/{cors}/k", {"Origin": "http://a.example"}, None), 400, "BadRequest",
     "Invalid Access-Control-Request-Method: null", {}),
    ("preflight of no method where there is no CORS", ("OPTIONS", K, {"Origin": "http://a.example"}, None), 403,
     "AccessForbidden", "CORSResponse: CORS is not enabled for this bucket.",
     {"Method": "OPTIONS", "ResourceType": "BUCKET"}),
    ("no payload hash", put(K, "x", {"x-amz-content-sha256": "x"}), 400, "InvalidArgument",
     "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, "
     "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER, STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD, "
     "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER or a valid sha256 value.", argument("x-amz-content-sha256", "x")),
    ("a payload hash that only begins like a word", put(K, "x", {"x-amz-content-sha256": "STREAMING-AWS4",
        "x-amz-decoded-content-length": "1"}), 400, "InvalidArgument",
     "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, "
     "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER, STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD, "
     "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER or a valid sha256 value.",
     argument("x-amz-content-sha256", "STREAMING-AWS4")),
    ("a trailer that is no checksum", put(K, "1\r\nx\r\n0\r\nx-amz-checksum-crc32:bad\r\n\r\n", {
        "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "x-amz-decoded-content-length": "1",
        "x-amz-trailer": "x-amz-checksum-crc32"}), 400, "InvalidRequest",
     "Value for x-amz-checksum-crc32 trailing header is invalid.", {}),
    ("tags with another's checksum in the trailer", put(K + "?tagging", trailed(tagging(("a", "b"))), TRAILER), 400,
     "BadDigest", "The CRC32 you specified did not match the calculated checksum.", {}),
    ("a list of keys with another's checksum in the trailer", post("/{bucket}?delete", trailed(
        "<Delete><Object><Key>k</Key></Object></Delete>"), TRAILER), 400, "BadDigest",
     "The CRC32 you specified did not match the calculated checksum.", {}),
    # uploads
    ("Complete with checksums nobody asked for", post("/{bucket}/one?uploadId={one}", complete(
        (1, "{onepart}"), checksum=f"<ChecksumCRC32>{crc32(b'0123')}</ChecksumCRC32>")), 400, "InvalidPart", NO_PART,
     {"ETag": "{onepart}", "PartNumber": "1", "UploadId": "{one}"}),
    ("Complete with a checksum of another algorithm", post("/{bucket}/full?uploadId={full}", complete((1, "{fullpart}")), {
        "x-amz-checksum-sha1": base64.b64encode(bytes(20)).decode(), "x-amz-checksum-type": "FULL_OBJECT"}), 400,
     "BadDigest", "The crc32 you specified did not match the calculated checksum.", {}),
    ("negative mp-object-size", post("/{bucket}/one?uploadId={one}", complete((1, "{onepart}")), {
        "x-amz-mp-object-size": "-1"}), 400, "InvalidRequest",
     "Value for x-amz-mp-object-size header is less than zero: '-1'", {}),
    ("no mp-object-size", post("/{bucket}/one?uploadId={one}", complete((1, "{onepart}")), {
        "x-amz-mp-object-size": "x"}), 400, "InvalidRequest",
     "Value for x-amz-mp-object-size header is invalid: 'x'", {}),
    # buckets
    ("object ownership", put("/{unmade}", "", {"x-amz-object-ownership": "x"}), 400, "InvalidArgument",
     "Invalid x-amz-object-ownership header: x", {"ArgumentName": "x-amz-object-ownership"}),
    ("the same bucket with tags", put("/{bucket}", "<CreateBucketConfiguration><Tags><Tag><Key>a</Key><Value>b</Value></Tag>"
                                      "</Tags></CreateBucketConfiguration>"), 409, "BucketAlreadyOwnedByYou",
     "Your previous request to create the named bucket succeeded and you already own it.", {"BucketName": "{bucket}"}),
    ("the same bucket in another region", put("/{bucket}", "<CreateBucketConfiguration><LocationConstraint>eu-west-1"
                                              "</LocationConstraint></CreateBucketConfiguration>"), 409,
     "BucketAlreadyOwnedByYou",  # API_CreateBucket: in all regions but us-east-1
     "Your previous request to create the named bucket succeeded and you already own it.", {"BucketName": "{bucket}"}),
    ("preflight of an empty origin", ("OPTIONS", "/{bucket}/k", {"Origin": "", "Access-Control-Request-Method": "GET"}, None),
     400, "BadRequest", "Insufficient information. Origin request header needed.", {}),
    ("51 tags", put("/{bucket}?tagging", tagging(*((f"k{i}", "v") for i in range(51)))), 400, "BadRequest",
     "Bucket tag count cannot be greater than 50", {}),
    ("lifecycle date in the day", put("/{bucket}?lifecycle", lifecycle(
        "<Expiration><Date>2030-01-01T20:00:00Z</Date></Expiration>")), 400, "InvalidArgument",
     "'Date' must be at midnight GMT", argument("Date", "Tue Jan 01 12:00:00 PST 2030")),
    ("lifecycle with a tag twice", put("/{bucket}?lifecycle", lifecycle(
        "<Expiration><Days>1</Days></Expiration>", f"<Filter><And>{TWO_TAGS}</And></Filter>")), 400, "InvalidRequest",
     "Duplicate Tag Keys are not allowed.", {}),
    ("lifecycle minimum size", put("/{bucket}?lifecycle", lifecycle("<Expiration><Days>1</Days></Expiration>"), {
        "x-amz-transition-default-minimum-object-size": "x"}), 400, "InvalidRequest",
     "Invalid TransitionDefaultMinimumObjectSize found: x", {}),
    ("inventory under another id", put("/{bucket}?inventory&id=a", inventory("b", "arn:aws:s3:::x")), 400, "IdMismatch",
     "Document ID does not match the specified configuration ID.", {}),
    ("inventory to no ARN", put("/{bucket}?inventory&id=a", inventory("a", "x")), 400, "InvalidS3DestinationBucket",
     "Invalid bucket ARN.", {}),
    ("analytics under another id", put("/{bucket}?analytics&id=a", "<AnalyticsConfiguration><Id>b</Id><StorageClassAnalysis>"
                                       "</StorageClassAnalysis></AnalyticsConfiguration>"), 400, "MalformedXML", SCHEMA, {}),
    ("replication to no bucket", put("/{versioned}?replication", replication("{unmade}")), 400, "InvalidRequest",
     "Destination bucket must have versioning enabled.", {}),
    ("replication to a bucket without versions", put("/{versioned}?replication", replication("{bucket}")), 400,
     "InvalidRequest", "Destination bucket must have versioning enabled.", {}),
    ("a key for AES256", put("/{bucket}?encryption", "<ServerSideEncryptionConfiguration><Rule>"
                             "<ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm><KMSMasterKeyID>k"
                             "</KMSMasterKeyID></ApplyServerSideEncryptionByDefault></Rule>"
                             "</ServerSideEncryptionConfiguration>"), 400, "InvalidArgument",
     "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse",
     {"ArgumentName": "ApplyServerSideEncryptionByDefault"}),
    ("website with an empty index", put("/{bucket}?website", "<WebsiteConfiguration><IndexDocument><Suffix></Suffix>"
                                        "</IndexDocument></WebsiteConfiguration>"), 400, "InvalidArgument",
     "The IndexDocument Suffix is not well formed", {"ArgumentName": "IndexDocument"}),
    ("website with too many rules", put("/{bucket}?website", "<WebsiteConfiguration><IndexDocument><Suffix>i</Suffix>"
                                        "</IndexDocument><RoutingRules>" + 51 * "<RoutingRule><Redirect><HostName>h</HostName>"
                                        "</Redirect></RoutingRule>" + "</RoutingRules></WebsiteConfiguration>"), 400,
     "InvalidRequest", "51 routing rules provided, the number of routing rules in a website configuration is limited to 50.",
     {}),
]


@pytest.fixture(scope="module")
def world(shared_server):
    return World(shared_server)


@pytest.mark.parametrize("name,request_,status,code,text,extras", RULES, ids=[row[0] for row in RULES])
def test_rule(world, name, request_, status, code, text, extras):
    method, path, headers, body = request_
    headers = {k: world.filled(v) for k, v in headers.items()}
    got, _, raw = world.send(method, world.filled(path), headers, world.filled(body).encode() if body else body)
    assert got == status, raw
    elements = dict(fault_of(raw))
    del elements["RequestId"], elements["HostId"]
    assert elements == {"Code": code, "Message": text, **{tag: world.filled(value) for tag, value in extras.items()}}


def test_regions_refuse_what_is_not_theirs(shared_server):
    world = World(shared_server)
    auth = {"Authorization": "AWS4-HMAC-SHA256 Credential=000000000000/20261121/eu-west-1/s3/aws4_request, "
                             "SignedHeaders=host, Signature=x"}
    body = "<CreateBucketConfiguration><LocationConstraint>{}</LocationConstraint></CreateBucketConfiguration>"
    for name in ("eu-west-2", "nowhere-1"):
        status, _, raw = world.send("PUT", f"/rules-eu-{next(names)}", auth, body.format(name).encode())
        assert (status, dict(fault_of(raw))["Message"]) == (
            400, f"The {name} location constraint is incompatible for the region specific endpoint this request was sent to.")
    bucket = f"rules-eu-{next(names)}"
    world.ok("PUT", "/" + bucket, auth, body.format("EU").encode())
    headers, raw = world.ok("GET", f"/{bucket}?location", auth)
    assert b">EU</LocationConstraint>" in raw
    assert world.ok("HEAD", "/" + bucket, auth)[0]["x-amz-bucket-region"] == "eu-west-1"


@pytest.mark.parametrize("header,tags", (("&", []), ("a=b&", [("a", "b")]), ("&a&&b=%2B+", [("a", ""), ("b", "+ ")])))
def test_empty_pairs_of_a_tagging_header_are_no_tags(world, header, tags):  # versity/versitygw #1216
    path = world.filled("/{bucket}/pairs")
    world.ok("PUT", path, {"x-amz-tagging": header}, b"x")
    root = ElementTree.fromstring(world.ok("GET", path + "?tagging")[1])
    assert [(tag[0].text, tag[1].text or "") for tag in root.iter() if tag.tag.endswith("}Tag")] == tags


def test_tags_are_letters_of_all_kinds(world):
    text = "\u00e9\u00df\u65e5\u672c\u0451 \u0660\u00bd a_.:/=+-@"
    body = f"<Tagging><TagSet><Tag><Key>{text}</Key><Value>{text}</Value></Tag></TagSet></Tagging>".encode()
    world.ok("PUT", world.filled("/{bucket}?tagging"), {}, body)
    assert text.encode() in world.ok("GET", world.filled("/{bucket}?tagging"))[1]


def test_lists_of_objects_say_where_the_bucket_is(world):  # versity/versitygw #1814
    for query in ("", "?list-type=2", "?list-type=1", "?list-type=x"):  # any but 2 is the first form: brekkylab/backlot #204
        headers, raw = world.ok("GET", world.filled("/{bucket}") + query)
        assert headers["x-amz-bucket-region"] == "us-east-1"
        assert (b"<KeyCount>" in raw) == (query == "?list-type=2") == (b"<Marker" not in raw)


def test_pages_of_no_parts_and_no_uploads_are_whole(world):  # as those of no keys: s3-tests test_bucket_list_maxkeys_zero
    for path in ("/{bucket}/one?uploadId={one}&max-parts=0", "/{bucket}?uploads&max-uploads=0"):
        raw = world.ok("GET", world.filled(path))[1]
        assert b"<IsTruncated>false</IsTruncated>" in raw and b"<PartNumber>" not in raw and b"<Upload>" not in raw


def test_uploads_are_listed_in_the_encoding_of_forms(world):  # as brekkylab/backlot #178 measured it
    world.ok("POST", world.filled("/{bucket}/a%20b%2Bc?uploads"))
    raw = world.ok("GET", world.filled("/{bucket}?uploads&encoding-type=url&prefix=a%20&delimiter=%2B"))[1]
    for element in (b"<Prefix>a+</Prefix>", b"<Delimiter>%2B</Delimiter>", b"<Prefix>a+b%2B</Prefix>"):
        assert element in raw


def test_metadata_is_text(world):
    def back(value):
        world.ok("PUT", world.filled(K), {"x-amz-meta-a": value}, b"0123456789")
        return world.ok("HEAD", world.filled(K))[0]["x-amz-meta-a"]

    assert back("plain =?_ text") == "plain =?_ text"
    assert back("=?UTF-8?B?aGVsbG8=?=") == "hello"
    assert back("=?UTF-8?B?w6k=?= =?utf-8?q?=C3=A9_?=") == "=?UTF-8?Q?=C3=A9=C3=A9_?="
    assert back("=?UTF-8?Q?a=0Ab?=") == "=?UTF-8?Q?a=0Ab?="
    assert back("=?UTF-8?B?!?=") == "=?UTF-8?B?!?="
    assert back(b"\xe9 a=b_c".decode("latin-1")) == "=?UTF-8?Q?=C3=A9_a=3Db=5Fc?="
    assert back("=?UTF-8?B?4oCL?=") == "=?UTF-8?B?4oCL?="  # a character of no width


def test_blanks_around_a_headers_value_are_not_of_it(world):
    world.ok("PUT", world.filled(K), {"x-amz-meta-a": " v \t", "x-amz-storage-class": "STANDARD ", "Content-Type": "a/b "},
             b"0123456789")
    headers, _ = world.ok("HEAD", world.filled(K))
    assert (headers["x-amz-meta-a"], headers["content-type"]) == ("v", "a/b")


def test_another_customers_key_is_explained_to_readers_only(world):
    """As LocalStack has it, whose answers are recorded on AWS: two texts for three operations."""
    key, other = sse(algorithm="AES256", key=SECRET, key_MD5=SECRET_MD5), base64.b64encode(b"x" * 32).decode()
    wrong = sse(algorithm="AES256", key=other, key_MD5=base64.b64encode(hashlib.md5(b"x" * 32).digest()).decode())
    source = {name.replace("amz-", "amz-copy-source-"): value for name, value in wrong.items()}
    path = world.filled("/{bucket}/secret")
    world.ok("PUT", path, key, b"x")

    def told(*request):
        status, _, raw = world.send(*request)
        fault = dict(fault_of(raw))
        return status, fault["Code"], fault["Message"]

    assert told("GET", path, wrong) == (403, "AccessDenied", CUSTOMER + "the correct secret key.")
    assert told("GET", path + "?attributes", {**wrong, "x-amz-object-attributes": "ETag"})[2] == "Access Denied"
    assert told("PUT", path + "2", {**source, "x-amz-copy-source": path})[2] == "Access Denied"


def test_the_end_of_an_upload_tells_the_customers_key(world):
    """As s3-tests want it. AWS's model has the other encryptions only, so SDKs do not look at it."""
    key = sse(algorithm="AES256", key=SECRET, key_MD5=SECRET_MD5)
    path = world.filled("/{bucket}/parts")
    _, body = world.ok("POST", path + "?uploads", key)
    path += "?uploadId=" + body.split(b"<UploadId>")[1].split(b"<")[0].decode()
    part, _ = world.ok("PUT", path + "&partNumber=1", key, b"x")
    whole, _ = world.ok("POST", path, key, complete((1, part["etag"].strip('"'))).encode())
    assert (part[SSEC + "algorithm"], whole[SSEC + "algorithm"]) == ("AES256", "AES256")


def test_forms_are_told_what_puts_are(world):
    """RESTObjectPOST lists the headers of every encryption; the checksum is told as LocalStack has it, recorded on AWS."""
    def sent(**fields):
        parts = "".join(f'--b\r\nContent-Disposition: form-data; name="{name.replace("_", "-")}"\r\n\r\n{value}\r\n'
                        for name, value in {"key": "form", **fields, "file": "x"}.items())
        headers, _ = world.ok("POST", world.filled("/{bucket}"), {"Content-Type": "multipart/form-data; boundary=b"},
                              (parts + "--b--\r\n").encode())
        return {name: value for name, value in headers.items() if name.startswith(("x-amz-s", "x-amz-c"))}

    sse, sums = "x-amz-server-side-encryption", {"x-amz-checksum-crc32": crc32(b"x"), "x-amz-checksum-type": "FULL_OBJECT"}
    assert sent(x_amz_checksum_crc32=crc32(b"x")) == {sse: "AES256", **sums}
    kms = {sse: "aws:kms", sse + "-aws-kms-key-id": "arn:aws:kms:us-east-1:000000000000:key/k",
           sse + "-bucket-key-enabled": "true"}
    assert sent(x_amz_checksum_crc32=crc32(b"x"), **{name.replace("-", "_"): value for name, value in kms.items()}) == {
        **kms, **sums}
    key = {SSEC + "algorithm": "AES256", SSEC + "key": SECRET, SSEC + "key-MD5": SECRET_MD5}
    got = sent(**{name.replace("-", "_"): value for name, value in key.items()})
    assert (got[SSEC + "algorithm"], got[SSEC.lower() + "key-md5"]) == ("AES256", SECRET_MD5)


def test_headers_that_a_request_overrides_are_sent_as_latin1(world):
    for asked, sent in (("%C3%A9", "\xe9"), ("a%C3%BFb", "a\xffb"), ("%E9", "\xe9"), ("", "")):
        headers, _ = world.ok("GET", world.filled(K + "?response-content-disposition=" + asked), {"Authorization": "AWS test:x"})
        assert headers["content-disposition"] == sent


def test_checksums_of_ranges_are_told_where_they_are_those_of_the_whole(world):
    ask = {"x-amz-checksum-mode": "ENABLED"}
    path = world.filled("/{bucket}/whole")
    world.ok("PUT", path, {"x-amz-checksum-crc32": crc32(b"0123")}, b"0123")
    assert world.ok("GET", path, {**ask, "Range": "bytes=0-3"})[0]["x-amz-checksum-crc32"] == crc32(b"0123")
    assert "x-amz-checksum-crc32" not in world.ok("GET", path, {**ask, "Range": "bytes=0-2"})[0]


def test_deletes_tell_what_never_was(world):
    def delete(bucket):
        document = f"<Delete><Object><Key>k</Key><VersionId>{NEVER}</VersionId></Object></Delete>".encode()
        md5 = base64.b64encode(hashlib.md5(document).digest()).decode()
        return world.ok("POST", world.filled(f"/{bucket}?delete"), {"Content-MD5": md5}, document)[1]

    for bucket in ("{bucket}", "{versioned}"):
        assert b"<Code>NoSuchVersion</Code><Message>The specified version does not exist.</Message>" in delete(bucket)


def test_lists_of_uploads_say_where_they_end(world):
    bucket = f"rules-uploads-{next(names)}"
    world.ok("PUT", "/" + bucket)
    world.ok("POST", f"/{bucket}/k?uploads")
    _, body = world.ok("GET", f"/{bucket}?uploads&upload-id-marker=x")
    assert b"<UploadIdMarker></UploadIdMarker>" in body and b"<NextKeyMarker>k</NextKeyMarker>" in body


def test_start_after_is_not_told_with_a_token(world):
    _, body = world.ok("GET", world.filled("/{bucket}?list-type=2&max-keys=1&start-after=a"))
    token = body.split(b"<NextContinuationToken>")[1].split(b"<")[0].decode()
    assert b"<StartAfter>a</StartAfter>" in body
    _, body = world.ok("GET", world.filled(f"/{{bucket}}?list-type=2&start-after=a&continuation-token={token}"))
    assert b"StartAfter" not in body


def test_requests_without_a_key_take_that_of_the_bucket(world):
    bucket = f"rules-kms-{next(names)}"
    key = "arn:aws:kms:us-east-1:000000000000:key/k"
    world.ok("PUT", "/" + bucket)
    world.ok("PUT", f"/{bucket}?encryption", {}, (
        "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>aws:kms</SSEAlgorithm>"
        f"<KMSMasterKeyID>{key}</KMSMasterKeyID></ApplyServerSideEncryptionByDefault><BucketKeyEnabled>true"
        "</BucketKeyEnabled></Rule></ServerSideEncryptionConfiguration>").encode())
    headers, _ = world.ok("PUT", f"/{bucket}/k", {"x-amz-server-side-encryption": "aws:kms"}, b"x")
    assert headers["x-amz-server-side-encryption-aws-kms-key-id"] == key
    assert headers["x-amz-server-side-encryption-bucket-key-enabled"] == "true"
    headers, _ = world.ok("PUT", f"/{bucket}/k", {"x-amz-server-side-encryption": "aws:kms",
                                                  "x-amz-server-side-encryption-aws-kms-key-id": ""}, b"x")
    assert headers["x-amz-server-side-encryption-aws-kms-key-id"] == key
    # "S3 Bucket Keys aren't supported for DSSE-KMS" (UsingDSSEncryption)
    headers, _ = world.ok("PUT", f"/{bucket}/k", {"x-amz-server-side-encryption": "aws:kms:dsse"}, b"x")
    assert headers["x-amz-server-side-encryption-aws-kms-key-id"] == key
    assert "x-amz-server-side-encryption-bucket-key-enabled" not in headers


def test_preflights_name_headers_tidily(world):
    bucket = f"rules-cors-{next(names)}"
    world.ok("PUT", "/" + bucket)
    world.ok("PUT", f"/{bucket}?cors", {}, b"<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET"
             b"</AllowedMethod><AllowedHeader>*</AllowedHeader></CORSRule></CORSConfiguration>")
    headers, _ = world.ok("OPTIONS", f"/{bucket}/k", {"Origin": "http://a.example", "Access-Control-Request-Method": "GET",
                                                      "Access-Control-Request-Headers": "X-A,x-b"})
    assert headers["access-control-allow-headers"] == "x-a, x-b"


def test_an_empty_set_of_tags_is_none(world):
    bucket = f"rules-tags-{next(names)}"
    world.ok("PUT", "/" + bucket)
    world.ok("PUT", f"/{bucket}?tagging", {}, tagging(("a", "b")).encode())
    world.ok("PUT", f"/{bucket}?tagging", {}, tagging().encode())
    status, _, raw = world.send("GET", f"/{bucket}?tagging")
    assert (status, dict(fault_of(raw))["Code"]) == (404, "NoSuchTagSet")


def test_configurations_of_a_kind_are_a_thousand_at_most(world):
    bucket = f"rules-many-{next(names)}"
    world.ok("PUT", "/" + bucket)
    document = "<MetricsConfiguration><Id>{}</Id></MetricsConfiguration>"
    for i in range(1000):
        world.ok("PUT", f"/{bucket}?metrics&id={i}", {}, document.format(i).encode())
    status, _, raw = world.send("PUT", f"/{bucket}?metrics&id=x", {}, document.format("x").encode())
    assert (status, dict(fault_of(raw))["Code"]) == (400, "TooManyConfigurations")
    world.ok("PUT", f"/{bucket}?metrics&id=5", {}, document.format("5").encode())
