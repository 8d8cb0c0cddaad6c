"""Configuration documents, object lock, lifecycle, CORS, websites and restores through boto3."""
import datetime
import json
import urllib.error
import urllib.request

import pytest

DOCUMENTS = {
    "public_access_block": ("PublicAccessBlockConfiguration", {
        "BlockPublicAcls": True, "IgnorePublicAcls": False, "BlockPublicPolicy": True, "RestrictPublicBuckets": False}),
    "bucket_cors": ("CORSConfiguration", {"CORSRules": [{
        "AllowedMethods": ["GET", "PUT"], "AllowedOrigins": ["https://*.example.com"], "AllowedHeaders": ["*"],
        "ExposeHeaders": ["ETag"], "MaxAgeSeconds": 3000}]}),
    "bucket_lifecycle_configuration": ("LifecycleConfiguration", {"Rules": [{
        "ID": "r", "Filter": {"And": {"Prefix": "a", "Tags": [{"Key": "k", "Value": "v"}]}}, "Status": "Enabled",
        "Expiration": {"Days": 90}, "Transitions": [{"Days": 30, "StorageClass": "STANDARD_IA"}]}]}),
    "bucket_website": ("WebsiteConfiguration", {
        "IndexDocument": {"Suffix": "index.html"}, "ErrorDocument": {"Key": "e.html"},
        "RoutingRules": [{"Condition": {"KeyPrefixEquals": "a/"}, "Redirect": {"ReplaceKeyPrefixWith": "b/"}}]}),
    "bucket_ownership_controls": ("OwnershipControls", {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}),
    "bucket_tagging": ("Tagging", {"TagSet": [{"Key": "team", "Value": "blue + green"}]}),
}

MISSING = {
    "public_access_block": "NoSuchPublicAccessBlockConfiguration", "bucket_cors": "NoSuchCORSConfiguration",
    "bucket_lifecycle_configuration": "NoSuchLifecycleConfiguration", "bucket_website": "NoSuchWebsiteConfiguration",
    "bucket_ownership_controls": "OwnershipControlsNotFoundError", "bucket_tagging": "NoSuchTagSet",
}


@pytest.mark.parametrize("name", sorted(DOCUMENTS))
def test_what_was_put_comes_back_until_it_is_deleted(aws, bucket, refused, name):
    member, document = DOCUMENTS[name]
    getattr(aws.s3, "put_" + name)(Bucket=bucket, **{member: document})
    got = getattr(aws.s3, "get_" + name)(Bucket=bucket)
    for key, value in document.items():
        assert (got.get(member) or got)[key] == value
    delete = {"bucket_lifecycle_configuration": "delete_bucket_lifecycle"}.get(name, "delete_" + name)
    getattr(aws.s3, delete)(Bucket=bucket)
    with refused(MISSING[name], 404):
        getattr(aws.s3, "get_" + name)(Bucket=bucket)


@pytest.mark.parametrize("kind,document", [
    ("metrics", {"Id": "m", "Filter": {"Prefix": "a"}}),
    ("analytics", {"Id": "m", "StorageClassAnalysis": {}}),
    ("intelligent_tiering", {"Id": "m", "Status": "Enabled", "Tierings": [{"Days": 90, "AccessTier": "ARCHIVE_ACCESS"}]}),
    ("inventory", {"Id": "m", "IsEnabled": True, "IncludedObjectVersions": "All", "Schedule": {"Frequency": "Daily"},
                   "Destination": {"S3BucketDestination": {"Bucket": "arn:aws:s3:::x", "Format": "CSV"}},
                   "OptionalFields": ["Size", "ETag"]}),
])
def test_configurations_by_id_are_kept_listed_and_deleted(aws, bucket, refused, kind, document):
    member = {"intelligent_tiering": "IntelligentTiering"}.get(kind, kind.title()) + "Configuration"
    call = lambda verb, plural="", **rest: getattr(aws.s3, f"{verb}_bucket_{kind}_configuration{plural}")(Bucket=bucket, **rest)
    call("put", Id="m", **{member: document})
    assert call("get", Id="m")[member] == document
    assert call("list", "s")[member + "List"] == [document]
    call("delete", Id="m")
    with refused("NoSuchConfiguration", 404):
        call("get", Id="m")
    with refused("IdMismatch" if kind == "inventory" else "MalformedXML", 400):
        call("put", Id="other", **{member: document})


