"""Multipart uploads through boto3 and its transfer manager."""
import base64
import hashlib
import io
import os

import pytest
from boto3.s3.transfer import TransferConfig

from conftest import newer_than

MIB = 1 << 20


def composite(*parts):
    return '"%s-%d"' % (hashlib.md5(b"".join(hashlib.md5(p).digest() for p in parts)).hexdigest(), len(parts))


@pytest.fixture
def upload(aws, bucket):
    return aws.s3.create_multipart_upload(Bucket=bucket, Key="big")["UploadId"]


def send(aws, bucket, upload, number, body):
    tag = aws.s3.upload_part(Bucket=bucket, Key="big", UploadId=upload, PartNumber=number, Body=body)["ETag"]
    return {"ETag": tag, "PartNumber": number}


def finish(aws, bucket, upload, parts):
    return aws.s3.complete_multipart_upload(Bucket=bucket, Key="big", UploadId=upload, MultipartUpload={"Parts": parts})


def test_parts_in_any_order_make_one_object(aws, bucket, upload):
    bodies = [os.urandom(5 * MIB), os.urandom(5 * MIB + 7), os.urandom(11)]
    sent = [send(aws, bucket, upload, n, bodies[n - 1]) for n in (3, 1, 2)]
    answer = finish(aws, bucket, upload, sorted(sent, key=lambda p: p["PartNumber"]))
    assert answer["ETag"] == composite(*bodies)
    got = aws.s3.get_object(Bucket=bucket, Key="big")
    assert got["Body"].read() == b"".join(bodies)
    second = aws.s3.get_object(Bucket=bucket, Key="big", PartNumber=2)
    assert second["PartsCount"] == 3 and second["Body"].read() == bodies[1]
    across = aws.s3.get_object(Bucket=bucket, Key="big", Range=f"bytes={5 * MIB - 3}-{5 * MIB + 3}")
    assert across["Body"].read() == (bodies[0] + bodies[1])[5 * MIB - 3:5 * MIB + 4]


def test_the_transfer_manager_round_trips_20_mb(aws, bucket):
    body = os.urandom(20 * MIB + 123)
    config = TransferConfig(multipart_threshold=8 * MIB, multipart_chunksize=8 * MIB)
    aws.s3.upload_fileobj(io.BytesIO(body), bucket, "t", Config=config)
    back = io.BytesIO()
    aws.s3.download_fileobj(bucket, "t", back, Config=config)
    assert back.getvalue() == body
    aws.s3.copy({"Bucket": bucket, "Key": "t"}, bucket, "t2", Config=config)
    assert aws.s3.head_object(Bucket=bucket, Key="t2")["ETag"] == aws.s3.head_object(Bucket=bucket, Key="t")["ETag"]


def test_listing_knows_parts_and_uploads_until_abort(aws, bucket, upload, refused):
    send(aws, bucket, upload, 1, b"a")
    send(aws, bucket, upload, 4, b"bb")
    listing = aws.s3.list_parts(Bucket=bucket, Key="big", UploadId=upload)
    assert [(p["PartNumber"], p["Size"]) for p in listing["Parts"]] == [(1, 1), (4, 2)]
    uploads = aws.s3.list_multipart_uploads(Bucket=bucket)["Uploads"]
    assert [u["UploadId"] for u in uploads] == [upload]
    # S3 tells whole seconds everywhere.
    assert not uploads[0]["Initiated"].microsecond and not listing["Parts"][0]["LastModified"].microsecond
    assert "Contents" not in aws.s3.list_objects_v2(Bucket=bucket)
    aws.s3.abort_multipart_upload(Bucket=bucket, Key="big", UploadId=upload)
    assert "Uploads" not in aws.s3.list_multipart_uploads(Bucket=bucket)
    with refused("NoSuchUpload", 404):
        send(aws, bucket, upload, 2, b"late")


