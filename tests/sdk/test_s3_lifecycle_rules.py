"""What S3 refuses in a lifecycle configuration, by what its clients have reported: hashicorp/terraform-provider-aws #23228,
#23299, #41521, noobaa/noobaa-core #8426, #9969, aws-cloudformation/cfn-lint #3554; and the order of transitions, from AWS's
page lifecycle-transition-general-considerations."""
import base64
import re
import uuid

import pytest
from test_s3_rules import World, put

ALL = "<Filter><Prefix></Prefix></Filter>"
TAG = "<Tag><Key>a</Key><Value>1</Value></Tag>"
TAGGED = f"<Filter>{TAG}</Filter>"
MARKER = "<Expiration><ExpiredObjectDeleteMarker>false</ExpiredObjectDeleteMarker></Expiration>"
ABORT = "<AbortIncompleteMultipartUpload><DaysAfterInitiation>7</DaysAfterInitiation></AbortIncompleteMultipartUpload>"
DAY = "<Expiration><Days>1</Days></Expiration>"
BOUND = "'{}' should be between {} and 1099511627776000."


def rule(action, scope=ALL, id_=""):
    return f"<Rule>{id_}{scope}<Status>Enabled</Status>{action}</Rule>"


def rules(*texts):
    return f"<LifecycleConfiguration>{''.join(texts)}</LifecycleConfiguration>"


def prefix(text):
    return f"<Prefix>{text}</Prefix>"


def sizes(more=None, less=None, and_=""):
    text = and_ + (f"<ObjectSizeGreaterThan>{more}</ObjectSizeGreaterThan>" if more is not None else "") + (
        f"<ObjectSizeLessThan>{less}</ObjectSizeLessThan>" if less is not None else "")
    both = and_ or (more is not None and less is not None)
    return f"<Filter><And>{text}</And></Filter>" if both else f"<Filter>{text}</Filter>"


def move(when, to):
    field = "Date" if isinstance(when, str) else "Days"
    return f"<Transition><{field}>{when}</{field}><StorageClass>{to}</StorageClass></Transition>"


def old(days, to=None, keep=None):
    name = "NoncurrentVersionTransition" if to else "NoncurrentVersionExpiration"
    return (f"<{name}><NoncurrentDays>{days}</NoncurrentDays>" +
            (f"<NewerNoncurrentVersions>{keep}</NewerNoncurrentVersions>" if keep is not None else "") +
            (f"<StorageClass>{to}</StorageClass>" if to else "") + f"</{name}>")


def ends(days):
    return f"<Expiration><Days>{days}</Days></Expiration>"


