"""Errors of S3 that no recording of ours shows: from AWS's documents, from answers of AWS that its clients have reported,
or by analogy with a recorded one of the same family (the newer checksums). The same kind of table as test_s3_rules.py's."""
import base64
import xml.etree.ElementTree as ElementTree

import pytest
from conftest import Clients
from test_s3_rules import NOT_IMPLEMENTED, SCHEMA, World, argument, complete, copy, get, names, post, put

CHECKSUMS = {"CRC32": 4, "CRC32C": 4, "CRC64NVME": 8, "SHA1": 20, "SHA256": 32, "SHA512": 64, "MD5": 16, "XXHASH64": 8,
             "XXHASH3": 8, "XXHASH128": 16}  # bytes of a value
FULL_OBJECT_ONLY = {"CRC64NVME"}
COMPOSITE_ONLY = set(CHECKSUMS) - FULL_OBJECT_ONLY - {"CRC32", "CRC32C"}
NOBODY = "0" * 64
EMAIL_UNKNOWN = "The e-mail address you provided does not match any account on record."
TAKEN = ("The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please "
         "select a different name and try again.")


def account(number, region="us-east-1"):
    """Without checked signatures, whose request it is."""
    return {"Authorization": f"AWS4-HMAC-SHA256 Credential={number}/20260101/{region}/s3/aws4_request, "
                             "SignedHeaders=host, Signature=0"}


def form(**fields):
    return "".join(f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
                   for name, value in fields.items()) + "--b--\r\n"


def acl(grantee):
    """Grants `grantee` something; the owner is the default account's, whose canonical id this is."""
    return ("<AccessControlPolicy><Owner><ID>{owner}</ID></Owner><AccessControlList><Grant><Grantee "
            'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type=' + grantee +
            "</Grantee><Permission>READ</Permission></Grant></AccessControlList></AccessControlPolicy>")


def checksum_rules():
    for name, size in CHECKSUMS.items():
        header = "x-amz-checksum-" + name.lower()
        zeros = base64.b64encode(bytes(size)).decode()
        yield (f"{name} of too few bytes", put("/{bucket}/x", "x", {header: base64.b64encode(bytes(size - 1)).decode()}),
               400, "InvalidRequest", f"Value for {header} header is invalid.", {})
        yield (f"{name} that is no base64", put("/{bucket}/x", "x", {header: "!"}), 400, "InvalidRequest",
               f"Value for {header} header is invalid.", {})
        yield (f"{name} of something else", put("/{bucket}/x", "x", {header: zeros}), 400, "BadDigest",
               f"The {name} you specified did not match the calculated checksum.", {})
        yield (f"part's {name} of something else", put("/{bucket}/one?partNumber=2&uploadId={one}", "x", {header: zeros}),
               400, "BadDigest", f"The {name} you specified did not match the calculated checksum.", {})
        for bad, names in (("FULL_OBJECT", COMPOSITE_ONLY), ("COMPOSITE", FULL_OBJECT_ONLY)):
            if name in names:
                yield (f"{bad} of {name}", post("/{bucket}/x?uploads", "", {
                    "x-amz-checksum-algorithm": name, "x-amz-checksum-type": bad}), 400, "InvalidRequest",
                    f"The {bad} checksum type cannot be used with the {name.lower()} checksum algorithm.", {})


