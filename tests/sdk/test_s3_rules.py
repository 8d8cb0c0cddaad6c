"""The errors of S3 as recorded against AWS, each with its status, code, text and extra elements: a table of requests.

Requests are written by hand and not signed, so that nothing of an SDK stands between the table and the answer. A row is
(name, request, status, code, text, extras); in any text {bucket} and the like stand for what the world has made. Whatever
an answer has beyond its row is a failure, and so is what it lacks."""
import base64
import hashlib
import http.client
import itertools
import re
import zlib
import xml.etree.ElementTree as ElementTree

import pytest

names = itertools.count(1)
KEY_MISSING = "The specified key does not exist."
PRECONDITION = "At least one of the pre-conditions you specified did not hold"
NOT_IMPLEMENTED = "A header you provided implies functionality that is not implemented"
SCHEMA = "The XML you provided was not well-formed or did not validate against our published schema"
NO_UPLOAD = ("The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or "
             "completed.")
NO_PART = ("One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified "
           "entity tag may not match the part's entity tag.")
RANGE_FORM = ("The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the "
              "zero-based offsets of the first and last bytes to copy")
TO_ITSELF = ("This copy request is illegal because it is trying to copy an object to itself without changing the object's "
             "metadata, storage class, website redirect location or encryption attributes.")
ALGORITHMS = ("Checksum algorithm provided is unsupported. Please try again with any of the valid types: "
              "[CRC32, CRC32C, CRC64NVME, SHA1, SHA256]")
CORS_REFUSED = ("CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, request "
                "method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the "
                "resource's CORS spec.")