def test_default_encryption_applies_to_what_is_written(aws, bucket):
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}, "BucketKeyEnabled": True}
    assert aws.s3.put_object(Bucket=bucket, Key="a", Body=b"")["ServerSideEncryption"] == "AES256"
    aws.s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
    answer = aws.s3.put_object(Bucket=bucket, Key="b", Body=b"")
    assert answer["ServerSideEncryption"] == "aws:kms" and answer["BucketKeyEnabled"]
    assert answer["SSEKMSKeyId"].startswith("arn:aws:kms:")
    assert aws.s3.head_object(Bucket=bucket, Key="b")["ServerSideEncryption"] == "aws:kms"


def test_a_policy_comes_back_to_the_byte(aws, bucket, refused):
    policy = json.dumps({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"}]}, indent=3)
    aws.s3.put_bucket_policy(Bucket=bucket, Policy=policy)
    assert aws.s3.get_bucket_policy(Bucket=bucket)["Policy"] == policy
    assert aws.s3.get_bucket_policy_status(Bucket=bucket)["PolicyStatus"]["IsPublic"]
    aws.s3.delete_bucket_policy(Bucket=bucket)
    with refused("NoSuchBucketPolicy", 404):
        aws.s3.get_bucket_policy(Bucket=bucket)
    aws.s3.put_bucket_acl(Bucket=bucket, ACL="public-read")
    with refused("NoSuchBucketPolicy", 404):  # whatever the ACL says: CloudTrail has this code of GetBucketPolicyStatus
        aws.s3.get_bucket_policy_status(Bucket=bucket)
    with refused("MalformedPolicy", 400):
        aws.s3.put_bucket_policy(Bucket=bucket, Policy="no json")


def test_locked_versions_cannot_be_deleted(aws, bucket, refused):
    name = bucket + "-locked"
    aws.s3.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    aws.s3.put_object_lock_configuration(Bucket=name, ObjectLockConfiguration={
        "ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}}})
    version = aws.s3.put_object(Bucket=name, Key="k", Body=b"x")["VersionId"]
    assert aws.s3.get_object_retention(Bucket=name, Key="k")["Retention"]["Mode"] == "GOVERNANCE"
    with refused("AccessDenied", 403):
        aws.s3.delete_object(Bucket=name, Key="k", VersionId=version)
    aws.s3.put_object_legal_hold(Bucket=name, Key="k", LegalHold={"Status": "ON"})
    with refused("AccessDenied", 403):
        aws.s3.delete_object(Bucket=name, Key="k", VersionId=version, BypassGovernanceRetention=True)
    aws.s3.put_object_legal_hold(Bucket=name, Key="k", LegalHold={"Status": "OFF"})
    aws.s3.delete_object(Bucket=name, Key="k", VersionId=version, BypassGovernanceRetention=True)


def test_compliance_can_only_be_lengthened(aws, bucket, refused):
    name = bucket + "-locked"
    aws.s3.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    until = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=9)
    aws.s3.put_object(Bucket=name, Key="k", Body=b"x", ObjectLockMode="COMPLIANCE", ObjectLockRetainUntilDate=until)
    retain = lambda days: aws.s3.put_object_retention(Bucket=name, Key="k", BypassGovernanceRetention=True, Retention={
        "Mode": "COMPLIANCE", "RetainUntilDate": until + datetime.timedelta(days=days)})
    with refused("AccessDenied", 403):
        retain(-1)
    retain(1)


def ask(endpoint, method, path, host=None, **headers):
    request = urllib.request.Request(endpoint + path, method=method, headers=headers)
    if host:
        request.add_header("Host", host)

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_):
            return None
    try:
        return urllib.request.build_opener(Stay).open(request, timeout=10)
    except urllib.error.HTTPError as error:
        return error


def test_a_preflight_is_answered_by_the_rules(aws, bucket):
    preflight = {"Origin": "https://app.example.com", "Access-Control-Request-Method": "PUT",
                 "Access-Control-Request-Headers": "X-Custom"}
    answer = ask(aws.endpoint, "OPTIONS", f"/{bucket}/k", **preflight)
    assert answer.status == 403 and b"CORS is not enabled for this bucket" in answer.read()
    aws.s3.put_bucket_cors(Bucket=bucket, CORSConfiguration=DOCUMENTS["bucket_cors"][1])
    answer = ask(aws.endpoint, "OPTIONS", f"/{bucket}/k", **preflight)
    assert answer.status == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "https://app.example.com"
    assert answer.headers["Access-Control-Allow-Methods"] == "GET, PUT"
    assert answer.headers["Access-Control-Allow-Headers"] == "x-custom"
    assert answer.headers["Access-Control-Max-Age"] == "3000"
    for target in (f"/{bucket}/k?uploadId=u&partNumber=1", f"/{bucket}/k?uploads", f"/{bucket}?cors", f"/{bucket}/k?rare"):
        answer = ask(aws.endpoint, "OPTIONS", target, **preflight)  # the query of the request that it asks leave for
        assert (answer.status, answer.headers["Access-Control-Allow-Methods"]) == (200, "GET, PUT"), target
    preflight["Origin"] = "https://evil.example.org"
    answer = ask(aws.endpoint, "OPTIONS", f"/{bucket}/k", **preflight)
    assert answer.status == 403 and b"evalution" in answer.read()


def test_a_website_serves_index_error_and_redirects(aws, bucket):
    host = f"{bucket}.s3-website.localhost"
    aws.s3.put_object(Bucket=bucket, Key="index.html", Body=b"home", ContentType="text/html")
    aws.s3.put_object(Bucket=bucket, Key="b/index.html", Body=b"b")
    aws.s3.put_object(Bucket=bucket, Key="e.html", Body=b"gone")
    assert ask(aws.endpoint, "GET", "/", host).status == 404
    aws.s3.put_bucket_website(Bucket=bucket, WebsiteConfiguration=DOCUMENTS["bucket_website"][1])
    home = ask(aws.endpoint, "GET", "/", host)
    assert (home.status, home.read(), home.headers["Content-Type"]) == (200, b"home", "text/html")
    assert ask(aws.endpoint, "GET", "/b", host).headers["Location"] == "/b/"
    assert ask(aws.endpoint, "GET", "/a/x", host).headers["Location"] == f"http://{host}/b/x"
    missing = ask(aws.endpoint, "GET", "/none", host)
    assert (missing.status, missing.read()) == (404, b"gone")
    same = ask(aws.endpoint, "GET", "/", host, **{"If-None-Match": home.headers["ETag"]})
    assert (same.status, same.read(), same.headers["ETag"]) == (304, b"", home.headers["ETag"])
    same = ask(aws.endpoint, "GET", "/", host, **{"If-Modified-Since": home.headers["Last-Modified"]})
    assert (same.status, same.read()) == (304, b"")
    assert ask(aws.endpoint, "GET", "/", host, **{"If-Match": '"other"'}).status == 412
    assert ask(aws.endpoint, "GET", "/", host, **{"If-None-Match": '"other"'}).read() == b"home"


def test_redirects_of_a_website_keep_the_query_and_say_what_the_rule_says(aws, bucket):
    """What people rely on: hash-bangs for pages of one page (stackoverflow.com/q/16267339), and queries that reach the rule
    (stackoverflow.com/q/30775068). The redirect to a folder loses its query (gatsby-uc/gatsby-plugin-s3 #51)."""
    host = f"{bucket}.s3-website.localhost"

    def location(path):
        return ask(aws.endpoint, "GET", path, host).headers["Location"]

    def rules(*pairs):
        aws.s3.put_bucket_website(Bucket=bucket, WebsiteConfiguration={
            "IndexDocument": {"Suffix": "index.html"},
            "RoutingRules": [{"Condition": condition, "Redirect": redirect} for condition, redirect in pairs]})

    aws.s3.put_object(Bucket=bucket, Key="b/index.html", Body=b"b")
    rules(({"KeyPrefixEquals": "old/"}, {"ReplaceKeyPrefixWith": "new/"}),
          ({"KeyPrefixEquals": "one"}, {"ReplaceKeyWith": "index.html?page=1&x=%20"}),
          ({"KeyPrefixEquals": "bad"}, {"ReplaceKeyWith": "a\tb\u00e9"}),
          ({"HttpErrorCodeReturnedEquals": "404"}, {"HostName": "a.example", "ReplaceKeyPrefixWith": "#!/"}))
    assert location("/old/a%20b?x=1&y=%20z") == f"http://{host}/new/a%20b?x=1&y=%20z"
    assert location("/one") == f"http://{host}/index.html?page=1&x=%20"
    assert location("/bad") == f"http://{host}/a%09b%C3%A9"
    assert location("/not/here") == "http://a.example/#!/not/here"
    assert location("/b?x=1") == "/b/"
    aws.s3.put_bucket_website(Bucket=bucket, WebsiteConfiguration={"RedirectAllRequestsTo": {"HostName": "b.example"}})
    assert location("/a%20b?x=1") == "http://b.example/a%20b?x=1"


def test_a_website_tells_what_went_wrong(aws, bucket):
    host = f"{bucket}.s3-website.localhost"
    aws.s3.put_bucket_website(Bucket=bucket, WebsiteConfiguration=DOCUMENTS["bucket_website"][1])
    missing = ask(aws.endpoint, "GET", "/n%C3%B6%0A", host)
    assert {k: v for k, v in missing.headers.items() if k.startswith("x-amz-error")} == {
        "x-amz-error-code": "NoSuchKey", "x-amz-error-message": "The specified key does not exist.",
        "x-amz-error-detail-Key": "n%C3%B6%0A"}
    page = missing.read().decode()
    assert page.count("<li>Code: NoSuchKey</li>\n<li>Message: The specified key does not exist.</li>") == 2
    assert page.endswith("<h3>An Error Occurred While Attempting to Retrieve a Custom Error Document</h3>\n<ul>\n<li>Code: "
                         "NoSuchKey</li>\n<li>Message: The specified key does not exist.</li>\n<li>Key: e.html</li>\n</ul>\n"
                         "<hr/>\n</body>\n</html>\n")
    aws.s3.put_object(Bucket=bucket, Key="e.html", Body=b"gone")
    told = ask(aws.endpoint, "GET", "/none", host)
    assert (told.status, told.read(), told.headers["x-amz-error-detail-Key"]) == (404, b"gone", "none")
    wrong = ask(aws.endpoint, "PUT", "/none", host)
    assert wrong.status == 405 and b"<li>Method: PUT</li>\n<li>ResourceType: OBJECT</li>" in wrong.read()


def test_a_website_sends_ranges_and_metadata(aws, bucket):
    host = f"{bucket}.s3-website.localhost"
    aws.s3.put_bucket_website(Bucket=bucket, WebsiteConfiguration=DOCUMENTS["bucket_website"][1])
    aws.s3.put_object(Bucket=bucket, Key="index.html", Body=b"0123456789", Metadata={"a": "1", "b": "two words"})
    whole = ask(aws.endpoint, "GET", "/", host)
    assert (whole.status, whole.headers["x-amz-meta-a"], whole.headers["x-amz-meta-b"]) == (200, "1", "two words")
    piece = ask(aws.endpoint, "GET", "/", host, Range="bytes=2-4")
    assert (piece.status, piece.headers["Content-Range"], piece.read()) == (206, "bytes 2-4/10", b"234")
    head = ask(aws.endpoint, "HEAD", "/", host, Range="bytes=8-")
    assert (head.status, head.headers["Content-Length"], head.read()) == (206, "2", b"")
    beyond = ask(aws.endpoint, "GET", "/", host, Range="bytes=10-")
    assert beyond.status == 416 and b"<li>Code: InvalidRange</li>" in beyond.read()


def test_archived_objects_are_read_after_a_restore_only(aws, bucket, refused):
    aws.s3.put_object(Bucket=bucket, Key="cold", Body=b"x", StorageClass="GLACIER")
    with refused("InvalidObjectState", 403):
        aws.s3.get_object(Bucket=bucket, Key="cold")
    request = {"Days": 1, "GlacierJobParameters": {"Tier": "Expedited"}}
    assert aws.s3.restore_object(Bucket=bucket, Key="cold", RestoreRequest=request)["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert aws.s3.head_object(Bucket=bucket, Key="cold")["Restore"] == 'ongoing-request="true"'
    with refused("RestoreAlreadyInProgress", 409):
        aws.s3.restore_object(Bucket=bucket, Key="cold", RestoreRequest=request)


def test_expiration_is_told_of_a_key_and_not_of_a_version(aws, bucket):
    aws.s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    aws.s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": [
        {"ID": "a month", "Filter": {"Prefix": "a/"}, "Status": "Enabled", "Expiration": {"Days": 30}}]})
    put = aws.s3.put_object(Bucket=bucket, Key="a/k", Body=b"x")
    aws.s3.put_object(Bucket=bucket, Key="b/k", Body=b"x")
    for read in (aws.s3.get_object, aws.s3.head_object):
        by_key = read(Bucket=bucket, Key="a/k")
        assert by_key["Expiration"] == put["Expiration"] and 'rule-id="a month"' in put["Expiration"]
        assert "Expiration" not in read(Bucket=bucket, Key="a/k", VersionId=put["VersionId"])
        assert "Expiration" not in read(Bucket=bucket, Key="b/k")