def grant_rules():
    """The texts of ids and formats: versity/versitygw #1384; of e-mail addresses: aws/aws-sdk-ruby #826."""
    for what, path in (("object", "/{bucket}/k?acl"), ("bucket", "/{bucket}?acl"), ("new bucket", "/{unmade}"),
                       ("new object", "/{bucket}/x")):
        for name, value, text, extras in (
                ("id of nobody", "id=" + NOBODY, "Invalid id", argument("id", NOBODY)),
                ("account number for an id", 'id="000000000000"', "Invalid id", argument("id", "000000000000")),
                ("group of no name", "uri=http://acs.example/all", "Invalid group uri",
                 argument("uri", "http://acs.example/all")),
                ("grantee of no form", "somebody", "Argument format not recognized",
                 argument("x-amz-grant-read", "somebody"))):
            yield f"{what}: {name}", put(path, "", {"x-amz-grant-read": value}), 400, "InvalidArgument", text, extras
        yield (f"{what}: e-mail of nobody", put(path, "", {"x-amz-grant-read": "emailAddress=nobody@example.com"}), 400,
               "UnresolvableGrantByEmailAddress", EMAIL_UNKNOWN, {})
    for what, path in (("object", "/{bucket}/k?acl"), ("bucket", "/{bucket}?acl")):
        yield (f"{what}: ACL for nobody", put(path, acl(f'"CanonicalUser"><ID>{NOBODY}</ID>')), 400, "InvalidArgument",
               "Invalid id", argument("CanonicalUser/ID", NOBODY))
        yield (f"{what}: ACL of an owner of no form",
               put(path, "<AccessControlPolicy><Owner><ID>x</ID></Owner><AccessControlList/></AccessControlPolicy>"), 400,
               "InvalidArgument", "Invalid id", argument("CanonicalUser/ID", "x"))
        yield (f"{what}: ACL for an e-mail of nobody",
               put(path, acl('"AmazonCustomerByEmail"><EmailAddress>nobody@example.com</EmailAddress>')), 400,
               "UnresolvableGrantByEmailAddress", EMAIL_UNKNOWN, {})


def policy_rules():
    """Texts of users' reports; which keys go with which actions: the service authorization reference; that an action
    beside its patterns must carry the key, and keys of S3 must be known: versity/versitygw, scality/cloudserver."""
    def policy(principal='"*"', action='"s3:GetObject"', resource="{bucket}/*", more=""):
        return ('{"Version":"2012-10-17","Statement":[{"Sid":"a","Effect":"Allow","Principal":' + principal + ',"Action":' +
                action + f',"Resource":"arn:aws:s3:::{resource}"' + more + "}]}")

    def when(operator, key, value="x"):
        return f',"Condition":{{"{operator}":{{"{key}":"{value}"}}}}'

    for name, document, text in (
            ("that ends early", "{", "This policy contains invalid Json"),
            ("for a principal in a string", policy('"arn:aws:iam::111122223333:root"'), "Invalid policy syntax."),
            ("for some users of an account", policy('{"AWS":"arn:aws:iam::111122223333:user/*"}'),
             "Invalid principal in policy"),
            ("with one action too many", policy(action='["s3:GetObject","s3:ListBucket"]'),
             "Action does not apply to any resource(s) in statement"),
            ("with an unknown operator", policy(more=when("StringIs", "s3:prefix")), "Invalid Condition type : StringIs"),
            ("with an unknown key", policy(more=when("StringEquals", "s3:x-acl")), "Policy has an invalid condition key"),
            ("with a key of another action", policy(more=when("StringEquals", "s3:prefix")),
             "Conditions do not apply to combination of actions and resources in statement"),
            ("with an address that is none", policy(more=when("IpAddress", "aws:SourceIp", "10.0.0.0/64")),
             "Invalid IP address in Conditions")):
        yield f"policy {name}", put("/{bucket}?policy", document), 400, "MalformedPolicy", text, {}


def replication_rules():
    """PutBucketReplication: a rule with a Filter "must also add DeleteMarkerReplication, Status, and Priority"; the texts
    are those that users of Terraform report."""
    text = ("{} for this version of Cross Region Replication configuration schema. Please refer to S3 Developer Guide for more "
            "information.")
    filter_, priority, markers = ("<Filter><Prefix></Prefix></Filter>", "<Priority>1</Priority>",
                                  "<DeleteMarkerReplication><Status>Disabled</Status></DeleteMarkerReplication>")
    for name, elements, code, message in (
            ("with a filter and no priority", filter_ + markers, "InvalidRequest", text.format("Priority must be specified")),
            ("with a filter and nothing for markers", filter_ + priority, "InvalidRequest",
             text.format("DeleteMarkerReplication must be specified")),
            ("with a priority and no filter", priority, "InvalidRequest", text.format("Priority cannot be used")),
            ("with markers and no filter", markers, "InvalidRequest",
             text.format("DeleteMarkerReplication cannot be used")),
            ("with two prefixes", "<Prefix></Prefix>" + filter_ + markers + priority, "MalformedXML", SCHEMA)):
        yield (f"replication {name}", put("/{versioned}?replication", (
            f"<ReplicationConfiguration><Role>r</Role><Rule>{elements}<Status>Enabled</Status><Destination><Bucket>"
            "arn:aws:s3:::{versioned}</Bucket></Destination></Rule></ReplicationConfiguration>")), 400, code, message, {})