class World:
    """One server's connection, and the buckets, versions and uploads that the rows name."""

    def __init__(self, server):
        self.server = server
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        self.names = {"host": f"127.0.0.1:{server.port}", "noversion": "A" * 32}
        for kind in ("bucket", "versioned", "locked", "cors", "unmade"):
            self.names[kind] = f"rules-{kind}-{next(names)}"
        self.fill()

    def send(self, method, path, headers=None, body=None):
        self.connection.request(method, path, body=body, headers=headers or {})
        answer = self.connection.getresponse()
        return answer.status, dict((k.lower(), v) for k, v in answer.getheaders()), answer.read()

    def ok(self, *request):
        status, headers, body = self.send(*request)
        assert status < 300, (request, status, body)
        return headers, body

    def upload(self, key, *headers):
        _, body = self.ok("POST", f"/{self.names['bucket']}/{key}?uploads", dict(headers))
        return re.search(rb"<UploadId>([^<]+)", body).group(1).decode()

    def part(self, key, upload, number, body, **headers):
        got, _ = self.ok("PUT", f"/{self.names['bucket']}/{key}?partNumber={number}&uploadId={upload}", headers, body)
        return got["etag"].strip('"')

    def fill(self):
        n = self.names
        for kind in ("bucket", "versioned", "cors"):
            self.ok("PUT", f"/{n[kind]}")
        self.ok("PUT", f"/{n['locked']}", {"x-amz-bucket-object-lock-enabled": "true"})
        self.ok("PUT", f"/{n['bucket']}/k", {}, b"0123456789")
        n["race"] = self.upload("k")
        n["racepart"] = self.part("k", n["race"], 1, b"0123")
        n["etag"] = hashlib.md5(b"0123456789").hexdigest()
        self.ok("PUT", f"/{n['bucket']}/cold", {"x-amz-storage-class": "GLACIER"}, b"x")
        self.ok("PUT", f"/{n['versioned']}?versioning", {},
                b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>")
        n["version"] = self.ok("PUT", f"/{n['versioned']}/k", {}, b"x")[0]["x-amz-version-id"]
        n["marker"] = self.ok("DELETE", f"/{n['versioned']}/k")[0]["x-amz-version-id"]
        n["locked_version"] = self.ok("PUT", f"/{n['locked']}/k", {
            "x-amz-object-lock-mode": "COMPLIANCE", "x-amz-object-lock-retain-until-date": "2099-01-01T00:00:00Z"},
            b"x")[0]["x-amz-version-id"]
        self.ok("PUT", f"/{n['locked']}/free", {}, b"x")
        self.ok("PUT", f"/{n['cors']}?cors", {}, b"<CORSConfiguration><CORSRule><AllowedOrigin>http://a.example"
                b"</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule></CORSConfiguration>")
        self.fill_uploads()

    def fill_uploads(self):
        n = self.names
        n["upload"] = self.upload("u")
        n["part"] = self.part("u", n["upload"], 1, b"0123")
        n["part2"] = self.part("u", n["upload"], 2, b"4567")
        n["one"] = self.upload("one")
        n["onepart"] = self.part("one", n["one"], 1, b"0123")
        n["crc32"] = self.upload("crc32", ("x-amz-checksum-algorithm", "CRC32"))
        n["crc32part"] = self.part("crc32", n["crc32"], 1, b"0123", **{"x-amz-checksum-crc32": crc32(b"0123")})
        n["full"] = self.upload("full", ("x-amz-checksum-algorithm", "CRC32"), ("x-amz-checksum-type", "FULL_OBJECT"))
        n["fullpart"] = self.part("full", n["full"], 1, b"0123", **{"x-amz-checksum-crc32": crc32(b"0123")})
        n["sha256"] = self.upload("sha256", ("x-amz-checksum-algorithm", "SHA256"))
        self.ok("PUT", f"/{n['bucket']}/k", {}, b"0123456789")  # some milliseconds after the upload to the same key
        n["modified"] = self.ok("GET", f"/{n['bucket']}/k")[0]["last-modified"]
        self.ok("PUT", f"/{n['bucket']}/gone", {}, b"x")
        n["gone"] = self.upload("gone")
        n["gonepart"] = self.part("gone", n["gone"], 1, b"0123")
        self.ok("DELETE", f"/{n['bucket']}/gone")

    def check(self, request_, status, code, text, extras):
        """The request of a row is answered as the row says, and the answer is a whole error of S3."""
        method, path, headers, body = request_
        headers = {k: self.filled(v) for k, v in headers.items()}
        got, answer, raw = self.send(method, self.filled(path), headers, self.filled(body).encode() if body else body)
        assert got == status, raw
        elements = fault_of(raw)
        assert [tag for tag, _ in elements[:2]] == ["Code", "Message"]
        assert [tag for tag, _ in elements[-2:]] == ["RequestId", "HostId"]
        assert answer["content-type"] == "application/xml"
        assert (elements[-2][1], elements[-1][1]) == (answer["x-amz-request-id"], answer["x-amz-id-2"])
        assert dict(elements[:2]) == {"Code": code, "Message": text}
        assert dict(elements[2:-2]) == {tag: self.filled(value) for tag, value in extras.items()}

    def filled(self, text):
        return re.sub(r"\{([a-z0-9_]+)\}", lambda m: self.names[m.group(1)], text)


def crc32(body):
    return base64.b64encode(zlib.crc32(body).to_bytes(4, "big")).decode()


def complete(*parts, checksum=""):
    return "<CompleteMultipartUpload>" + "".join(
        f"<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag>{checksum}</Part>" for number, etag in parts
    ) + "</CompleteMultipartUpload>"


def tagging(*pairs):
    return "<Tagging><TagSet>" + "".join(f"<Tag><Key>{k}</Key><Value>{v}</Value></Tag>" for k, v in pairs) + \
        "</TagSet></Tagging>"


def get(path, **headers):
    return ("GET", path, headers, None)


def put(path, body="", headers=None):
    return ("PUT", path, headers or {}, body)


def post(path, body="", headers=None):
    return ("POST", path, headers or {}, body)


def copy(path, source, **headers):
    return ("PUT", path, {"x-amz-copy-source": source, **{"x-amz-" + k.replace("_", "-"): v for k, v in headers.items()}}, "")


def argument(name, value):
    return {"ArgumentName": name, "ArgumentValue": value}


K = "/{bucket}/k"
RULES = [
    # 1, 2
    ("no such bucket", get("/{unmade}"), 404, "NoSuchBucket", "The specified bucket does not exist",
     {"BucketName": "{unmade}"}),
    ("no such bucket, of an object", get("/{unmade}/k"), 404, "NoSuchBucket", "The specified bucket does not exist",
     {"BucketName": "{unmade}"}),
    ("no such key", get("/{bucket}/none"), 404, "NoSuchKey", KEY_MISSING, {"Key": "none"}),
    ("key behind a delete marker", get("/{versioned}/k"), 404, "NoSuchKey", KEY_MISSING, {"Key": "k"}),
    ("attributes of no key", get("/{bucket}/none?attributes", **{"x-amz-object-attributes": "ETag"}), 404, "NoSuchKey",
     KEY_MISSING, {"Key": "none"}),
    # 4, 5
    ("no such version", get("/{versioned}/k?versionId={noversion}"), 404, "NoSuchVersion",
     "The specified version does not exist.", {"Key": "k", "VersionId": "{noversion}"}),
    ("no version id", get("/{versioned}/k?versionId=bad"), 400, "InvalidArgument", "Invalid version id specified",
     argument("versionId", "bad")),
    ("delete marker by version", get("/{versioned}/k?versionId={marker}"), 405, "MethodNotAllowed",
     "The specified method is not allowed against this resource.", {"Method": "GET", "ResourceType": "DeleteMarker"}),
    ("ACL of a delete marker", get("/{versioned}/k?acl&versionId={marker}"), 405, "MethodNotAllowed",
     "The specified method is not allowed against this resource.", {"Method": "GET", "ResourceType": "DeleteMarker"}),
    ("tags of a delete marker", get("/{versioned}/k?tagging&versionId={marker}"), 405, "MethodNotAllowed",
     "The specified method is not allowed against this resource.", {"Method": "GET", "ResourceType": "DeleteMarker"}),
    ("tags onto a delete marker", put("/{versioned}/k?tagging&versionId={marker}", tagging(("a", "b"))), 405,
     "MethodNotAllowed", "The specified method is not allowed against this resource.",
     {"Method": "PUT", "ResourceType": "DeleteMarker"}),
    # 6 to 10
    ("bucket not empty", ("DELETE", "/{bucket}", {}, None), 409, "BucketNotEmpty",
     "The bucket you tried to delete is not empty", {"BucketName": "{bucket}"}),
    ("versioned bucket not empty", ("DELETE", "/{versioned}", {}, None), 409, "BucketNotEmpty",
     "The bucket you tried to delete is not empty. You must delete all versions in the bucket.",
     {"BucketName": "{versioned}"}),
    ("bucket name", put("/Bad_Name"), 400, "InvalidBucketName", "The specified bucket is not valid.",
     {"BucketName": "Bad_Name"}),
    ("location of another region", put("/{unmade}", "<CreateBucketConfiguration><LocationConstraint>nowhere-1"
                                       "</LocationConstraint></CreateBucketConfiguration>"),
     400, "InvalidLocationConstraint", "The specified location-constraint is not valid",
     {"LocationConstraint": "nowhere-1"}),
    # 11, 12
    ("range beyond the end", get(K, Range="bytes=10-20"), 416, "InvalidRange", "The requested range is not satisfiable",
     {"ActualObjectSize": "10", "RangeRequested": "bytes=10-20"}),
    ("empty suffix range", get(K, Range="bytes=-0"), 416, "InvalidRange", "The requested range is not satisfiable",
     {"ActualObjectSize": "10", "RangeRequested": "bytes=-0"}),
    ("part beyond the last", get(K + "?partNumber=2"), 416, "InvalidPartNumber",
     "The requested partnumber is not satisfiable", {"ActualPartCount": "1", "PartNumberRequested": "2"}),
    ("part and range", get(K + "?partNumber=1", Range="bytes=0-1"), 400, "InvalidRequest",
     "Cannot specify both Range header and partNumber query parameter", {}),
    # 13 to 15
    ("GET If-Match", get(K, **{"If-Match": '"other"'}), 412, "PreconditionFailed", PRECONDITION, {"Condition": "If-Match"}),
    ("GET If-Unmodified-Since", get(K, **{"If-Unmodified-Since": "Wed, 01 Jan 2020 00:00:00 GMT"}), 412,
     "PreconditionFailed", PRECONDITION, {"Condition": "If-Unmodified-Since"}),
    ("PUT If-None-Match", put(K, "x", {"If-None-Match": "*"}), 412, "PreconditionFailed", PRECONDITION,
     {"Condition": "If-None-Match"}),
    ("PUT If-Match", put(K, "x", {"If-Match": '"other"'}), 412, "PreconditionFailed", PRECONDITION,
     {"Condition": "If-Match"}),
    ("DELETE If-Match", ("DELETE", K, {"If-Match": '"other"'}, None), 412, "PreconditionFailed", PRECONDITION,
     {"Condition": "If-Match"}),
    ("copy If-Match", copy("/{bucket}/c", "{bucket}/k", copy_source_if_match='"other"'), 412, "PreconditionFailed",
     PRECONDITION, {"Condition": "x-amz-copy-source-If-Match"}),
    ("copy If-None-Match", copy("/{bucket}/c", "{bucket}/k", copy_source_if_none_match='"{etag}"'), 412,
     "PreconditionFailed", PRECONDITION, {"Condition": "x-amz-copy-source-If-None-Match"}),
    ("copy If-Modified-Since", copy("/{bucket}/c", "{bucket}/k",
                                    copy_source_if_modified_since="{modified}"), 412,
     "PreconditionFailed", PRECONDITION, {"Condition": "x-amz-copy-source-If-Modified-Since"}),
    ("copy If-Unmodified-Since", copy("/{bucket}/c", "{bucket}/k",
                                      copy_source_if_unmodified_since="Wed, 01 Jan 2020 00:00:00 GMT"), 412,
     "PreconditionFailed", PRECONDITION, {"Condition": "x-amz-copy-source-If-Unmodified-Since"}),
    ("PUT If-None-Match an ETag", put(K, "x", {"If-None-Match": '"{etag}"'}), 501, "NotImplemented", NOT_IMPLEMENTED,
     {"Header": "If-None-Match",
      "additionalMessage": "We don't accept the provided value of If-None-Match header for this API"}),
    ("PUT If-Match *", put(K, "x", {"If-Match": "*"}), 501, "NotImplemented", NOT_IMPLEMENTED,
     {"Header": "If-Match", "additionalMessage": "We don't accept the provided value of If-Match header for this API"}),
    ("PUT both conditions", put(K, "x", {"If-Match": '"{etag}"', "If-None-Match": "*"}), 501, "NotImplemented",
     NOT_IMPLEMENTED, {"Header": "If-Match,If-None-Match",
                       "additionalMessage": "Multiple conditional request headers present in the request"}),
    ("PUT If-Match of no key", put("/{bucket}/none", "x", {"If-Match": '"{etag}"'}), 404, "NoSuchKey", KEY_MISSING,
     {"Key": "none"}),
    ("DELETE if-match-size", ("DELETE", K, {"x-amz-if-match-size": "10"}, None), 501, "NotImplemented", NOT_IMPLEMENTED,
     {"Header": "x-amz-if-match-size"}),
    ("DELETE if-match-last-modified-time", ("DELETE", K, {
        "x-amz-if-match-last-modified-time": "Wed, 01 Jan 2020 00:00:00 GMT"}, None), 501, "NotImplemented",
     NOT_IMPLEMENTED, {"Header": "x-amz-if-match-last-modified-time"}),
    ("Complete If-None-Match an ETag", post("/{bucket}/one?uploadId={one}", complete((1, "{onepart}")),
                                            {"If-None-Match": '"{etag}"'}), 501, "NotImplemented", NOT_IMPLEMENTED,
     {"Header": "If-None-Match",
      "additionalMessage": "We don't accept the provided value of If-None-Match header for this API"}),
    # 16
    ("Complete after another write", post("/{bucket}/k?uploadId={race}", complete((1, "{racepart}")),
                                          {"If-Match": '"{etag}"'}), 409, "ConditionalRequestConflict",
     "The conditional request cannot succeed due to a conflicting operation against this resource.",
     {"Condition": "If-Match", "Key": "k"}),
    ("Complete after the key went", post("/{bucket}/gone?uploadId={gone}", complete((1, "{gonepart}")),
                                         {"If-None-Match": "*"}), 409, "ConditionalRequestConflict",
     "The conditional request cannot succeed due to a conflicting operation against this resource.",
     {"Condition": "If-None-Match", "Key": "gone"}),
    # 17 to 22
    ("no such upload", post("/{bucket}/u?uploadId=nope", complete((1, "x"))), 404, "NoSuchUpload", NO_UPLOAD,
     {"UploadId": "nope"}),
    ("part to no upload", put("/{bucket}/u?partNumber=1&uploadId=nope", "x"), 404, "NoSuchUpload", NO_UPLOAD,
     {"UploadId": "nope"}),
    ("parts of no upload", get("/{bucket}/u?uploadId=nope"), 404, "NoSuchUpload", NO_UPLOAD, {"UploadId": "nope"}),
    ("abort of no upload", ("DELETE", "/{bucket}/u?uploadId=nope", {}, None), 404, "NoSuchUpload", NO_UPLOAD,
     {"UploadId": "nope"}),
    ("Complete with no such part", post("/{bucket}/u?uploadId={upload}", complete((3, "{part}"))), 400, "InvalidPart",
     NO_PART, {"ETag": "{part}", "PartNumber": "3", "UploadId": "{upload}"}),
    ("Complete with a quoted tag of no part", post("/{bucket}/u?uploadId={upload}", complete((1, '"{etag}"'))), 400,
     "InvalidPart", NO_PART, {"ETag": "{etag}", "PartNumber": "1", "UploadId": "{upload}"}),
    ("Complete out of order", post("/{bucket}/u?uploadId={upload}", complete((2, "{part2}"), (1, "{part}"))), 400,
     "InvalidPartOrder", "The list of parts was not in ascending order. Parts must be ordered by part number.",
     {"UploadId": "{upload}"}),
    ("Complete with a small part", post("/{bucket}/u?uploadId={upload}", complete((1, "{part}"), (2, "{part2}"))), 400,
     "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size",
     {"ETag": "{part}", "MinSizeAllowed": "5242880", "PartNumber": "1", "ProposedSize": "4"}),
    ("Complete without parts", post("/{bucket}/u?uploadId={upload}",
                                    "<CompleteMultipartUpload></CompleteMultipartUpload>"), 400, "InvalidRequest",
     "You must specify at least one part", {}),
    ("part number", put("/{bucket}/u?partNumber=10001&uploadId={upload}", "x"), 400, "InvalidArgument",
     "Part number must be an integer between 1 and 10000, inclusive", argument("partNumber", "10001")),
    ("part number 0", put("/{bucket}/u?partNumber=0&uploadId={upload}", "x"), 400, "InvalidArgument",
     "Part number must be an integer between 1 and 10000, inclusive", argument("partNumber", "0")),
    ("mp-object-size", post("/{bucket}/one?uploadId={one}", complete((1, "{onepart}")), {"x-amz-mp-object-size": "5"}),
     400, "InvalidRequest", "The provided 'x-amz-mp-object-size' header value 5 does not match what was computed: 4", {}),
    # 23 to 25
    ("copy range of another form", copy("/{bucket}/u?partNumber=3&uploadId={upload}", "{bucket}/k",
                                        copy_source_range="0-1"), 400, "InvalidArgument", RANGE_FORM,
     argument("x-amz-copy-source-range", "0-1")),
    ("copy range beyond the end", copy("/{bucket}/u?partNumber=3&uploadId={upload}", "{bucket}/k",
                                       copy_source_range="bytes=0-10"), 400, "InvalidArgument",
     "Range specified is not valid for source object of size: 10", argument("x-amz-copy-source-range", "bytes=0-10")),
    ("copy onto itself", copy(K, "{bucket}/k"), 400, "InvalidRequest", TO_ITSELF, {}),
    ("copy of no key", copy(K, "{bucket}"), 400, "InvalidArgument", "Invalid copy source object key",
     argument("x-amz-copy-source", "x-amz-copy-source")),
    ("copy of a delete marker", copy(K, "{versioned}/k?versionId={marker}"), 400, "InvalidRequest",
     "The source of a copy request may not specifically refer to a delete marker by version id.", {}),
    ("copy behind a delete marker", copy(K, "{versioned}/k"), 404, "NoSuchKey", KEY_MISSING, {"Key": "k"}),
    # 26 to 30
    ("CRC32 of something else", put("/{bucket}/x", "x", {"x-amz-checksum-crc32": "AAAAAA=="}), 400, "BadDigest",
     "The CRC32 you specified did not match the calculated checksum.", {}),
    ("SHA256 of something else", put("/{bucket}/x", "x", {
        "x-amz-checksum-sha256": base64.b64encode(bytes(32)).decode()}), 400, "BadDigest",
     "The SHA256 you specified did not match the calculated checksum.", {}),
    ("part's CRC32 of something else", put("/{bucket}/crc32?partNumber=2&uploadId={crc32}", "x", {
        "x-amz-checksum-crc32": "AAAAAA=="}), 400, "BadDigest",
     "The CRC32 you specified did not match the calculated checksum.", {}),
    ("Complete's crc32 of something else", post("/{bucket}/full?uploadId={full}", complete((1, "{fullpart}")), {
        "x-amz-checksum-crc32": "AAAAAA==", "x-amz-checksum-type": "FULL_OBJECT"}), 400, "BadDigest",
     "The crc32 you specified did not match the calculated checksum.", {}),
    ("MD5 of something else", put("/{bucket}/x", "x", {
        "Content-MD5": base64.b64encode(hashlib.md5(b"y").digest()).decode()}), 400, "BadDigest",
     "The Content-MD5 you specified did not match what we received.",
     {"CalculatedDigest": base64.b64encode(hashlib.md5(b"x").digest()).decode(),
      "ExpectedDigest": hashlib.md5(b"y").hexdigest()}),
    ("no MD5", put("/{bucket}/x", "x", {"Content-MD5": "!invalid"}), 400, "InvalidDigest",
     "The Content-MD5 you specified was invalid.", {"Content-MD5": "!invalid"}),
    ("no SHA256", put("/{bucket}/x", "x", {"x-amz-checksum-sha256": "bad"}), 400, "InvalidRequest",
     "Value for x-amz-checksum-sha256 header is invalid.", {}),
    ("two checksums", put("/{bucket}/x", "x", {"x-amz-checksum-crc32": crc32(b"x"),
                                               "x-amz-checksum-sha1": base64.b64encode(bytes(20)).decode()}), 400,
     "InvalidRequest",
     "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.", {}),
    ("part's checksum of another type", put("/{bucket}/sha256?partNumber=1&uploadId={sha256}", "x", {
        "x-amz-checksum-crc32": crc32(b"x")}), 400, "InvalidRequest",
     "Checksum Type mismatch occurred, expected checksum Type: sha256, actual checksum Type: crc32", {}),
    ("Complete lacks a part's checksum", post("/{bucket}/crc32?uploadId={crc32}", complete((1, "{crc32part}"))), 400,
     "InvalidRequest", "The upload was created using a crc32 checksum. The complete request must include the checksum for "
     "each part. It was missing for part 1 in the request.", {}),
    ("Complete of another mode", post("/{bucket}/full?uploadId={full}", complete((1, "{fullpart}")), {
        "x-amz-checksum-type": "COMPOSITE"}), 400, "InvalidRequest",
     "The upload was created using the FULL_OBJECT checksum mode. The complete request must use the same checksum mode.",
     {}),
    ("Complete of a mode that was not set", post("/{bucket}/one?uploadId={one}", complete((1, "{onepart}")), {
        "x-amz-checksum-type": "COMPOSITE"}), 400, "InvalidRequest",
     "The upload was created using the null checksum mode. The complete request must use the same checksum mode.", {}),
    ("FULL_OBJECT of SHA1", post("/{bucket}/x?uploads", "", {
        "x-amz-checksum-algorithm": "SHA1", "x-amz-checksum-type": "FULL_OBJECT"}), 400, "InvalidRequest",
     "The FULL_OBJECT checksum type cannot be used with the sha1 checksum algorithm.", {}),
    ("COMPOSITE of CRC64NVME", post("/{bucket}/x?uploads", "", {
        "x-amz-checksum-algorithm": "CRC64NVME", "x-amz-checksum-type": "COMPOSITE"}), 400, "InvalidRequest",
     "The COMPOSITE checksum type cannot be used with the crc64nvme checksum algorithm.", {}),
    ("type without algorithm", post("/{bucket}/x?uploads", "", {"x-amz-checksum-type": "COMPOSITE"}), 400,
     "InvalidRequest", "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.", {}),
    ("no such algorithm", post("/{bucket}/x?uploads", "", {"x-amz-checksum-algorithm": "TEST"}), 400, "InvalidRequest",
     ALGORITHMS, {}),
    ("copy with no such algorithm", copy("/{bucket}/c", "{bucket}/k", checksum_algorithm="TEST"), 400, "InvalidRequest",
     ALGORITHMS, {}),
    # 31
    ("object lock", ("DELETE", "/{locked}/k?versionId={locked_version}", {}, None), 403, "AccessDenied",
     "Access Denied because object protected by object lock.", {}),
    # 36
    ("malformed XML", put("/{bucket}?tagging", "<Tagging"), 400, "MalformedXML", SCHEMA, {}),
    ("XML of another schema", put("/{bucket}?versioning", "<Nothing/>"), 400, "MalformedXML", SCHEMA, {}),
    ("malformed ACL", put("/{bucket}?acl", "<AccessControlPolicy"), 400, "MalformedACLError", SCHEMA, {}),
    ("malformed DeleteObjects", post("/{bucket}?delete", "<Delete></Delete>"), 400, "MalformedXML", SCHEMA, {}),
    # 37
    *[(f"no {query}", get("/{bucket}?" + query), 404, code, text, {"BucketName": "{bucket}"}) for query, code, text in (
        ("policy", "NoSuchBucketPolicy", "The bucket policy does not exist"),
        ("cors", "NoSuchCORSConfiguration", "The CORS configuration does not exist"),
        ("lifecycle", "NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist"),
        ("tagging", "NoSuchTagSet", "The TagSet does not exist"),
        ("website", "NoSuchWebsiteConfiguration", "The specified bucket does not have a website configuration"),
        ("object-lock", "ObjectLockConfigurationNotFoundError",
         "Object Lock configuration does not exist for this bucket"))],
    ("no replication", get("/{bucket}?replication"), 404, "ReplicationConfigurationNotFoundError",
     "The replication configuration was not found", {}),
    ("no retention", get("/{locked}/free?retention"), 404, "NoSuchObjectLockConfiguration",
     "The specified object does not have a ObjectLock configuration", {}),
    ("no legal hold", get("/{locked}/free?legal-hold"), 404, "NoSuchObjectLockConfiguration",
     "The specified object does not have a ObjectLock configuration", {}),
    ("no inventory", get("/{bucket}?inventory&id=x"), 404, "NoSuchConfiguration",
     "The specified configuration does not exist.", {}),
    # 38
    ("tag without a key", put(K + "?tagging", tagging(("", "v"))), 400, "InvalidTag",
     "The TagKey you have provided is invalid", {"TagKey": ""}),
    ("tag with an odd key", put(K + "?tagging", tagging(("a!", "v"))), 400, "InvalidTag",
     "The TagKey you have provided is invalid", {"TagKey": "a!"}),
    ("tag twice", put(K + "?tagging", tagging(("a", "1"), ("a", "2"))), 400, "InvalidTag",
     "Cannot provide multiple Tags with the same key", {"TagKey": "a"}),
    ("bucket's tag twice", put("/{bucket}?tagging", tagging(("a", "1"), ("a", "2"))), 400, "InvalidTag",
     "Cannot provide multiple Tags with the same key", {"TagKey": "a"}),
    ("tag with an odd value", put(K + "?tagging", tagging(("a", "v!"))), 400, "InvalidTag",
     "The TagValue you have provided is invalid", {"TagKey": "a", "TagValue": "v!"}),
    ("bucket's system tag", put("/{bucket}?tagging", tagging(("aws:a", "v"))), 400, "InvalidTag",
     "System tags cannot be added/updated by requester", {"TagKey": "aws:a"}),
    ("object's system tag", put(K + "?tagging", tagging(("aws:a", "v"))), 400, "InvalidTag",
     "Your TagKey cannot be prefixed with aws:", {"TagKey": "aws:a"}),
    ("tagging header", put("/{bucket}/x", "x", {"x-amz-tagging": "a=1&a=2"}), 400, "InvalidArgument",
     "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name "
     "duplicates.", argument("x-amz-tagging", "a=1&a=2")),
    # 39
    ("encoding-type", get("/{bucket}?encoding-type=x"), 400, "InvalidArgument",
     "Invalid Encoding Method specified in Request", argument("encoding-type", "x")),
    ("continuation-token", get("/{bucket}?list-type=2&continuation-token=!"), 400, "InvalidArgument",
     "The continuation token provided is incorrect", {"ArgumentName": "continuation-token"}),
    ("empty continuation-token", get("/{bucket}?list-type=2&continuation-token="), 400, "InvalidArgument",
     "The continuation token provided is incorrect", {"ArgumentName": "continuation-token"}),
    ("version-id-marker alone", get("/{bucket}?versions&version-id-marker=x"), 400, "InvalidArgument",
     "A version-id marker cannot be specified without a key marker.", argument("version-id-marker", "x")),
    ("upload-id-marker", get("/{bucket}?uploads&key-marker=u&upload-id-marker=x"), 400, "InvalidArgument",
     "Invalid uploadId marker", argument("upload-id-marker", "x")),
    ("bucket-region", get("/?bucket-region=eu-east-1"), 400, "InvalidArgument",
     "Argument value eu-east-1 is not a valid AWS Region", {"ArgumentName": "bucket-region"}),
    # 40
    ("storage class", put("/{bucket}/x", "x", {"x-amz-storage-class": "COLD"}), 400, "InvalidStorageClass",
     "The storage class you specified is not valid", {"StorageClassRequested": "COLD"}),
    ("archived", get("/{bucket}/cold"), 403, "InvalidObjectState",
     "The operation is not valid for the object's storage class", {"StorageClass": "GLACIER"}),
    ("lock without versions", put("/{bucket}?object-lock", "<ObjectLockConfiguration><ObjectLockEnabled>Enabled"
                                  "</ObjectLockEnabled></ObjectLockConfiguration>"), 409, "InvalidBucketState",
     "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration", {}),
    ("versions off under a lock", put("/{locked}?versioning", "<VersioningConfiguration><Status>Suspended</Status>"
                                      "</VersioningConfiguration>"), 409, "InvalidBucketState",
     "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.", {}),
    ("retention without a lock", put(K + "?retention", "<Retention><Mode>GOVERNANCE</Mode><RetainUntilDate>"
                                     "2099-01-01T00:00:00Z</RetainUntilDate></Retention>"), 400, "InvalidRequest",
     "Bucket is missing Object Lock Configuration", {}),
    ("hold without a lock", get(K + "?legal-hold"), 400, "InvalidRequest",
     "Bucket is missing Object Lock Configuration", {}),
    # 41
    ("preflight refused", ("OPTIONS", "/{cors}/k", {"Origin": "http://b.example",
                                                    "Access-Control-Request-Method": "GET"}, None), 403,
     "AccessForbidden", CORS_REFUSED, {"Method": "GET", "ResourceType": "OBJECT"}),
    ("preflight where there is no CORS", ("OPTIONS", K, {"Origin": "http://b.example",
                                                         "Access-Control-Request-Method": "GET"}, None), 403,
     "AccessForbidden", "CORSResponse: CORS is not enabled for this bucket.", {"Method": "GET", "ResourceType": "BUCKET"}),
    ("preflight without an origin", ("OPTIONS", "/{cors}/k", {}, None), 400, "BadRequest",
     "Insufficient information. Origin request header needed.", {}),
    # 42
    ("policy that is no JSON", put("/{bucket}?policy", "x"), 400, "MalformedPolicy",
     "Policies must be valid JSON and the first byte must be '{'", {}),
    ("policy without a statement", put("/{bucket}?policy", "{}"), 400, "MalformedPolicy",
     "Missing required field Statement", {}),
    ("expected owner", get("/{bucket}", **{"x-amz-expected-bucket-owner": "abcd"}), 400,
     "InvalidBucketOwnerAWSAccountID",
     "The value of the expected bucket owner parameter must be an AWS Account ID... [abcd]", {}),
    ("ACL of nothing", put("/{bucket}?acl"), 400, "MissingSecurityHeader", "Your request was missing a required header",
     {"MissingHeaderName": "x-amz-acl"}),
    ("ACL twice", put("/{bucket}?acl", "<AccessControlPolicy></AccessControlPolicy>", {"x-amz-acl": "private"}), 400,
     "UnexpectedContent", "This request does not support content", {}),
    # 43
    ("too many deletes", post("/{bucket}?delete", "<Delete>" + "<Object><Key>k</Key></Object>" * 1001 + "</Delete>"), 400,
     "MalformedXML", SCHEMA, {}),
]


@pytest.fixture(scope="module")
def world(shared_server):
    return World(shared_server)


def fault_of(body):
    """The elements of an Error in their order."""
    root = ElementTree.fromstring(body)
    assert root.tag == "Error"
    return [(child.tag, child.text or "") for child in root]


@pytest.mark.parametrize("name,request_,status,code,text,extras", RULES, ids=[row[0] for row in RULES])
def test_rule(world, name, request_, status, code, text, extras):
    world.check(request_, status, code, text, extras)


def test_versions_and_delete_markers_stand_in_the_order_of_keys(world):
    bucket = f"rules-order-{next(names)}"
    world.ok("PUT", "/" + bucket)
    world.ok("PUT", f"/{bucket}?versioning", {}, b"<VersioningConfiguration><Status>Enabled</Status>"
             b"</VersioningConfiguration>")
    for key in ("a", "b", "c"):
        world.ok("PUT", f"/{bucket}/{key}", {}, b"x")
    world.ok("DELETE", f"/{bucket}/b")
    _, body = world.ok("GET", f"/{bucket}?versions")
    found = [(child.tag.split("}")[1], child.find("{*}Key").text, child.find("{*}IsLatest").text)
             for child in ElementTree.fromstring(body) if child.find("{*}Key") is not None]
    assert found == [("Version", "a", "true"), ("DeleteMarker", "b", "true"), ("Version", "b", "false"),
                     ("Version", "c", "true")]


def test_errors_of_head_have_no_body(world):
    bucket = world.names["bucket"]
    assert world.send("HEAD", f"/{bucket}/none")[::2] == (404, b"")
    assert world.send("HEAD", f"/{bucket}/k", {"If-Match": '"other"'})[::2] == (412, b"")
    assert world.send("HEAD", world.filled("/{versioned}/k?versionId=bad"))[::2] == (400, b"")
    status, headers, body = world.send("HEAD", world.filled("/{versioned}/k?versionId={marker}"))
    assert (status, headers["x-amz-delete-marker"], headers["allow"], body) == (405, "true", "DELETE", b"")


def test_a_304_describes_what_it_does_not_send(world):
    path = world.filled("/{bucket}/k")
    status, headers, body = world.send("GET", path, {"If-None-Match": world.filled('"{etag}"')})
    assert (status, body) == (304, b"")
    assert (headers["etag"], headers["content-length"]) == (world.filled('"{etag}"'), "10")
    assert world.send("GET", path)[2] == b"0123456789"  # the connection is in order


def test_ranges_that_are_none_are_ignored(world):
    for value in ("bytes=5-2", "bytes=a-b", "lines=0-1"):
        status, _, body = world.send("GET", world.filled("/{bucket}/k"), {"Range": value})
        assert (status, body) == (200, b"0123456789")


def test_deletes_of_nothing_are_no_errors(world):
    bucket = world.names["bucket"]
    assert world.send("DELETE", f"/{bucket}/none")[0] == 204

    def delete(document):
        md5 = base64.b64encode(hashlib.md5(document).digest()).decode()
        return world.ok("POST", f"/{bucket}?delete", {"Content-MD5": md5}, document)[1]

    assert b"<Deleted><Key>none</Key></Deleted>" in delete(b"<Delete><Object><Key>none</Key></Object></Delete>")
    body = delete(b"<Delete><Object><Key>none</Key></Object><Quiet>true</Quiet></Delete>")
    assert list(ElementTree.fromstring(body)) == []


def test_chunks_of_unknown_length_are_refused(world):
    status, _, body = world.send("PUT", world.filled("/{bucket}/x"), {
        "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "Content-Encoding": "aws-chunked"}, b"0\r\n\r\n")
    assert (status, dict(fault_of(body))["Code"]) == (411, "MissingContentLength")


def test_torrents_are_gone(world):
    status, _, body = world.send("GET", world.filled("/{bucket}/k?torrent"))
    assert (status, dict(fault_of(body))["Code"]) == (404, "NoSuchKey")


def test_buckets_are_born_with_tags(world):
    bucket = f"rules-tags-{next(names)}"
    world.ok("PUT", "/" + bucket, {}, b"<CreateBucketConfiguration><Tags><Tag><Key>a</Key><Value>b</Value></Tag></Tags>"
             b"</CreateBucketConfiguration>")
    assert b"<Key>a</Key><Value>b</Value>" in world.ok("GET", f"/{bucket}?tagging")[1]
    status, _, body = world.send("PUT", f"/{bucket}-2", {}, b"<CreateBucketConfiguration><Tags><Tag><Key>aws:a</Key>"
                                 b"<Value>b</Value></Tag></Tags></CreateBucketConfiguration>")
    assert (status, dict(fault_of(body))["Code"]) == (400, "InvalidTag")
    assert world.send("HEAD", f"/{bucket}-2")[0] == 404


def test_uploads_say_when_lifecycle_aborts_them(world):
    bucket = f"rules-abort-{next(names)}"
    world.ok("PUT", "/" + bucket)
    world.ok("PUT", f"/{bucket}?lifecycle", {}, b"<LifecycleConfiguration><Rule><ID>tidy</ID><Filter><Prefix>a/</Prefix>"
             b"</Filter><Status>Enabled</Status><AbortIncompleteMultipartUpload><DaysAfterInitiation>7"
             b"</DaysAfterInitiation></AbortIncompleteMultipartUpload></Rule></LifecycleConfiguration>")
    headers, body = world.ok("POST", f"/{bucket}/a/k?uploads")
    assert headers["x-amz-abort-rule-id"] == "tidy" and headers["x-amz-abort-date"].endswith("00:00:00 GMT")
    upload = re.search(rb"<UploadId>([^<]+)", body).group(1).decode()
    assert world.ok("GET", f"/{bucket}/a/k?uploadId={upload}")[0]["x-amz-abort-date"] == headers["x-amz-abort-date"]
    assert "x-amz-abort-date" not in world.ok("POST", f"/{bucket}/b?uploads")[0]