def test_what_complete_refuses(aws, bucket, upload, refused):
    one, two = send(aws, bucket, upload, 1, b"small"), send(aws, bucket, upload, 2, b"last")
    with refused("EntityTooSmall", 400):
        finish(aws, bucket, upload, [one, two])
    with refused("InvalidPartOrder", 400):
        finish(aws, bucket, upload, [two, one])
    with refused("InvalidPart", 400):
        finish(aws, bucket, upload, [{**one, "ETag": '"0123456789abcdef0123456789abcdef"'}])
    with refused("NoSuchUpload", 404):
        finish(aws, bucket, "nonsense", [one])
    assert finish(aws, bucket, upload, [one])["ETag"] == composite(b"small")


def test_a_part_can_be_copied_from_a_range(aws, bucket, upload):
    body = os.urandom(6 * MIB)
    aws.s3.put_object(Bucket=bucket, Key="src", Body=body)
    part = aws.s3.upload_part_copy(Bucket=bucket, Key="big", UploadId=upload, PartNumber=1,
                                   CopySource=f"{bucket}/src", CopySourceRange=f"bytes=5-{5 * MIB + 4}")
    finish(aws, bucket, upload, [{"ETag": part["CopyPartResult"]["ETag"], "PartNumber": 1}])
    assert aws.s3.get_object(Bucket=bucket, Key="big")["Body"].read() == body[5:5 * MIB + 5]


def test_copies_of_large_bodies_have_the_digests_of_their_bytes(aws, bucket):
    parts = [os.urandom(6 * 1024 * 1024), os.urandom(5 * 1024 * 1024 + 1), b"end"]
    whole = b"".join(parts)
    source = aws.s3.create_multipart_upload(Bucket=bucket, Key="big", ChecksumAlgorithm="CRC32")["UploadId"]
    done = []
    for number, part in enumerate(parts, 1):
        sent = aws.s3.upload_part(Bucket=bucket, Key="big", UploadId=source, PartNumber=number, Body=part,
                                  ChecksumAlgorithm="CRC32")
        done.append({"PartNumber": number, "ETag": sent["ETag"], "ChecksumCRC32": sent["ChecksumCRC32"]})
    aws.s3.complete_multipart_upload(Bucket=bucket, Key="big", UploadId=source, MultipartUpload={"Parts": done})

    copied = aws.s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/big", ChecksumAlgorithm="SHA256")
    assert copied["CopyObjectResult"]["ETag"] == f'"{hashlib.md5(whole).hexdigest()}"'
    assert copied["CopyObjectResult"]["ChecksumSHA256"] == base64.b64encode(hashlib.sha256(whole).digest()).decode()
    assert aws.s3.get_object(Bucket=bucket, Key="copy")["Body"].read() == whole

    target = aws.s3.create_multipart_upload(Bucket=bucket, Key="cut")["UploadId"]
    first, last = 1000, len(whole) - 2
    part = aws.s3.upload_part_copy(Bucket=bucket, Key="cut", UploadId=target, PartNumber=1, CopySource=f"{bucket}/big",
                                   CopySourceRange=f"bytes={first}-{last}")["CopyPartResult"]
    assert part["ETag"] == f'"{hashlib.md5(whole[first:last + 1]).hexdigest()}"'


def test_a_body_of_many_parts_can_be_read_while_it_is_deleted(aws, bucket):
    source = os.urandom(5 * MIB)
    upload = aws.s3.create_multipart_upload(Bucket=bucket, Key="many")["UploadId"]
    parts = []
    for number in range(1, 41):
        etag = aws.s3.upload_part(Bucket=bucket, Key="many", UploadId=upload, PartNumber=number, Body=source)["ETag"]
        parts.append({"PartNumber": number, "ETag": etag})
    aws.s3.complete_multipart_upload(Bucket=bucket, Key="many", UploadId=upload, MultipartUpload={"Parts": parts})
    body = aws.s3.get_object(Bucket=bucket, Key="many")["Body"]
    start = body.read(1000)
    aws.s3.delete_object(Bucket=bucket, Key="many")
    assert start + body.read() == source * 40


