"""s3cmd from Debian: what its manual shows, with its own SigV4 and SigV2."""
import json
import urllib.request

import pytest
from conftest import NAMES, files_of, need, run


@pytest.fixture
def s3cmd(place, tmp_path):
    host = place.endpoint.removeprefix("http://")
    settings = {"access_key": place.account, "secret_key": place.secret, "host_base": host, "use_https": "False",
                "host_bucket": f"%(bucket)s.{host}" if place.proxy else host, "bucket_location": "us-east-1", "max_retries": "1",
                "multipart_chunk_size_mb": "5", "progress_meter": "False", "signurl_use_https": "False"}
    if place.proxy:
        settings["proxy_host"], settings["proxy_port"] = place.proxy.removeprefix("http://").split(":")
    config = tmp_path / "s3cfg"
    config.write_text("[default]\n" + "".join(f"{key} = {value}\n" for key, value in settings.items()))
    program, env = need("s3cmd"), place.environment()
    return lambda *arguments, **more: run([program, "-c", config, *arguments], env, **more)


def test_mb_put_get_ls_la_del_rb(s3cmd, place, tree, tmp_path):
    there = f"s3://{place.bucket}"
    s3cmd("mb", there)
    for name in NAMES:
        s3cmd("put", tree / name, f"{there}/{name}")
    for name in NAMES[:6]:
        s3cmd("get", "--force", f"{there}/{name}", tmp_path / "back")
        assert (tmp_path / "back").read_bytes() == (tree / name).read_bytes()
    assert place.bucket in s3cmd("ls")
    listing = s3cmd("ls", "--recursive", there)
    assert all(f"{there}/{name}\n" in listing for name in NAMES)
    assert "DIR" in s3cmd("ls", there) and "dir/" in s3cmd("ls", there)
    assert f"{there}/a b.txt" in s3cmd("la")
    assert s3cmd("du", there).split()[0] == str(sum(len(body) for body in files_of(tree).values()))
    s3cmd("del", f"{there}/a b.txt")
    assert "BucketNotEmpty" in s3cmd("rb", there, code=13)
    s3cmd("del", "--recursive", "--force", there)
    assert s3cmd("ls", "--recursive", there) == ""
    s3cmd("rb", there)
    assert "NoSuchBucket" in s3cmd("ls", there, code=12)


def test_sync_both_ways(s3cmd, place, tree, tmp_path):
    there = f"s3://{place.bucket}/mirror/"
    s3cmd("mb", f"s3://{place.bucket}")
    s3cmd("sync", f"{tree}/", there)
    assert "upload:" not in s3cmd("sync", f"{tree}/", there)
    (tmp_path / "back").mkdir()
    s3cmd("sync", there, f"{tmp_path / 'back'}/")
    assert files_of(tmp_path / "back") == files_of(tree)
    (tree / "a b.txt").unlink()
    (tree / "plain.txt").write_text("changed\n")
    s3cmd("sync", "--delete-removed", f"{tree}/", there)
    assert "a b.txt" not in s3cmd("ls", there)
    s3cmd("sync", "--delete-removed", there, f"{tmp_path / 'back'}/")
    assert files_of(tmp_path / "back") == files_of(tree)
    s3cmd("sync", there, f"s3://{place.bucket}/copy/")
    assert len(s3cmd("ls", "--recursive", f"s3://{place.bucket}/copy/").splitlines()) == len(NAMES) - 1


def test_parts_copies_and_moves(s3cmd, place, big, tmp_path, s3):
    there = f"s3://{place.bucket}"
    s3cmd("mb", there)
    s3cmd("put", big, f"{there}/big file.bin")
    assert s3.head_object(Bucket=place.bucket, Key="big file.bin")["ETag"].endswith('-4"')
    s3cmd("cp", f"{there}/big file.bin", f"{there}/copy+1.bin")
    s3cmd("mv", f"{there}/copy+1.bin", f"{there}/moved \u00fc.bin")
    s3cmd("get", f"{there}/moved \u00fc.bin", tmp_path / "back.bin")
    assert (tmp_path / "back.bin").read_bytes() == big.read_bytes()
    with open(tmp_path / "back.bin", "r+b") as file:
        file.truncate(1 << 20)
    s3cmd("get", "--continue", f"{there}/big file.bin", tmp_path / "back.bin")
    assert (tmp_path / "back.bin").read_bytes() == big.read_bytes()
    s3cmd("put", "-", f"{there}/stdin", text=big.read_bytes())
    assert s3.head_object(Bucket=place.bucket, Key="stdin")["ContentLength"] == big.stat().st_size
    assert "copy+1.bin" not in s3cmd("ls", there)
    started = s3.create_multipart_upload(Bucket=place.bucket, Key="half")["UploadId"]
    s3.upload_part(Bucket=place.bucket, Key="half", UploadId=started, PartNumber=1, Body=b"x")
    assert started in s3cmd("multipart", there)
    assert "1" in s3cmd("listmp", f"{there}/half", started)
    s3cmd("abortmp", f"{there}/half", started)
    assert started not in s3cmd("multipart", there)