def configuration_rules():
    """Configurations by id. The texts of analytics and tiering are those that clients of AWS report: aws-cloudformation/cfn-lint #3992
    and emulators that quote it; MalformedXML of inventory and metrics: aws/aws-cdk #27793, hashicorp/terraform-provider-aws #25251."""
    tag = "<Tag><Key>k</Key><Value>v</Value></Tag>"

    def tier(name, days):
        return f"<Tiering><AccessTier>{name}</AccessTier><Days>{days}</Days></Tiering>"

    def document(kind, filter_="", id_="c", tiers=tier("ARCHIVE_ACCESS", 90)):
        element, rest = {"analytics": ("AnalyticsConfiguration", "<StorageClassAnalysis/>"), "metrics": ("MetricsConfiguration", ""),
                         "intelligent-tiering": ("IntelligentTieringConfiguration", "<Status>Enabled</Status>" + tiers),
                         "inventory": ("InventoryConfiguration", "<IsEnabled>true</IsEnabled><IncludedObjectVersions>All"
                                       "</IncludedObjectVersions><Schedule><Frequency>Daily</Frequency></Schedule><Destination>"
                                       "<S3BucketDestination><Bucket>arn:aws:s3:::x</Bucket><Format>CSV</Format></S3BucketDestination>"
                                       "</Destination>")}[kind]
        return put(f"/{{bucket}}?{kind}&id={id_}", f"<{element}><Id>{id_}</Id>{filter_}{rest}</{element}>")

    few = "Number of Prefixes and Tags combined cannot be less than 2. And cannot contain less than 2 elements."
    pattern = r"Config Id does not match the pattern ^[a-zA-Z0-9\-_.]+$"
    for kind in ("analytics", "metrics", "intelligent-tiering"):
        strict = kind == "metrics"
        for name, filter_, code, message in (
                ("nothing", "<Filter/>", "MalformedXML", SCHEMA),
                ("two things", f"<Filter><Prefix>p</Prefix>{tag}</Filter>", "MalformedXML", SCHEMA),
                ("and of one", f"<Filter><And>{tag}</And></Filter>", *(("MalformedXML", SCHEMA) if strict else ("InvalidAnd", few)))):
            yield f"{kind} filter of {name}", document(kind, filter_), 400, code, message, {}
        if not strict:
            yield (f"{kind} filter of no prefix", document(kind, "<Filter><Prefix/></Filter>"), 400, "InvalidPrefix",
                   "Filter Prefix should be set to a valid non-empty value or not set at all.", {})
            yield f"{kind} id of other characters", document(kind, id_="a:b"), 400, "InvalidConfigId", pattern, {}
    for kind in ("metrics", "inventory"):
        for id_ in ("a:b", "i" * 65):
            yield f"{kind} id of {len(id_)} characters", document(kind, id_=id_), 400, "MalformedXML", SCHEMA, {}
    yield ("analytics id of 65 characters", document("analytics", id_="i" * 65), 400, "InvalidConfigId",
           "Config Id should not be more than 1 char and less than 64 chars in length", {})
    yield ("intelligent-tiering id of 65 characters", document("intelligent-tiering", id_="i" * 65), 400, "InvalidConfigId",
           "Config Id should be more than 1 character and less than 64 characters in length.", {})
    soon = "Days specified in {} tier should not be {} than {}."
    for name, tiers, message in (
            ("89 days", tier("ARCHIVE_ACCESS", 89), soon.format("ARCHIVE_ACCESS", "less", 90)),
            ("179 days", tier("DEEP_ARCHIVE_ACCESS", 179), soon.format("DEEP_ARCHIVE_ACCESS", "less", 180)),
            ("731 days", tier("ARCHIVE_ACCESS", 731), soon.format("ARCHIVE_ACCESS", "more", 730)),
            ("one tier twice", 2 * tier("ARCHIVE_ACCESS", 90),
             "All Access Tiers in a configuration must be unique. Found duplicate entry for ARCHIVE_ACCESS."),
            ("the deeper tier first", tier("ARCHIVE_ACCESS", 200) + tier("DEEP_ARCHIVE_ACCESS", 200),
             "Days specified in DEEP_ARCHIVE_ACCESS should be greater than days specified in ARCHIVE_ACCESS")):
        yield f"intelligent-tiering of {name}", document("intelligent-tiering", tiers=tiers), 400, "InvalidAccessTier", message, {}


