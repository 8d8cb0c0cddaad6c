"""What bodies leave behind on the disk when they are overwritten, deleted, expired or given up: nothing. Large ones are
files, which go; small ones are pages of the database, which the next bodies use again."""
import os

import pytest
from conftest import Clients
from harness import Server

ACCOUNT = "111122223333"
LARGE = 200_000
PART = 5 << 20


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "data"


@pytest.fixture
def server(folder):
    with Server("--no-pipeline", data_dir=folder) as server:
        yield server


@pytest.fixture
def s3(server):
    s3 = Clients(server.endpoint, ACCOUNT).s3
    s3.create_bucket(Bucket="bucket")
    return s3


def files_of(folder):
    """Sizes of the bodies that are files, on disk. Files go before a turn's answers do."""
    return sorted(path.stat().st_size for path in (folder / "blobs").rglob("*") if path.is_file())


def used(folder):
    """Bytes of disk that the files of bodies take, as du tells them."""
    return sum(path.lstat().st_blocks * 512 for path in (folder / "blobs").rglob("*"))


def later(server, length):
    assert server.json("POST", "/_headrace/clock", {"advance": length})[0] == 200


def put(s3, key="k", size=LARGE):
    return s3.put_object(Bucket="bucket", Key=key, Body=os.urandom(size))


def send_part(s3, key):
    upload = s3.create_multipart_upload(Bucket="bucket", Key=key)["UploadId"]
    tag = s3.upload_part(Bucket="bucket", Key=key, UploadId=upload, PartNumber=1, Body=os.urandom(PART))["ETag"]
    return upload, tag


def test_overwritten_and_deleted_bodies(s3, folder):
    for _ in range(10):
        put(s3)
    assert files_of(folder) == [LARGE]
    full = used(folder)
    s3.copy_object(Bucket="bucket", Key="copy", CopySource="bucket/k")
    s3.delete_object(Bucket="bucket", Key="k")
    assert files_of(folder) == [LARGE]  # the copy's
    s3.delete_objects(Bucket="bucket", Delete={"Objects": [{"Key": "copy"}]})
    assert files_of(folder) == [] and used(folder) <= full - LARGE


def test_parts_that_are_replaced_left_out_or_aborted(s3, folder):
    upload, _ = send_part(s3, "k")
    tag = s3.upload_part(Bucket="bucket", Key="k", UploadId=upload, PartNumber=1, Body=os.urandom(PART))["ETag"]
    s3.upload_part(Bucket="bucket", Key="k", UploadId=upload, PartNumber=2, Body=os.urandom(PART))
    assert files_of(folder) == [PART, PART]
    s3.complete_multipart_upload(Bucket="bucket", Key="k", UploadId=upload,
                                 MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": tag}]})
    assert files_of(folder) == [PART]
    upload, _ = send_part(s3, "other")
    s3.abort_multipart_upload(Bucket="bucket", Key="other", UploadId=upload)
    assert files_of(folder) == [PART]
    s3.delete_object(Bucket="bucket", Key="k")
    assert files_of(folder) == []


def test_versions_and_uploads_that_a_lifecycle_ends(server, s3, folder):
    s3.put_bucket_versioning(Bucket="bucket", VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_lifecycle_configuration(Bucket="bucket", LifecycleConfiguration={"Rules": [
        {"ID": "all", "Status": "Enabled", "Filter": {"Prefix": ""},
         "NoncurrentVersionExpiration": {"NoncurrentDays": 1},
         "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1}},
        {"ID": "short", "Status": "Enabled", "Filter": {"Prefix": "short/"}, "Expiration": {"Days": 1}}]})
    for _ in range(10):
        put(s3)
    put(s3, "short/k")
    send_part(s3, "given-up")
    assert files_of(folder) == [LARGE] * 11 + [PART]
    full = used(folder)
    later(server, "5d")  # short/k: first behind a delete marker, then gone
    assert files_of(folder) == [LARGE] and used(folder) <= full - PART - 10 * LARGE


def test_small_bodies_leave_their_pages_to_the_next(folder):
    """Each round's deletes come before the next round's puts. After a stop there is nothing beside the database."""
    sizes, keys = [], [f"k{i}" for i in range(200)]
    for _ in range(5):
        with Server("--no-pipeline", data_dir=folder) as server:
            s3 = Clients(server.endpoint, ACCOUNT).s3
            s3.create_bucket(Bucket="bucket")
            s3.delete_objects(Bucket="bucket", Delete={"Objects": [{"Key": key} for key in keys]})
            for key in keys * 2:
                put(s3, key, 32 << 10)
        sizes.append((folder / "headrace.db").stat().st_size)
    assert sizes[0] < 2 * len(keys) * (32 << 10) and max(sizes) <= sizes[0] * 1.1 and sizes[4] == sizes[3], sizes
    left = {path.name for path in folder.rglob("*") if path.is_file() and path.name != "headrace.lock"}
    assert left == {"headrace.db"}
