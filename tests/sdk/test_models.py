"""The operation rows against AWS's own published models, as the newest botocore carries them.

What is compared is what `headrace ops --json` prints, so what runs. For each operation: its name, where and under which
name every input member travels, what is required. A member of the model that no row has is a failure: it is to be
implemented or to be flagged UNIMPLEMENTED, which refuses it by name. Of answers only what we send is checked: every
member must be one of AWS's, in AWS's place."""
import functools
import json
import subprocess

import botocore.session
import pytest
from conftest import newer_than
from harness import BINARY

pytestmark = newer_than(1, 44, 0)  # the models that the rows were written against

# Not operations of a general-purpose bucket's endpoint, or replaced long ago by the name behind them.
NOT_OURS = {
    "s3": {
        "ListDirectoryBuckets", "WriteGetObjectResponse",
        "GetBucketLifecycle", "PutBucketLifecycle", "GetBucketNotification", "PutBucketNotification",
    },
    "sqs": set(),
}
# Rows that AWS has in its documentation and not in the model: the browser's form upload and the CORS preflight.
NOT_THEIRS = {"s3": {"PostObject", "PreflightObject", "PreflightBucket", "Preflight", "OptionsObject"}, "sqs": set()}
# Headers that say what a body must hash to: read for every request with a body in one place, not by the rows.
BODY_HEADERS = {"content-md5", "x-amz-sdk-checksum-algorithm", "content-length"}
# Required by the model, refused by the engine with a fault of its own: InvalidConfigurationId, MalformedACLError, MalformedPolicy.
REFUSED_LATER = {"querystring id", "xsi:type", "payload Policy"}
# AWS's answer, though the model says 200.
NO_CONTENT = {"PutBucketPolicy", "PutBucketTagging", "PutBucketAnalyticsConfiguration",
              "PutBucketIntelligentTieringConfiguration", "PutBucketInventoryConfiguration"}
# Answer shapes shared by several operations; the members that one of them never sets.
NEVER_SET = {
    "CreateMultipartUpload": {"x-amz-version-id"}, "UploadPart": {"x-amz-version-id"}, "UploadPartCopy": {"x-amz-version-id"},
    "CompleteMultipartUpload": {"x-amz-server-side-encryption-customer-algorithm", "x-amz-server-side-encryption-customer-key-md5"},
    "GetObject": {""}, "HeadObject": {""},
}
KINDS = {
    "string": "string", "character": "string", "integer": "integer", "long": "integer", "boolean": "boolean",
    "timestamp": "timestamp", "blob": "blob", "structure": "structure", "list": "list", "map": "map",
}


@functools.cache
def rows(service):
    text = subprocess.run([BINARY, "ops", "--json"], check=True, capture_output=True, text=True).stdout
    services = {row["name"]: row["operations"] for row in json.loads(text)["services"]}
    return {operation["name"]: operation for operation in services[service]}


@functools.cache
def model(service):
    return botocore.session.get_session().get_service_model(service)


def implemented(service):
    return sorted(name for name, row in rows(service).items()
                  if row["implemented"] and name in model(service).operation_names)


def place_of(shape, name, member):
    """(place, wire name) of a member of the model, in the words of `ops --json`."""
    location = member.serialization.get("location")
    wire = member.serialization.get("name", name)
    if name == shape.serialization.get("payload"):
        return "payload", wire
    if location == "uri":
        return {"Bucket": "bucket", "Key": "key"}[wire], wire
    return {"header": "header", "headers": "headers", "querystring": "querystring", "statusCode": "status"}.get(
        location, "body"), wire


def fields(shape):
    return {(field["place"], field.get("wire", "").lower() if field["place"] in ("header", "headers") else field.get("wire")): field
            for field in shape["members"]}


def key_of(place, wire):
    if place in ("bucket", "key", "status"):
        return place, None
    return place, wire.lower() if place in ("header", "headers") else wire


def find(ours, place, wire):
    if place in ("bucket", "key", "status"):
        return next((field for (where, _), field in ours.items() if where == place), None)
    if place == "payload":
        return next((field for (where, _), field in ours.items() if where == "payload"), None)
    return ours.get(key_of(place, wire))


def compare_structure(path, shape, ours, found, seen=()):
    """Members of a nested structure of the model that our shape lacks."""
    if shape.name in seen:
        return
    have = {field.get("wire"): field for field in ours["members"]}
    for name, member in shape.members.items():
        wire = member.serialization.get("name", name)
        field = have.get(wire)
        if field is None:
            found.append(f"{path}.{wire}: missing")
            continue
        compare_member(f"{path}.{wire}", member, field, name in shape.required_members, found, (*seen, shape.name))