RULES = [
    *configuration_rules(),
    *replication_rules(),
    *checksum_rules(),
    *grant_rules(),
    *policy_rules(),
    ("max-buckets that is no number", get("/?max-buckets=x"), 400, "InvalidArgument",  # as max-keys
     "Provided max-buckets not an integer or within integer range", argument("max-buckets", "x")),
    ("preflight to no bucket", ("OPTIONS", "/{unmade}/k", {"Origin": "http://a.example",
                                                           "Access-Control-Request-Method": "GET"}, None), 403,
     "AccessForbidden", "CORSResponse: Bucket not found", {"Method": "GET", "ResourceType": "BUCKET"}),
    ("bucket of another account", put("/{bucket}", "", account("111122223333")), 409, "BucketAlreadyExists", TAKEN,
     {"BucketName": "{bucket}"}),
    ("location of no name", put("/{unmade}", "<CreateBucketConfiguration><LocationConstraint/></CreateBucketConfiguration>"),
     400, "InvalidLocationConstraint", "The specified location-constraint is not valid",
     {"LocationConstraint": ""}),  # versity/versitygw #1644
    ("configuration of nothing", put("/{unmade}", "<CreateBucketConfiguration/>"), 400, "MalformedXML", SCHEMA,
     {}),  # cloudyr/aws.s3 #171
    ("own bucket, outside of us-east-1", put("/{bucket}", "<CreateBucketConfiguration><LocationConstraint>us-west-1"
                                             "</LocationConstraint></CreateBucketConfiguration>",
                                             account("000000000000", "us-west-1")), 409, "BucketAlreadyOwnedByYou",
     "Your previous request to create the named bucket succeeded and you already own it.", {"BucketName": "{bucket}"}),
    ("null version of no key", get("/{bucket}/none?versionId=null"), 404, "NoSuchKey", "The specified key does not exist.",
     {"Key": "none"}),  # as two emulators that are tested against AWS have it
    *[(f"tag with {name}", put(f"/{{bucket}}{where}?tagging", "<Tagging><TagSet><Tag><Key>a</Key><Value>" + value +  # object-tagging.html
                               "</Value></Tag></TagSet></Tagging>"), 400, "InvalidTag", "The TagValue you have provided is invalid",
       {"TagKey": "a", "TagValue": value})
      for name, value in (("a picture", "\U0001f600"), ("a currency", "1 \u20ac"), ("a dash", "\u2014")) for where in ("", "/k")],
    ("no version id at all", get("/{bucket}/k?versionId="), 400, "InvalidArgument", "Version id cannot be the empty string",
     argument("versionId", "")),
    ("Complete with part 0", post("/{bucket}/one?uploadId={one}", complete((0, "{onepart}"))), 400, "InvalidArgument",
     "PartNumber must be >= 1", argument("PartNumber", "0")),
    ("Complete without an ETag", post("/{bucket}/one?uploadId={one}", "<CompleteMultipartUpload><Part><PartNumber>1"
                                      "</PartNumber></Part></CompleteMultipartUpload>"), 400, "MalformedXML", SCHEMA, {}),
    *[(f"{name} version-id-marker", get(f"/{{versioned}}?versions&key-marker=k&version-id-marker={value}"), 400,
       "InvalidArgument", text, argument("version-id-marker", value))  # versity/versitygw #1811, noobaa/noobaa-core #8014
      for name, value, text in (("empty", "", "A version-id marker cannot be empty."),
                                ("invalid", "x", "Invalid version id specified"))],
    *[(f"GET {query}{name}={value}", get(f"/{{bucket}}?{query}{name}={value}"), 400, "InvalidArgument",
       text, argument(said, value))  # brekkylab/backlot #192, #176: an int32 or no number; versitygw #1809
      for query, name, value, text, said in (
          *[(query, "max-keys", "-1", "Argument maxKeys must be an integer between 0 and 2147483647", "maxKeys")
            for query in ("", "list-type=2&")],
          ("versions&", "max-keys", "-1", "max-keys cannot be negative", "maxKeys"),
          *[(query, name, value, f"Provided {name} not an integer or within integer range", name)
            for query, name in (("", "max-keys"), ("list-type=2&", "max-keys"), ("versions&", "max-keys"),
                                ("uploads&", "max-uploads"))
            for value in ("2147483648", "-2147483649")],
          ("uploads&", "max-uploads", "-1", "Argument max-uploads must be an integer between 0 and 2147483647",
           "max-uploads"))],
    *[(f"{name} in the other form", get(f"/{{unmade}}?{query}{name}={value}"), 400, "InvalidArgument", text,
       {"ArgumentName": name})  # recorded: versity/versitygw #2004; measured: brekkylab/backlot #204
      for name, query, text in (
          ("start-after", "", "startAfter only supported in REST.GET.BUCKET with list-type=2"),
          ("continuation-token", "start-after=a&", "continuation-token only supported in REST.GET.BUCKET with list-type=2"),
          ("marker", "list-type=2&", "Marker unsupported with REST.GET.BUCKET in list-type=2")) for value in ("", "a")],
    *[(f"{method} {path}", (method, path, {}, None), 400, "InvalidArgument",
       "Conflicting query string parameters: acl, " + other, argument("ResourceType", "acl"))  # brekkylab/backlot #204
      for method, path, other in (("GET", "/{unmade}?versioning&acl", "versioning"), ("GET", "/{bucket}/k?acl&tagging", "tagging"),
                                  ("PUT", "/{bucket}?policy=&acl", "policy"), ("POST", "/{bucket}?uploads&acl", "uploads"),
                                  ("GET", "/{bucket}?versions&uploads&acl", "uploads, versions"))],
    ("uploads of a key", get("/{bucket}/k?uploads"), 400, "InvalidRequest",  # cinely/mule-uploader #17
     "Key is not expected for the GET method ?uploads subresource", {}),
    ("versions of a key", get("/{bucket}/k?versions"), 400, "InvalidRequest",
     "There is no such thing as the ?versions sub-resource for a key", {}),
    *[(f"{method} {path} with a source", (method, path, {"x-amz-copy-source": "{bucket}/k"}, None), 400,
       "InvalidArgument", "You can only specify a copy source header for copy requests.",  # versity/versitygw #1642
       argument("x-amz-copy-source", "{bucket}/k"))
      for method, path in (("POST", "/{bucket}/x?uploads"), ("POST", "/{bucket}/one?uploadId={one}"), ("GET", "/{bucket}/k"),
                           ("GET", "/{bucket}"), ("DELETE", "/{bucket}/k"))],
    ("bucket of an account's own namespace", put("/{unmade}", "", {"x-amz-bucket-namespace": "account-regional"}), 501,
     "NotImplemented", NOT_IMPLEMENTED, {"Header": "x-amz-bucket-namespace"}),
    *[(f"{element} that is no name", put("/{bucket}?cors", "<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin>"
       f"<AllowedMethod>GET</AllowedMethod><{element}>a b</{element}></CORSRule></CORSConfiguration>"), 400, "InvalidRequest",
       'AllowedHeader "a b" contains invalid character.', {})  # scality/cloudserver #497
      for element in ("AllowedHeader", "ExposeHeader")],
    ("preflight for a header that is no name", ("OPTIONS", "/{bucket}/k", {
        "Origin": "http://a.example", "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "x-a, b c"}, None), 400, "BadRequest",
     'Access-Control-Request-Headers "b c" contains invalid character.', {}),
    ("form without a file", post("/{bucket}", form(key="a"), {"Content-Type": "multipart/form-data; boundary=b"}), 400,
     "InvalidArgument", "POST requires exactly one file upload per request.", argument("file", "0")),
    *[(f"form with {name} of {value}", post("/{bucket}", form(**{"key": "a", name: value, "file": "x"}), {
        "Content-Type": "multipart/form-data; boundary=b"}), status, code, text, extras)  # the fields are PutObject's headers
      for name, value, status, code, text, extras in (
          ("x-amz-storage-class", "COLD", 400, "InvalidStorageClass", "The storage class you specified is not valid",
           {"StorageClassRequested": "COLD"}),
          ("x-amz-server-side-encryption", "x", 400, "InvalidArgument", "The encryption method specified is not supported",
           argument("x-amz-server-side-encryption", "x")),
          ("x-amz-object-lock-retain-until-date", "x", 400, "InvalidArgument",
           "The retain until date must be provided in ISO 8601 format", argument("x-amz-object-lock-retain-until-date", "x")),
          ("x-amz-server-side-encryption-context", "x", 501, "NotImplemented", NOT_IMPLEMENTED,
           {"Header": "x-amz-server-side-encryption-context"}))],
    *[(f"{what} without an upload", (  # versity/versitygw #1226
        "PUT", "/{bucket}/x?partNumber=1", headers, "x"), 400, "InvalidArgument",
       "This operation does not accept partNumber without uploadId", argument("partNumber", "partNumber"))
      for what, headers in (("part", {}), ("copied part", {"x-amz-copy-source": "{bucket}/k"}))],
    *[(f"{what} with metadata", ("PUT", "/{bucket}/one?partNumber=2&uploadId={one}", {  # durch/rust-s3 #352
        "X-Amz-Meta-A": "b", **headers}, ""), 400, "InvalidArgument", "Metadata cannot be specified in this context.",
       argument("x-amz-meta-a", "b"))
      for what, headers in (("part", {}), ("copied part", {"x-amz-copy-source": "{bucket}/k"}))],
    *[(f"tagging header {value}", put("/{bucket}/x", "x", {"x-amz-tagging": value}), 400, "InvalidArgument",
       "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name "
       "duplicates.", argument("x-amz-tagging", value))  # versity/versitygw #1215
      for value in ("=", "=b", "a=b&=c", "a%=b", "a=b%4", "a=%zz")],
    *[(f"{what} that climbs out", request, 400, "InvalidURI", "Couldn't parse the specified URI.", {})  # object-keys.html
      for what, request in (("key", put("/{bucket}/videos/../../video1.wmv", "x")), ("root", put("/{bucket}/../x", "x")),
                            ("upload", post("/{bucket}/videos/../../2014/x?uploads")),
                            ("copy", copy("/{bucket}/a/../../c", "{bucket}/k")))],
    ("range that starts at the end", get("/{bucket}/k", Range="bytes=10-"), 416, "InvalidRange",
     "The requested range is not satisfiable", {"ActualObjectSize": "10", "RangeRequested": "bytes=10-"}),
    ("range that starts far beyond", get("/{bucket}/k", Range="bytes=1000-2000"), 416, "InvalidRange",
     "The requested range is not satisfiable", {"ActualObjectSize": "10", "RangeRequested": "bytes=1000-2000"}),
    *[(f"encryption context of {name}", request, 501, "NotImplemented", NOT_IMPLEMENTED,
       {"Header": "x-amz-server-side-encryption-context"})
      for name, request in (
          ("a put", put("/{bucket}/x", "x", {"x-amz-server-side-encryption-context": "e30="})),
          ("a copy", copy("/{bucket}/c", "{bucket}/k", server_side_encryption_context="e30=")),
          ("an upload", post("/{bucket}/x?uploads", "", {"x-amz-server-side-encryption-context": "e30="})))],
]


@pytest.fixture(scope="module")
def world(shared_server):
    made = World(shared_server)
    _, body = made.ok("GET", f"/{made.names['bucket']}?acl")
    made.names["owner"] = ElementTree.fromstring(body).find("{*}Owner/{*}ID").text
    return made


@pytest.mark.parametrize("name,request_,status,code,text,extras", RULES, ids=[row[0] for row in RULES])
def test_rule(world, name, request_, status, code, text, extras):
    world.check(request_, status, code, text, extras)


def test_who_may_be_granted_something(world):
    """Any account by its canonical id, in capitals too, and CloudFront's logs by theirs."""
    bucket = world.names["bucket"]
    theirs = Clients(world.server.endpoint, "999988887777").s3.list_buckets()["Owner"]["ID"]
    logs = "c4c1ede66af53448b93c283ce9448c4ba468c9432aa01d700d3878632f77d2d0"
    world.ok("PUT", f"/{bucket}/k?acl", {"x-amz-grant-read": f"id={theirs.upper()}, id={logs}"})
    _, body = world.ok("GET", f"/{bucket}/k?acl")
    ids = [grantee.find("{*}ID").text for grantee in ElementTree.fromstring(body).iter() if grantee.tag.endswith("Grantee")]
    assert ids == [theirs, logs]


def test_the_global_namespace_is_the_one_of_buckets(world):
    bucket = f"rules-global-{next(names)}"
    assert world.ok("PUT", "/" + bucket, {"x-amz-bucket-namespace": "global"})[0]["location"] == "/" + bucket


def test_the_location_of_a_form_has_no_slash_in_its_key(world):
    _, body = world.ok("POST", world.filled("/{bucket}"), {"Content-Type": "multipart/form-data; boundary=b"}, form(
        key="a/b c", success_action_status="201", file="x").encode())
    assert ElementTree.fromstring(body).find("Location").text.endswith("/a%2Fb%20c")


def test_the_fields_of_a_form_are_those_of_a_put(world):
    bucket = f"rules-form-{next(names)}"
    world.ok("PUT", "/" + bucket, {"x-amz-bucket-object-lock-enabled": "true"})
    world.ok("POST", "/" + bucket, {"Content-Type": "multipart/form-data; boundary=b"}, form(**{
        "key": "a", "x-amz-object-lock-mode": "GOVERNANCE", "x-amz-object-lock-retain-until-date": "2099-01-01T00:00:00Z",
        "x-amz-server-side-encryption": "aws:kms", "x-amz-server-side-encryption-bucket-key-enabled": "true",
        "file": "x"}).encode())
    headers, _ = world.ok("HEAD", f"/{bucket}/a")
    assert headers["x-amz-object-lock-retain-until-date"].startswith("2099-01-01")
    assert headers["x-amz-server-side-encryption-bucket-key-enabled"] == "true"


def test_a_key_may_climb_as_far_as_it_went_down(world):
    bucket = world.names["bucket"]
    for key in ("videos/2014/../../video1.wmv", "a/../b", "./c", "..d/e"):
        world.ok("PUT", f"/{bucket}/{key}", {}, b"x")
        assert world.ok("GET", f"/{bucket}/{key}")[1] == b"x"


def test_an_upload_says_what_can_be_done_with_it(world):
    """As versity/versitygw #1236 saw it."""
    status, headers, _ = world.send("PUT", world.filled("/{bucket}/one?uploadId={one}"), {}, b"x")
    assert (status, headers["allow"]) == (405, "DELETE, POST, GET")


def test_a_policy_has_20480_bytes_at_most(world):
    """Blanks between tokens do not count, as FogSecurity/aws-size #38 found."""
    bucket = world.names["bucket"]
    rest = ('{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"s3:GetObject",'
            f'"Resource":"arn:aws:s3:::{bucket}/*"}}],"Id":"\\" "}}')
    fits = rest.replace('"Id":"', '"Id":"' + "a" * (20480 - len(rest)))
    world.ok("PUT", f"/{bucket}?policy", {}, fits.replace(',"', ',\n    "').encode())
    world.check(put("/{bucket}?policy", fits.replace("aaa", "aaaa", 1)), 400, "MalformedPolicy",
                "Policy exceeds the maximum allowed document size.", {})
    world.ok("DELETE", f"/{bucket}?policy")