IN_2030, LATER = "2030-01-01T00:00:00Z", "2030-02-01T00:00:00Z"
REFUSED = [
    # what filters can hold
    ("a size too small", rule(DAY, sizes(less=0)), "InvalidRequest", BOUND.format("ObjectSizeLessThan", 1)),
    ("a size too large", rule(DAY, sizes(more=1099511627776001)), "InvalidRequest", BOUND.format("ObjectSizeGreaterThan", 0)),
    ("a negative size", rule(DAY, sizes(more=-1)), "InvalidRequest", BOUND.format("ObjectSizeGreaterThan", 0)),
    ("sizes that nothing has", rule(DAY, sizes(more=5, less=5)), "InvalidRequest",
     "'ObjectSizeLessThan' has to be a value greater than 'ObjectSizeGreaterThan'."),
    ("a prefix too long", rule(DAY, f"<Filter>{prefix('a' * 1025)}</Filter>"), "InvalidRequest",
     "The maximum size of a prefix is 1024"),
    ("a tag key too long", rule(DAY, f"<Filter><Tag><Key>{'a' * 129}</Key><Value>1</Value></Tag></Filter>"), "InvalidRequest",
     "A Tag's Key must be a length between 1 and 128."),
    # actions that cannot look into objects
    ("markers by tags", rule(MARKER, TAGGED), "InvalidRequest", "ExpiredObjectDeleteMarker cannot be specified with Tags."),
    ("markers by sizes", rule(MARKER, sizes(more=1)), "InvalidRequest",
     "ExpiredObjectDeleteMarker cannot be specified with Object Size."),
    ("uploads by tags", rule(ABORT, TAGGED), "InvalidRequest", "AbortIncompleteMultipartUpload cannot be specified with Tags."),
    ("uploads by sizes", rule(ABORT, sizes(less=9, and_=prefix("a"))), "InvalidRequest",
     "AbortIncompleteMultipartUpload cannot be specified with Object Size."),
    # the order of actions
    ("expiry before a transition", rule(move(40, "GLACIER") + ends(40)), "InvalidArgument",
     "'Days' in the Expiration action for filter '(prefix=)' must be greater than 'Days' in the Transition action"),
    ("the same by date", rule(move(LATER, "GLACIER") + f"<Expiration><Date>{IN_2030}</Date></Expiration>", prefix("a/")),
     "InvalidArgument",
     "'Date' in the Expiration action for prefix 'a/' must be greater than 'Date' in the Transition action"),
    ("the same of noncurrent versions", rule(old(30, "STANDARD_IA") + old(30), sizes(less=9, and_=prefix("a") + TAG)),
     "InvalidArgument", "'NoncurrentDays' in the NoncurrentVersionExpiration action for filter "
     "'(prefix=a and tag={key=a, value=1} and objectsizelessthan=9)' must be greater than 'NoncurrentDays' in the "
     "NoncurrentVersionTransition action"),
    ("expiry by days, transition by date", rule(move(IN_2030, "GLACIER") + DAY), "InvalidRequest",
     "Found mixed 'Date' and 'Days' based Expiration and Transition actions in lifecycle rule for filter '(prefix=)'"),
    ("transitions by days and by date", rule(move(IN_2030, "GLACIER") + move(1, "DEEP_ARCHIVE")), "InvalidRequest",
     "Found mixed 'Date' and 'Days' based Transition actions in lifecycle rule for filter '(prefix=)'"),
    ("twice to one class", rule(move(1, "GLACIER") + move(2, "GLACIER")), "InvalidRequest",
     "'StorageClass' must be different for 'Transition' actions in same 'Rule' with filter '(prefix=)'"),
    ("colder too early", rule(move(100, "GLACIER") + move(189, "DEEP_ARCHIVE")), "InvalidArgument",
     "'Days' in the 'Transition' action for StorageClass 'DEEP_ARCHIVE' for filter '(prefix=)' must be 90 days more than "
     "'filter '(prefix=)'' in the 'Transition' action for StorageClass 'GLACIER'"),
    ("colder first", rule(move(60, "STANDARD_IA") + move(60, "GLACIER")), "InvalidArgument",
     "'Days' in the 'Transition' action for StorageClass 'GLACIER' for filter '(prefix=)' must be greater than 'Days' in the "
     "'Transition' action for StorageClass 'STANDARD_IA' for filter '(prefix=)'"),
    ("noncurrent days below 0", rule(old(-1, "GLACIER")), "InvalidArgument",
     "'NoncurrentDays' in NoncurrentVersionTransition action must be nonnegative"),
    ("0 versions to keep", rule(old(1, keep=0)), "InvalidArgument",
     "'NewerNoncurrentVersions' for NoncurrentVersionExpiration action must be a positive integer"),
    # the two versions of the document
    ("versions to keep in the first version", rule(old(1, keep=1), prefix("")), "InvalidRequest",
     "NewerNoncurrentVersions element can only be used in Lifecycle V2."),
    ("a filter after a prefix", rule(DAY, prefix("a")) + rule(DAY), "InvalidRequest",
     "Filter element can only be used in Lifecycle V2."),
    ("a prefix after a filter", rule(DAY) + rule(DAY, prefix("a")), "InvalidRequest",
     "Base level prefix cannot be used in Lifecycle V2, prefixes are only supported in the Filter."),
    ("prefixes that overlap", rule(ABORT + DAY, prefix("a")) + rule(ABORT, prefix("ab")), "InvalidRequest",
     "Found overlapping prefixes 'a' and 'ab' for same action type 'AbortIncompleteMultipartUpload'"),
]
TAKEN = {
    "filters that overlap": rule(DAY) + rule(DAY, f"<Filter>{prefix('a')}</Filter>"),
    "prefixes that overlap, of other actions": rule(ABORT, prefix("a")) + rule(DAY, prefix("ab")),
    "more than a hundred to keep": rule(old(1, keep=500)),
    "transitions far enough apart": rule(move(30, "STANDARD_IA") + move(60, "GLACIER") + move(150, "DEEP_ARCHIVE") + ends(151)),
    "one class for both kinds of versions": rule(move(30, "GLACIER") + old(30, "GLACIER")),
}


@pytest.fixture(scope="module")
def world(shared_server):
    return World(shared_server)


@pytest.mark.parametrize("name,text,code,message", REFUSED, ids=[row[0] for row in REFUSED])
def test_refused(world, name, text, code, message):
    world.check(put("/{bucket}?lifecycle", rules(text)), 400, code, message, {})


@pytest.mark.parametrize("name", TAKEN)
def test_taken(world, name):
    world.ok("PUT", world.filled("/{bucket}?lifecycle"), {}, rules(TAKEN[name]).encode())


def test_rules_without_an_id_get_one_of_aws_s_form(world):
    """aws/aws-sdk-go-v2 #3165: a version 4 UUID in base64."""
    world.ok("PUT", world.filled("/{bucket}?lifecycle"), {}, rules(rule(DAY)).encode())
    _, body = world.ok("GET", world.filled("/{bucket}?lifecycle"))
    id_ = re.search(rb"<ID>([^<]+)</ID>", body).group(1)
    assert uuid.UUID(base64.b64decode(id_).decode()).version == 4