def test_small_slices_can_be_read_while_they_are_deleted(aws, bucket):
    """A copied part is slices of its source. Here every second one is small enough to lie in the database, and together
    they are more than is read before the answer begins."""
    pieces = [os.urandom(5 * MIB), os.urandom(60000)]
    upload = aws.s3.create_multipart_upload(Bucket=bucket, Key="source")["UploadId"]
    parts = [{"PartNumber": n, "ETag": aws.s3.upload_part(Bucket=bucket, Key="source", UploadId=upload, PartNumber=n,
                                                          Body=piece)["ETag"]} for n, piece in enumerate(pieces, 1)]
    aws.s3.complete_multipart_upload(Bucket=bucket, Key="source", UploadId=upload, MultipartUpload={"Parts": parts})
    upload = aws.s3.create_multipart_upload(Bucket=bucket, Key="many")["UploadId"]
    parts = [{"PartNumber": n, "ETag": aws.s3.upload_part_copy(
        Bucket=bucket, Key="many", UploadId=upload, PartNumber=n, CopySource=f"{bucket}/source")["CopyPartResult"]["ETag"]}
        for n in range(1, 41)]
    aws.s3.complete_multipart_upload(Bucket=bucket, Key="many", UploadId=upload, MultipartUpload={"Parts": parts})
    body = aws.s3.get_object(Bucket=bucket, Key="many")["Body"]
    start = body.read(1000)
    for key in ("source", "many"):
        aws.s3.delete_object(Bucket=bucket, Key=key)
    assert start + body.read() == b"".join(pieces) * 40


# Both as users of AWS saw it: an upload's parts and checksums in GetObjectAttributes (floci-io/floci#3083) and those of a
# single part (localstack/localstack#12842).
@newer_than(1, 36, 0)
@pytest.mark.parametrize("algorithm, kind", [("CRC32", "COMPOSITE"), ("SHA256", "COMPOSITE"), ("CRC32", "FULL_OBJECT"), (None, "FULL_OBJECT")])
def test_only_composite_checksums_tell_of_their_parts(aws, bucket, algorithm, kind):
    asked = {"ChecksumAlgorithm": algorithm} if algorithm else {}
    name = "Checksum" + (algorithm or "CRC64NVME")
    upload = aws.s3.create_multipart_upload(Bucket=bucket, Key="k", **asked, **({"ChecksumType": kind} if algorithm else {}))
    sent = [aws.s3.upload_part(Bucket=bucket, Key="k", UploadId=upload["UploadId"], PartNumber=n, Body=body, **asked)
            for n, body in ((1, b"x" * (5 << 20)), (2, b"y"))]
    parts = [{"PartNumber": n, "ETag": part["ETag"], **({name: part[name]} if algorithm else {})} for n, part in enumerate(sent, 1)]
    whole = aws.s3.complete_multipart_upload(Bucket=bucket, Key="k", UploadId=upload["UploadId"], MultipartUpload={"Parts": parts})
    composite = kind == "COMPOSITE"
    assert whole[name].endswith("-2") == composite
    told = aws.s3.get_object_attributes(Bucket=bucket, Key="k", ObjectAttributes=["ObjectParts", "Checksum"])
    assert told["Checksum"] == {name: whole[name].removesuffix("-2"), "ChecksumType": kind}
    listed = [{"PartNumber": n, "Size": size, name: sent[n - 1][name]} for n, size in ((1, 5 << 20), (2, 1))] if composite else None
    assert (told["ObjectParts"]["TotalPartsCount"], told["ObjectParts"].get("Parts")) == (2, listed)
    assert ("MaxParts" in told["ObjectParts"], "IsTruncated" in told["ObjectParts"]) == (composite, composite)
    for read in (aws.s3.head_object, aws.s3.get_object):
        part = read(Bucket=bucket, Key="k", PartNumber=2, ChecksumMode="ENABLED")
        assert (part.get(name), part.get("ChecksumType")) == ((sent[1][name], kind) if composite else (None, None))