def compare_member(path, member, field, required, found, seen=()):
    if field.get("unimplemented"):
        return
    kind = KINDS[member.type_name]
    # A raw body is bytes either way. Numbers and dates may be kept as text where nothing is computed with them.
    raw = field["place"] == "payload" and {field["kind"], kind} == {"blob", "string"}
    if field["kind"] != kind and not raw and not (field["kind"] == "string" and kind in ("blob", "timestamp", "integer", "boolean")):
        found.append(f"{path}: {field['kind']} instead of {kind}")
        return
    later = path.endswith(tuple(REFUSED_LATER))
    if required and not field.get("required") and field["place"] not in ("bucket", "key") and not later:
        found.append(f"{path}: required by the model")
    if kind == "structure" and field["kind"] == "structure":
        compare_structure(path, member, field["of"], found, seen)
    if kind == "list" and member.member.type_name == "structure":
        compare_structure(path, member.member, field["of"], found, seen)


@pytest.mark.parametrize("service", ["s3", "sqs"])
def test_every_operation_of_the_model_is_known(service):
    theirs = set(model(service).operation_names) - NOT_OURS[service]
    assert sorted(theirs - set(rows(service))) == []
    assert sorted(set(rows(service)) - set(model(service).operation_names) - NOT_THEIRS[service]) == []


def is_of_the_body(name, place, wire):
    """What a streamed upload, or the check of a whole body, takes from the request itself."""
    if place == "header" and (wire.lower() in BODY_HEADERS or wire.lower().startswith("x-amz-checksum-")):
        return True
    return place == "payload" and name in ("PutObject", "UploadPart")


def check_input(service, name):
    row, shape, found = rows(service)[name], model(service).operation_model(name).input_shape, []
    ours = fields(row["input"])
    for member_name, member in (shape.members.items() if shape else ()):
        place, wire = place_of(shape, member_name, member)
        field = find(ours, place, wire)
        if field is None and is_of_the_body(name, place, wire):
            continue
        if field is None:
            found.append(f"{place} {wire}: missing")
        else:
            compare_member(f"{place} {wire}", member, field, member_name in shape.required_members, found)
    return found


@pytest.mark.parametrize("name", implemented("s3"))
def test_s3_inputs_have_every_member_of_the_model(name):
    assert check_input("s3", name) == []


@pytest.mark.parametrize("name", implemented("sqs"))
def test_sqs_inputs_have_every_member_of_the_model(name):
    assert check_input("sqs", name) == []


def answer_members(shape):
    """Places and names of an answer's members; a structure that is the whole body counts as its own members."""
    found = set()
    for name, member in (shape.members.items() if shape else ()):
        place, wire = place_of(shape, name, member)
        if place == "payload" and member.type_name == "structure":
            found |= {("body", m.serialization.get("name", n)) for n, m in member.members.items()}
        found.add((place, None) if place == "payload" else key_of(place, wire))
    return found


def check_output(service, name):
    theirs, found = answer_members(model(service).operation_model(name).output_shape), []
    for field in rows(service)[name]["output"]["members"]:
        wire = field.get("wire", "")
        key = ("payload", None) if field["place"] == "payload" else key_of(field["place"], wire)
        if field["place"] != "none" and key not in theirs and wire.lower() not in NEVER_SET.get(name, ()):
            found.append(f"{field['place']} {wire}: not in the model")
    return found


@pytest.mark.parametrize("name", implemented("s3"))
def test_s3_answers_have_no_member_that_aws_lacks(name):
    assert check_output("s3", name) == []


@pytest.mark.parametrize("name", implemented("sqs"))
def test_sqs_answers_have_no_member_that_aws_lacks(name):
    assert check_output("sqs", name) == []


def rest_of(name):
    http = model("s3").operation_model(name).http
    path, _, query = http["requestUri"].partition("?")
    level = "object" if "{Key+}" in path else "bucket" if "{Bucket}" in path else "service"
    return http["method"], level, {part for part in query.split("&") if part}


@pytest.mark.parametrize("name", sorted(set(rows("s3")) & set(model("s3").operation_names)))
def test_s3_rows_are_found_where_the_model_says(name):
    method, level, query = rest_of(name)
    rest = rows("s3")[name]["rest"]
    ours = {part for part in rest.get("query", "").split("&") if part}
    assert (rest["method"], rest["level"]) == (method, level)
    assert query - ours == set()
    expected = model("s3").operation_model(name).http.get("responseCode", 200)
    assert rest["status"] == (204 if name in NO_CONTENT else expected) or not rows("s3")[name]["implemented"]