def test_info_acl_and_metadata(s3cmd, place, tree):
    there = f"s3://{place.bucket}"
    s3cmd("mb", there)
    s3cmd("put", "--acl-public", "--mime-type", "text/x-test", "--add-header", "x-amz-meta-color: blue", tree / "a b.txt", f"{there}/a b.txt")
    info = s3cmd("info", f"{there}/a b.txt")
    assert "text/x-test" in info and "x-amz-meta-color: blue" in info and "*anon*: READ" in info
    if place.auth != "verify":  # which wants a signature of everybody
        with urllib.request.urlopen(f"{place.server.endpoint}/{place.bucket}/a%20b.txt") as answer:
            assert answer.read() == (tree / "a b.txt").read_bytes()
    s3cmd("setacl", "--acl-private", f"{there}/a b.txt")
    assert "*anon*" not in s3cmd("info", f"{there}/a b.txt")
    someone = "b9b10484acfd845606c742ca030c1613a9f0c3110408ce189213b9a8da39ad3a"  # account 111111111111
    s3cmd("setacl", "--acl-grant=read:" + someone, f"{there}/a b.txt")
    assert someone + ": READ" in s3cmd("info", f"{there}/a b.txt")
    s3cmd("setacl", "--acl-public", "--recursive", there)
    assert "*anon*: READ" in s3cmd("info", f"{there}/a b.txt")
    s3cmd("modify", "--add-header", "x-amz-meta-color: red", f"{there}/a b.txt")
    assert "x-amz-meta-color: red" in s3cmd("info", f"{there}/a b.txt")
    s3cmd("modify", "--remove-header", "x-amz-meta-color", f"{there}/a b.txt")
    assert "x-amz-meta-color" not in s3cmd("info", f"{there}/a b.txt")
    assert "us-east-1" in s3cmd("info", there)


def test_bucket_settings(s3cmd, place, tmp_path):
    there = f"s3://{place.bucket}"
    s3cmd("mb", there)
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject",
                                                      "Resource": f"arn:aws:s3:::{place.bucket}/public/*"}]}
    (tmp_path / "policy").write_text(json.dumps(policy))
    s3cmd("setpolicy", tmp_path / "policy", there)
    assert "public/*" in s3cmd("info", there)
    s3cmd("delpolicy", there)
    (tmp_path / "lifecycle").write_text("<LifecycleConfiguration><Rule><ID>r</ID><Prefix>tmp/</Prefix><Status>Enabled</Status>"
                                        "<Expiration><Days>3</Days></Expiration></Rule></LifecycleConfiguration>")
    s3cmd("setlifecycle", tmp_path / "lifecycle", there)
    assert "<Days>3</Days>" in s3cmd("getlifecycle", there)
    s3cmd("dellifecycle", there)
    s3cmd("expire", "--expiry-days=7", "--expiry-prefix=old/", there)
    assert "<Days>7</Days>" in s3cmd("getlifecycle", there)
    (tmp_path / "cors").write_text("<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod>"
                                   "</CORSRule></CORSConfiguration>")
    s3cmd("setcors", tmp_path / "cors", there)
    assert "<AllowedMethod>GET</AllowedMethod>" in s3cmd("info", there)
    s3cmd("delcors", there)
    s3cmd("ws-create", "--ws-index=index.html", "--ws-error=err.html", there)
    assert "index.html" in s3cmd("ws-info", there)
    s3cmd("ws-delete", there)
    s3cmd("payer", "--requester-pays", there)
    assert "Requester" in s3cmd("info", there)
    s3cmd("accesslog", "--access-logging-target-prefix=s3://" + place.bucket + "/log/", there)
    assert "log/" in s3cmd("accesslog", there)
    s3cmd("accesslog", "--no-access-logging", there)


def test_signed_links(s3cmd, place, tree):
    s3cmd("mb", f"s3://{place.bucket}")
    s3cmd("put", tree / "plus+sign.txt", f"s3://{place.bucket}/plus+sign.txt")
    link = s3cmd("signurl", f"s3://{place.bucket}/plus+sign.txt", "+600").strip()
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({"http": place.proxy} if place.proxy else {}))
    with opener.open(link) as answer:
        assert answer.read() == (tree / "plus+sign.txt").read_bytes()


@pytest.mark.parametrize("flags", [["--signature-v2"], ["--server-side-encryption"], ["--storage-class=STANDARD_IA"],
                                   ["--disable-multipart"], ["--no-check-md5"]], ids=lambda flags: flags[0])
def test_other_ways_to_speak(s3cmd, place, tree, tmp_path, flags):
    there = f"s3://{place.bucket}"
    s3cmd("mb", *flags, there)
    s3cmd("put", *flags, tree / "\u00fcn\u00ef.txt", tree / "a b.txt", tree / "percent%20.txt", f"{there}/d/")
    assert s3cmd("ls", *flags, f"{there}/d/").count("\n") == 3
    s3cmd("cp", *flags, f"{there}/d/a b.txt", f"{there}/d/c d.txt")
    s3cmd("get", *flags, f"{there}/d/\u00fcn\u00ef.txt", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == (tree / "\u00fcn\u00ef.txt").read_bytes()
    s3cmd("del", *flags, "--recursive", "--force", there)
