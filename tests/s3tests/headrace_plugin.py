"""pytest plugin for a run of Ceph's s3-tests: isolation and clean-up that cannot fail a test.

The suite empties every bucket it made before and after each item, and raises when one cannot be emptied (a locked object
is enough), which turns one failure into hundreds of errors. Here every item gets a bucket prefix of its own, and clean-up does what it can."""
import itertools
import logging

import pytest

counter = itertools.count(1)
log = logging.getLogger("headrace-s3tests")


def quietly(call, **arguments):
    try:
        return call(**arguments)
    except Exception as error:
        log.debug("clean-up: %s", error)
        return {}


def empty_bucket(client, bucket):
    for upload in quietly(client.list_multipart_uploads, Bucket=bucket).get("Uploads", []):
        quietly(client.abort_multipart_upload, Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
    for _ in range(100):
        page = quietly(client.list_object_versions, Bucket=bucket)
        entries = page.get("Versions", []) + page.get("DeleteMarkers", [])
        if not entries:
            break
        objects = [{"Key": e["Key"], "VersionId": e["VersionId"]} for e in entries]
        gone = quietly(client.delete_objects, Bucket=bucket, Delete={"Objects": objects},
                       BypassGovernanceRetention=True)
        if not gone.get("Deleted"):
            break
    quietly(client.delete_bucket, Bucket=bucket)


@pytest.fixture(autouse=True, scope="session")
def gentle_setup():
    import s3tests.functional as suite

    def setup():
        suite.prefix = "hr%06d-" % next(counter)

    def teardown():
        for client in (suite.get_client(), suite.get_alt_client(), suite.get_tenant_client()):
            for bucket in quietly(client.list_buckets).get("Buckets", []):
                empty_bucket(client, bucket["Name"])

    suite.setup, suite.teardown = setup, teardown
