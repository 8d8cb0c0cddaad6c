"""What docs/SECURITY.md promises, tried from outside: hostile pages and hosts, hostile names, hostile requests, other users of
the machine, secrets, and what a signature may be used for."""
import base64
import contextlib
import json
import os
import pathlib
import re
import socket
import stat
import subprocess

import boto3
import pytest
from botocore.config import Config
from conftest import Clients, Refused
from harness import BINARY, Server

SURFACES = ["/", "/bucket", "/bucket/key", "/bucket?list-type=2", "/?Action=ListQueues", "/_headrace", "/_headrace/status",
            "/_headrace/health", "/_headrace/metrics", "/metrics", "/_headrace/events", "/_headrace/trace?target=x",
            "/_headrace/snapshots", "/_headrace/sqs/queues", "/_headrace/console", "/_headrace/console/app.js", "/_headrace/settings", "/_localstack/health", "/_aws/sqs/messages", "/moto-api/reset"]


@pytest.fixture(scope="module")
def server():
    with Server("--no-pipeline") as server:
        yield server


LAST = b"GET /_headrace/last HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


def raw(server, text, more=b""):
    """All bytes that come back for these bytes until the server closes, which one of the requests must ask for."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        got = b""
        with contextlib.suppress(ConnectionError):
            connection.sendall((text if isinstance(text, bytes) else text.encode("latin-1")) + more)
        with contextlib.suppress(ConnectionError):
            while block := connection.recv(65536):
                got += block
    return got.decode("latin-1")


def ask(server, method, target, headers=(), body=b"", host=None):
    """Status, headers by lower-case name, body."""
    host = host or f"127.0.0.1:{server.port}"
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}", *headers, f"Content-Length: {len(body)}", "Connection: close"]
    got = raw(server, "\r\n".join(lines) + "\r\n\r\n", body)
    head, _, body = got.partition("\r\n\r\n")
    rows = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
    return int(head.split(" ")[1]), {name.lower(): value for name, value in rows.items()}, body


def statuses(answer):
    return [int(code) for code in re.findall(r"HTTP/1\.1 (\d{3})", answer)]


# ---- a browser with hostile pages ----

@pytest.mark.parametrize("host", ["evil.example", "evil.example:4566", "127.0.0.1.evil.example", "localhost.evil.example",
                                  "[::ffff:1.2.3.4]", "10.0.0.1", "amazonaws.com.evil.example", "127.0.0.1@evil.example", "",
                                  "127.0.0.1:80@evil.example", "localhost:evil.example", "[::1]evil.example", "[::1]:80@evil.example"])
def test_a_rebound_name_reaches_nothing(server, host):
    for surface in SURFACES:
        for method in ("GET", "POST", "PUT", "DELETE", "OPTIONS"):
            status, headers, body = ask(server, method, surface, host=host or " ")
            assert status == 403 and "DNS rebinding" in body, (method, surface, status, body)
            assert "access-control-allow-origin" not in headers
    status, _, body = ask(server, "GET", f"http://{host}/_headrace/status")
    assert status == 403 and "DNS rebinding" in body, (status, body)


FOREIGN = [["Origin: http://evil.example"], ["Origin: null"], ["Origin: http://localhost:3000"], ["Origin: https://127.0.0.1"],
           ["Sec-Fetch-Site: cross-site"], ["Sec-Fetch-Site: same-site", "Sec-Fetch-Mode: no-cors"]]
CHANGES = [("POST", "/_headrace/reset", ""), ("POST", "/moto-api/reset", ""), ("GET", "/_headrace/snapshots/x", ""),
           ("GET", "/_headrace/console", ""), ("GET", "/_headrace/console/app.js", ""), ("GET", "/_headrace/settings", ""), ("GET", "/_headrace/events", ""), ("DELETE", "/_headrace/faults", ""), ("GET", "/metrics", ""),
           ("POST", "/_headrace/clock", '{"advance":"1d"}'), ("GET", "/?Action=CreateQueue&QueueName=planted", ""),
           ("POST", "/", "Action=CreateQueue&QueueName=planted"), ("PUT", "/planted", ""), ("DELETE", "/page/k", ""),
           ("PUT", "/page/k", "x"), ("POST", "/page?delete", "<Delete><Object><Key>k</Key></Object></Delete>")]


@pytest.fixture(scope="module")
def page(server):
    """A bucket with an object and CORS rules that let one page read and write."""
    s3 = Clients(server.endpoint, "test").s3
    s3.create_bucket(Bucket="page")
    s3.put_object(Bucket="page", Key="k", Body=b"kept")
    s3.create_bucket(Bucket="other")
    s3.put_object(Bucket="other", Key="secret", Body=b"secret")
    s3.put_bucket_cors(Bucket="page", CORSConfiguration={"CORSRules": [
        {"AllowedOrigins": ["http://friend.example"], "AllowedMethods": ["GET", "PUT"], "AllowedHeaders": ["*"]}]})
    return s3


@pytest.mark.parametrize("marks", FOREIGN, ids=lambda marks: marks[0])
def test_a_foreign_page_changes_and_reads_nothing(server, page, marks):
    for method, target, body in CHANGES:
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
            status, headers, text = ask(server, method, target, [*marks, f"Content-Type: {kind}"], body.encode())
            assert status == 403 and "another origin" in text, (method, target, status, text)
            assert "access-control-allow-origin" not in headers
    assert page.get_object(Bucket="page", Key="k")["Body"].read() == b"kept"
    assert [bucket["Name"] for bucket in page.list_buckets()["Buckets"]] == ["other", "page"]
    assert ask(server, "GET", "/_headrace/sqs/queues")[2].count("QueueUrl") == 0


def test_a_foreign_page_may_fetch_but_not_read_objects(server, page):
    status, headers, _ = ask(server, "GET", "/page/k", ["Origin: http://evil.example", "Sec-Fetch-Site: cross-site"])
    assert status == 200 and "access-control-allow-origin" not in headers


def test_preflights_answer_for_friends_alone(server, page):
    wish = ["Access-Control-Request-Method: PUT", "Access-Control-Request-Headers: x-amz-meta-a"]
    assert ask(server, "OPTIONS", "/page/k", ["Origin: http://evil.example", *wish])[0] == 403
    status, headers, _ = ask(server, "OPTIONS", "/page/k", ["Origin: http://friend.example", *wish])
    assert status == 200 and headers["access-control-allow-origin"] == "http://friend.example"
    for surface in ("/", "/_headrace/reset", "/000000000000/q"):
        status, headers, _ = ask(server, "OPTIONS", surface, ["Origin: http://friend.example", *wish])
        assert status >= 400 and "access-control-allow-origin" not in headers


def test_cors_of_a_bucket_works_as_on_aws(server, page):
    friend = ["Origin: http://friend.example", "Sec-Fetch-Site: cross-site"]
    status, headers, _ = ask(server, "PUT", "/page/new", friend, b"x")
    assert status == 200 and headers["access-control-allow-origin"] == "http://friend.example"
    assert ask(server, "DELETE", "/page/new", friend)[0] == 403
    page.delete_object(Bucket="page", Key="new")


def test_a_page_that_may_write_one_bucket_cannot_copy_another_into_it(server, page):
    friend = ["Origin: http://friend.example", "Sec-Fetch-Site: cross-site"]
    for source in ("/other/secret", "other/secret", "other%2Fsecret", "/%6fther/secret?versionId=null"):
        assert ask(server, "PUT", "/page/stolen", [*friend, f"x-amz-copy-source: {source}"])[0] == 403, source
    assert ask(server, "PUT", "/page/mine", [*friend, "x-amz-copy-source: /page/k"])[0] == 200
    page.delete_object(Bucket="page", Key="mine")


def test_an_object_opened_as_a_page_has_an_origin_of_its_own(server, page):
    page.put_object(Bucket="page", Key="p.html", Body=b"<script>1</script>", ContentType="text/html")
    head = "GET /{} HTTP/1.1\r\nHost: {}localhost\r\n{}Connection: close\r\n\r\n"
    opened = "Sec-Fetch-Site: none\r\nSec-Fetch-Dest: document\r\n"
    assert "\r\nContent-Security-Policy: sandbox allow-scripts " in raw(server, head.format("page/p.html", "", opened))
    for path, host, marks in (("page/p.html", "", ""), ("p.html", "page.", opened), ("_headrace/health", "", opened)):
        answer = raw(server, head.format(path, host, marks))
        assert statuses(answer) == [200] and "sandbox" not in answer


def test_pages_of_our_own_and_trusted_hosts_are_served():
    with Server("--no-pipeline", "--allow-host", "app.test") as server:
        own = f"Origin: http://127.0.0.1:{server.port}"
        for marks in ([own], ["Sec-Fetch-Site: same-origin"], ["Sec-Fetch-Site: none"], ["Origin: http://app.test:3000"], []):
            assert ask(server, "GET", "/_headrace/status", marks)[0] == 200, marks
        assert ask(server, "GET", "/_headrace/status", host="app.test:1")[0] == 200
        # What the console does: it is fetched, follows events, changes things and sends to S3, all from its own origin.
        mine = ["Sec-Fetch-Site: same-origin", "Sec-Fetch-Mode: cors"]
        for target in ("/_headrace/console", "/_headrace/console/app.js", "/_headrace/settings", "/_headrace/trace?target=x"):
            assert ask(server, "GET", target, mine)[0] == 200, target
        for name, authority in ((None, f"127.0.0.1:{server.port}"), (f"localhost:{server.port}",) * 2, ("app.test:1",) * 2):
            origin = [*mine, f"Origin: http://{authority}"]
            assert ask(server, "POST", "/_headrace/clock", [*origin, "Content-Type: text/plain;charset=UTF-8"], b'{"advance":"1s"}', host=name)[0] == 200
            assert ask(server, "PUT", "/own", origin, host=name)[0] == 200
            assert ask(server, "PUT", "/own/incoming%2Fa.txt", origin, b"x", host=name)[0] == 200
            assert ask(server, "GET", "/own?list-type=2", mine, host=name)[0] == 200
            assert ask(server, "DELETE", "/_headrace/faults", origin, host=name)[0] == 200
        assert ask(server, "GET", "/_headrace/status", host="sub.app.test")[0] == 403


# ---- names ----

HOSTILE = ["..", ".", "../..", "../../etc/passwd", "/etc/passwd", "a/../../b", "%2e%2e", "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
           "..%5c..%5cx", "%00", "a%00b", "\u202e", "\u00fc" * 50, "x" * 1000, "x" * 5000, "-", "~", "con", "*", "a;b", "'; DROP TABLE blob"]


@contextlib.contextmanager
def watched(path):
    """Nothing outside of `path` in its parent comes, goes or changes."""
    def look():
        return {str(file): (file.lstat().st_mtime_ns, file.lstat().st_size) for file in path.parent.rglob("*")
                if path not in (file, *file.parents)}
    before = look()
    yield
    assert look() == before


@pytest.fixture
def directory(tmp_path):
    """A data directory beside a file that must not be reached."""
    (tmp_path / "victim").write_text("victim")
    return tmp_path / "data"


def quoted(name):
    return "".join(c if c.isascii() and c.isprintable() and c not in " ;'\"<>" else "".join(f"%{b:02x}" for b in c.encode())
                   for c in name)


def test_no_name_leads_out_of_the_data_directory(directory):
    with watched(directory), Server("--no-pipeline", data_dir=directory) as server:
        large = b"x" * 100_000
        assert ask(server, "PUT", "/bucket")[0] == 200
        for name in map(quoted, HOSTILE):
            for target in (f"/{name}", f"/bucket/{name}", f"/{name}/{name}", f"/_headrace/snapshots/{name}"):
                for method, body in (("PUT", large), ("POST", b""), ("GET", b""), ("DELETE", b"")):
                    status, _, text = ask(server, method, target, body=body)
                    assert status < 500, (method, target, status, text)
                    assert "root:" not in text and "victim" not in text
            for method in ("POST", "PUT", "GET", "DELETE"):
                status = ask(server, method, f"/_headrace/snapshots/{name}/load")[0]
                assert 400 <= status < 500, (method, name, status)
            ask(server, "POST", f"/{name}/{name}", ["Content-Type: application/x-www-form-urlencoded"],
                f"Action=CreateQueue&QueueName={name}".encode())
            ask(server, "POST", "/_headrace/reset", body=json.dumps({"account": name}).encode())
            ask(server, "GET", f"/_headrace/leaks?account={name}")
            ask(server, "GET", "/", [f"Authorization: AWS4-HMAC-SHA256 Credential={name}/20260101/us-east-1/s3/aws4_request, "
                                     "SignedHeaders=host, Signature=0"])
        names = {file.name for file in directory.rglob("*") if file.is_file()}
        assert all(re.fullmatch(r"\d+|headrace\.(db|db-wal|db-shm|lock)|[A-Za-z0-9][A-Za-z0-9._-]{0,63}", name) for name in names)


def test_keys_with_dots_are_kept_as_they_are(aws, bucket):
    for key in ("x/../x", "a/../b", "./.", "x/..", "a//b", "/a", "\u00fc/\u4e2d", "x" * 1024):
        aws.s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
        assert aws.s3.get_object(Bucket=bucket, Key=key)["Body"].read() == key.encode()
    with Refused("KeyTooLongError", 400):
        aws.s3.put_object(Bucket=bucket, Key="x" * 1025)


def test_a_configuration_that_is_no_file_is_refused(tmp_path):
    for path in (tmp_path, tmp_path / "missing", "/dev/null", "x" * 5000, ""):
        done = subprocess.run([BINARY, "serve", "--port", "0", "--ephemeral", "--config", str(path), "--port-file", str(tmp_path / "p"),
                               "--keys", str(tmp_path)], capture_output=True, text=True, timeout=60)
        assert done.returncode not in (0, None) and done.returncode > 0 and done.stderr.startswith("headrace"), done


# ---- other users of the machine ----

def modes(path):
    return {str(file.relative_to(path)): stat.S_IMODE(file.lstat().st_mode) for file in [path, *path.rglob("*")]}


@pytest.mark.parametrize("umask", [0, 0o022, 0o077, 0o002])
@pytest.mark.parametrize("made_before", [False, True])
def test_what_is_stored_is_its_owners_alone(directory, umask, made_before):
    if made_before:
        directory.mkdir()
        directory.chmod(0o755)
    before = os.umask(umask)
    try:
        server = Server("--no-pipeline", data_dir=directory).start()
    finally:
        os.umask(before)
    try:
        s3 = Clients(server.endpoint, "test").s3
        s3.create_bucket(Bucket="bucket")
        s3.put_object(Bucket="bucket", Key="large", Body=b"x" * 300_000)
        server.json("POST", "/_headrace/snapshots/one")
        body = raw(server, "GET /_headrace/snapshots/one HTTP/1.0\r\nHost: localhost\r\n\r\n").partition("\r\n\r\n")[2]
        assert ask(server, "PUT", "/_headrace/snapshots/two", body=body.encode("latin-1"))[0] == 201
        found = modes(directory)
        for name, mode in found.items():
            own = mode & ~0o077 == mode or (name == "." and made_before)
            assert own, (name, oct(mode), found)
        assert {"headrace.db", "blobs", "snapshots/one", "snapshots/two"} <= set(found)
    finally:
        server.stop()


def refused_to_start(directory, *flags):
    done = subprocess.run([BINARY, "serve", "--port", "0", "--no-pipeline", "--data-dir", str(directory), *flags],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode > 0, done
    return done.stderr


@pytest.mark.parametrize("name", ["headrace.db", "headrace.lock"])
def test_a_planted_link_in_place_of_a_file_is_refused(directory, name):
    directory.mkdir()
    (directory / name).symlink_to(directory.parent / "victim")
    with watched(directory):
        assert f"{name} is a symbolic link" in refused_to_start(directory)
    (directory / name).unlink()
    os.mkfifo(directory / name)
    assert "is no file" in refused_to_start(directory)


def test_a_planted_link_in_place_of_the_bodies_is_refused(directory):
    (directory.parent / "elsewhere" / "new").mkdir(parents=True)
    (directory.parent / "elsewhere" / "new" / "precious").write_text("x")
    directory.mkdir()
    (directory / "blobs").symlink_to(directory.parent / "elsewhere")
    with watched(directory):
        assert "blobs" in refused_to_start(directory)


def test_a_planted_link_among_the_bodies_is_not_followed(directory):
    elsewhere = directory.parent / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious").write_text("x")
    (elsewhere / "7").write_text("x")
    (directory / "blobs").mkdir(parents=True, mode=0o700)
    (directory / "blobs" / "07").symlink_to(elsewhere)
    (directory / "blobs" / "zz").symlink_to(elsewhere)
    with watched(directory), Server("--no-pipeline", data_dir=directory) as server:
        s3 = Clients(server.endpoint, "test").s3
        s3.create_bucket(Bucket="bucket")
        for n in range(10):
            s3.put_object(Bucket="bucket", Key=str(n), Body=b"x" * 100_000)
            assert len(s3.get_object(Bucket="bucket", Key=str(n))["Body"].read()) == 100_000


def test_planted_links_among_snapshots_are_not_followed(directory):
    victim = directory.parent / "victim"
    with watched(directory), Server("--no-pipeline", data_dir=directory) as server:
        (directory / "snapshots").mkdir(mode=0o700)
        (directory / "snapshots" / "link").symlink_to(victim)
        assert server.json("GET", "/_headrace/snapshots")[1]["snapshots"] == []
        assert server.json("GET", "/_headrace/snapshots/link")[0] == 404
        assert server.json("POST", "/_headrace/snapshots/link/load")[0] >= 400
        assert ask(server, "PUT", "/_headrace/snapshots/link", body=b"x")[0] == 409
        assert server.json("POST", "/_headrace/snapshots/link")[0] == 201
        assert not (directory / "snapshots" / "link").is_symlink()
        (directory / "snapshots" / "link").unlink()
        (directory / "snapshots").rmdir()
        (directory / "snapshots").symlink_to(directory.parent)
        assert server.json("POST", "/_headrace/snapshots/victim")[0] == 500
        assert server.json("GET", "/_headrace/snapshots/victim")[0] == 500
        (directory / "snapshots").unlink()
    assert victim.read_text() == "victim"


def test_the_port_file_replaces_a_link_and_follows_none(tmp_path):
    victim, port_file = tmp_path / "victim", tmp_path / "port"
    victim.write_text("victim")
    for link in (port_file, tmp_path / "port.tmp"):
        link.symlink_to(victim)
    server = subprocess.Popen([BINARY, "serve", "--port", "0", "--ephemeral", "--quiet", "--port-file", str(port_file)])
    try:
        while port_file.is_symlink():
            assert server.poll() is None
        assert int(port_file.read_text()) > 0 and victim.read_text() == "victim"
        assert {path.name for path in tmp_path.iterdir()} == {"victim", "port", "port.tmp"}
    finally:
        server.terminate()
        server.wait()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another user")
def test_a_directory_of_another_user_is_refused(tmp_path):
    theirs, binary = tmp_path / "theirs", tmp_path / "headrace"
    theirs.mkdir(mode=0o777)
    theirs.chmod(0o777)
    os.chown(theirs, 12345, 12345)
    for folder in (tmp_path, *tmp_path.parents):
        if folder.owner() == "root" and folder != pathlib.Path("/"):
            with contextlib.suppress(PermissionError):
                folder.chmod(folder.stat().st_mode | 0o111)
    binary.write_bytes(pathlib.Path(BINARY).read_bytes())
    binary.chmod(0o755)
    done = subprocess.run([str(binary), "serve", "--port", "0", "--data-dir", str(theirs)], user=65534, group=65534,
                          capture_output=True, text=True, timeout=60, env={"ASAN_OPTIONS": "detect_leaks=0"})
    assert done.returncode > 0 and "belongs to another user" in done.stderr, done
    assert list(theirs.iterdir()) == []


# ---- bombs ----

def bomb_entities():
    lines = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    return f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e0 "lol">{lines}]><Tagging><TagSet><Tag><Key>&e11;</Key></Tag></TagSet></Tagging>'


BOMBS = {
    "entities": bomb_entities(),
    "a file": '<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><Tagging><TagSet><Tag><Key>&f;</Key><Value>v</Value></Tag></TagSet></Tagging>',
    "depth": "<Tagging>" + "<a>" * 200_000,
    "attributes": "<Tagging " + " ".join(f'a{n}="x"' for n in range(50_000)) + "/>",
    "utf-16": '<?xml version="1.0" encoding="UTF-16"?><Tagging/>',
}


@pytest.mark.parametrize("what", BOMBS)
def test_xml_bombs_are_refused(server, page, what):
    status, _, text = ask(server, "PUT", "/page?tagging", body=BOMBS[what].encode())
    assert status == 400 and "root:" not in text, (status, text[:300])
    assert "lollol" not in text


@pytest.mark.parametrize("body", ["[" * 500_000, '{"a":' * 200_000, '{"QueueName":' + "[" * 100_000 + "]" * 100_000 + "}",
                                  '{"QueueName":"' + "\\u0000" * 100_000 + '"}', '{"QueueName":1e999999999}'],
                         ids=["lists", "objects", "balanced", "nul", "number"])
def test_json_bombs_are_refused(server, body):
    for headers in (["X-Amz-Target: AmazonSQS.CreateQueue", "Content-Type: application/x-amz-json-1.0"],):
        assert ask(server, "POST", "/", headers, body.encode())[0] == 400
    assert ask(server, "POST", "/_headrace/faults", body=body.encode())[0] == 400
    assert ask(server, "POST", "/_headrace/clock", body=body.encode())[0] == 400
    assert ask(server, "PUT", "/page?policy", body=body.encode())[0] in (400, 404)


def test_too_many_parameters_and_headers_are_refused(server):
    form = "&".join(f"Attribute.{n}.Name=x" for n in range(20_000)) + "&Action=CreateQueue&QueueName=planted"
    assert ask(server, "POST", "/", ["Content-Type: application/x-www-form-urlencoded"], form.encode())[0] in (400, 413)
    assert ask(server, "GET", "/", [f"x-{n}: {'y' * 100}" for n in range(2000)])[0] in (400, 413, 431)
    assert ask(server, "GET", "/page/" + "x" * 100_000)[0] in (400, 414)


def test_a_query_of_many_parameters_is_answered(server, page):
    for n in (500, 2000):
        assert ask(server, "GET", "/page?list-type=2&" + "&".join(f"a{i}=b" for i in range(n)))[0] == 200
    assert ask(server, "GET", "/page?" + "a&" * 8000)[0] == 413


def test_a_head_of_any_size_is_answered(server, page):
    """Also where it fits into libmicrohttpd's memory and its answer's does not: and then nothing has happened."""
    put = "PUT /page/head HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    for size in range(15_000, 21_000, 123):
        pad = "p" * size
        for request in (f"GET /page/k?{pad} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
                        f"{put}x-pad: {pad}\r\nContent-Length: 5\r\n\r\nhello",
                        f"{put}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nx-pad: {pad}\r\n\r\n",
                        f"GET /page/k?response-cache-control={pad[:size // 2]} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"):
            status = statuses(raw(server, request))
            assert status in ([200], [431], [414]), (size, request[:40], status)
            if request.startswith("PUT"):
                gone = ask(server, "HEAD", "/page/head")[0] == 404
                assert gone == (status != [200]), (size, request[60:100], status)
                ask(server, "DELETE", "/page/head")
    for n in (100, 200, 235, 250):
        cookies = "; ".join(f"a{i}=b" for i in range(n))
        assert statuses(raw(server, f"GET /page/k HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nCookie: {cookies}\r\n\r\n")) in ([200], [431])


def test_an_endless_line_before_a_chunk_ends_the_connection(server, page):
    """libmicrohttpd 0.9.75 would turn in circles over it for ever."""
    head = "PUT /page/endless HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    for line in ("5;" + "x" * 100_000, "0" * 100_000 + "5"):
        assert set(statuses(raw(server, head + line + "\r\nhello\r\n0\r\n\r\n", LAST))) <= {400, 413}
    assert ask(server, "HEAD", "/page/endless")[0] == 404


def test_an_upload_is_stored_and_answered_when_its_client_has_stopped_sending(server, page):
    """Whether its end is seen before, while or after its digests are computed."""
    large = b"x" * 3_000_000
    plain = b"PUT /page/half HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(large) + large
    head = b"PUT /page/half HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    for request, size in [(plain, len(large))] + 20 * [(head + b"5\r\nhello\r\n0\r\nx-a: b\r\n\r\n", 5)]:
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
        assert page.head_object(Bucket="page", Key="half")["ContentLength"] == size


# ---- smuggling ----

HIDDEN = "GET /_headrace/health HTTP/1.1\r\nHost: localhost\r\n\r\n"
SMUGGLED = {
    "two lengths": "Content-Length: 0\r\nContent-Length: {n}\r\n",
    "two equal lengths": "Content-Length: {n}\r\nContent-Length: {n}\r\n",
    "a list of lengths": "Content-Length: 0, {n}\r\n",
    "a signed length": "Content-Length: +{n}\r\n",
    "a negative length": "Content-Length: -1\r\n",
    "a hex length": "Content-Length: 0x{n}\r\n",
    "a length with a tail": "Content-Length: {n} 0\r\n",
    "a huge length": "Content-Length: 99999999999999999999999\r\n",
    "a length of 2^63": "Content-Length: 9223372036854775808\r\n",
    "a length of 2^64 - 1": "Content-Length: 18446744073709551615\r\n",
    "no name": ": x\r\n",
    "no name and a length": ": x\r\nContent-Length: {n}\r\n",
    "length and chunked": "Content-Length: {n}\r\nTransfer-Encoding: chunked\r\n",
    "chunked and length": "Transfer-Encoding: chunked\r\nContent-Length: {n}\r\n",
    "two encodings": "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
    "a list of encodings": "Transfer-Encoding: identity, chunked\r\n",
    "xchunked": "Transfer-Encoding: xchunked\r\n",
    "chunked quoted": "Transfer-Encoding: \"chunked\"\r\n",
    "blank after": "Transfer-Encoding: chunked \r\n",
    "vertical tab after a length": "Content-Length: {n}\x0b\r\n",
    "vertical tab": "Transfer-Encoding: \x0bchunked\r\n",
    "blank before colon": "Transfer-Encoding : chunked\r\n",
    "blank in name": "Transfer Encoding: chunked\r\n",
    "control in name": "Transfer-Encoding\x00: chunked\r\n",
    "folded length": "Content-Length:\r\n {n}\r\nContent-Length: 0\r\n",
    "folded encoding": "Transfer-Encoding:\r\n chunked\r\nContent-Length: {n}\r\n",
    "folded first": " Content-Length: {n}\r\nContent-Length: 0\r\n",
    "two hosts": "Host: evil.example\r\n",
    "no colon": "Content-Length\r\n",
}


@pytest.mark.parametrize("what", SMUGGLED)
def test_ambiguous_requests_end_the_connection(server, what):
    head = "POST /page/smuggled HTTP/1.1\r\nHost: localhost\r\n" + SMUGGLED[what].format(n=len(HIDDEN))
    answer = raw(server, head + "\r\n" + HIDDEN, LAST)
    # libmicrohttpd 0.9.75 sends the head of an error of its own twice.
    assert set(statuses(answer)) <= {400, 413, 431} and '"status"' not in answer, answer


@pytest.mark.parametrize("line", ["GET /page/k\0z HTTP/1.1", "GET /page/k\0 z HTTP/1.1", "GET /page/k?a\0z HTTP/1.1", "GET /page/\0 HTTP/1.1 HTTP/1.1"])
def test_a_nul_hides_nothing_of_a_target(server, page, line):
    page.put_object(Bucket="page", Key="k", Body=b"x")
    answer = raw(server, line + "\r\nHost: localhost\r\n\r\n", LAST)
    assert statuses(answer)[:1] == [400], answer


def test_heads_in_unusual_forms_are_read(server, page):
    page.put_object(Bucket="page", Key="k", Body=b"x")
    for head in ("GET /page/k?a=b&c HTTP/1.1\nHost: localhost\n\n", "\r\n\r\nGET /page/k HTTP/1.1\r\nHost:localhost\r\n\r\n",
                 "GET /page/k HTTP/1.1\r\nHost: localhost\r\nX-Empty:\r\nX-Blank: \t \r\n\r\n", "GET /page/k HTTP/1.0\r\n\r\n",
                 "GET /page/k HTTP/1.1\r\nHost: localhost\r\n" + "".join(f"X-{n}: {'y' * n}\r\n" for n in range(60)) + "Last:\r\n\r\n"):
        answer = raw(server, head, LAST)
        assert statuses(answer)[:1] == [200], (head, answer)


@pytest.mark.parametrize("chunk", ["-1\r\n", "+5\r\nhello\r\n", "0x5\r\nhello\r\n", "FFFFFFFFFFFFFFFFF\r\nhello", " 5\r\nhello\r\n",
                                   "5 \r\nhello\r\n", "5\r\nhelloX\r\n", "\r\n", "zz\r\n"])
def test_malformed_chunks_end_the_connection(server, page, chunk):
    head = "PUT /page/chunks HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer = raw(server, head + chunk + "0\r\n\r\n" + HIDDEN, LAST)
    assert 200 not in statuses(answer)[1:] and '"status"' not in answer, answer
    if statuses(answer)[:1] == [200]:
        assert page.get_object(Bucket="page", Key="chunks")["Body"].read() == b"hello"


# ---- splitting ----

def test_no_value_ends_its_line_in_an_answer(server, page):
    evil = "a%0d%0aX-Planted:%201%0d%0a%0d%0aHTTP/1.1%20200%20OK"
    for name in ("content-type", "content-language", "expires", "cache-control", "content-disposition", "content-encoding"):
        got = raw(server, f"GET /page/k?response-{name}={evil} HTTP/1.1\r\nHost: localhost\r\n"
                          "Authorization: AWS test:x\r\nConnection: close\r\n\r\n")
        assert len(statuses(got)) <= 1 or "\r\nX-Planted" not in got, got
        assert not re.search(r"(?mi)^x-planted", got.partition("\r\n\r\n")[0]), got
    for target in (f"/{evil}", f"/page/{evil}", f"/page?prefix={evil}", f"/?Action={evil}", f"/_headrace/{evil}"):
        got = raw(server, f"GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert not re.search(r"(?mi)^x-planted", got.partition("\r\n\r\n")[0]), got


def test_metadata_cannot_hold_a_line_end(server, page):
    for value in (b"a\rX-Planted: 1", b"a\nX-Planted: 1", b"a\r\n X-Planted: 1", b"a\x00b"):
        head = b"PUT /page/meta HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nx-amz-meta-a: " + value
        head += b"\r\nCache-Control: " + value + b"\r\nConnection: close\r\n\r\n"
        raw(server, head)
        got = raw(server, "HEAD /page/meta HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert not re.search(r"(?mi)^x-planted", got), got
    page.delete_object(Bucket="page", Key="meta")


def test_redirects_and_cors_headers_cannot_be_split(server, page):
    evil = "http://a.test/&#13;&#10;X-Planted: 1"
    page.create_bucket(Bucket="site")
    site = (f"<WebsiteConfiguration><IndexDocument><Suffix>i</Suffix></IndexDocument><RoutingRules><RoutingRule><Redirect>"
            f"<ReplaceKeyWith>{evil}</ReplaceKeyWith></Redirect></RoutingRule></RoutingRules></WebsiteConfiguration>")
    ask(server, "PUT", "/site?website", body=site.encode())
    cors = (f"<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod>"
            f"<ExposeHeader>{evil}</ExposeHeader></CORSRule></CORSConfiguration>")
    ask(server, "PUT", "/site?cors", body=cors.encode())
    for host, target in (("site.s3-website-us-east-1.amazonaws.com", "/x"), ("localhost", "/site/x")):
        got = raw(server, f"GET {target} HTTP/1.1\r\nHost: {host}\r\nOrigin: http://a.test\r\nConnection: close\r\n\r\n")
        assert not re.search(r"(?mi)^x-planted", got), got
    for name in ("site",):
        page.delete_bucket(Bucket=name)


# ---- secrets ----

SECRET = "s3cr3tAccessKeyThatNobodyMaySee0123456789"
CUSTOMER_KEY = bytes(range(32))


def credentials(tmp_path):
    path = tmp_path / "keys.json"
    path.write_text(json.dumps({"keys": [
        {"accessKeyId": "AKIAOWNER", "secretAccessKey": SECRET, "account": "111111111111"},
        {"accessKeyId": "AKIAOTHER", "secretAccessKey": SECRET + "2", "account": "222222222222"}]}))
    return path


@pytest.fixture(scope="module")
def enforced(tmp_path_factory):
    folder = tmp_path_factory.mktemp("enforced")
    with Server("--no-pipeline", "--auth", "enforce", "--keys", str(credentials(folder)), "--log-level", "debug",
                data_dir=folder / "data") as server:
        server.data = folder / "data"
        yield server


def signed(server, service="s3", key="AKIAOWNER", secret=SECRET):
    return boto3.client(service, endpoint_url=server.endpoint, region_name="us-east-1", aws_access_key_id=key,
                        aws_secret_access_key=secret, config=Config(retries={"max_attempts": 0}, signature_version=None if service != "s3" else "s3v4"))


def other(server, service="s3"):
    return signed(server, service, "AKIAOTHER", SECRET + "2")


@pytest.fixture(scope="module")
def private(enforced):
    s3 = signed(enforced)
    s3.create_bucket(Bucket="private")
    s3.put_object(Bucket="private", Key="k", Body=b"hello")
    s3.put_object(Bucket="private", Key="other", Body=b"other")
    return s3


def test_secrets_are_told_to_nobody(enforced, private):
    customer = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": CUSTOMER_KEY}
    private.put_object(Bucket="private", Key="locked", Body=b"x" * 200_000, **customer)
    private.get_object(Bucket="private", Key="locked", **customer)["Body"].read()
    with pytest.raises(Exception):
        private.get_object(Bucket="private", Key="locked", SSECustomerAlgorithm="AES256", SSECustomerKey=bytes(32))
    url = private.generate_presigned_url("get_object", Params={"Bucket": "private", "Key": "k"})
    signature = re.search(r"X-Amz-Signature=(\w+)", url)[1]
    path = url.split(str(enforced.port), 1)[1]
    assert ask(enforced, "GET", path)[2] == "hello"
    token = "sessionTokenThatNobodyMaySee"
    ask(enforced, "GET", "/private/k", [f"x-amz-security-token: {token}", "Authorization: AWS AKIAOWNER:wrong"])
    wrong = ask(enforced, "GET", path.replace("/k?", "/other?"))[2]
    assert SECRET not in wrong and "SignatureDoesNotMatch" in wrong
    with pytest.raises(Exception):
        boto3.client("s3", endpoint_url=enforced.endpoint, region_name="us-east-1", aws_access_key_id="AKIAOWNER",
                     aws_secret_access_key="wrong").list_buckets()
    key64 = base64.b64encode(CUSTOMER_KEY).decode()
    hidden = {"secret": SECRET, "customer's key": key64, "signature": signature, "token": token}
    places = {"log": enforced.output()}
    for target in ("trace?target=s3://private/k", "trace?target=s3://private/locked", "status", "metrics", "lint", "cost", "faults"):
        places[target] = json.dumps(enforced.json("GET", f"/_headrace/{target}")[1]) if target != "metrics" else ask(
            enforced, "GET", "/_headrace/metrics")[2]
    enforced.json("POST", "/_headrace/snapshots/one")
    for file in enforced.data.rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            places[file.name] = content.decode("latin-1")
            assert CUSTOMER_KEY not in content, file
    for what, text in hidden.items():
        for place, content in places.items():
            assert text not in content, f"{what} is in {place}"


# ---- what a signature may be used for ----

def presigned(client, method="get_object", **parameters):
    return client.generate_presigned_url(method, Params={"Bucket": "private", "Key": "k", **parameters}).split("/private", 1)[1]


def test_presigned_urls_are_not_widened(enforced, private):
    url = "/private" + presigned(private)
    assert ask(enforced, "GET", url)[0] == 200
    for method in ("PUT", "DELETE", "POST", "HEAD"):
        assert ask(enforced, method, url)[0] in (403, 405), method
    private.create_bucket(Bucket="private2")
    for changed in (url.replace("/k?", "/other?"), url.replace("/k?", "/k/?"), url.replace("/private/", "/private2/"),
                    url.replace("/k?", "?"), url + "&versionId=null", url + "&acl", url + "&tagging", url + "&partNumber=1",
                    url + "&response-content-type=text/html", url + "&x-id=GetObject", url + "&X-Amz-Expires=604800",
                    url.replace("X-Amz-Expires=3600", "X-Amz-Expires=604800"), url.replace("us-east-1", "eu-west-1"),
                    re.sub(r"X-Amz-Date=\d{8}", "X-Amz-Date=20991231", url), url.replace("AKIAOWNER", "AKIAOTHER"),
                    url.replace("SignedHeaders=host", "SignedHeaders="), re.sub(r"Signature=\w+", "Signature=", url),
                    re.sub(r"&X-Amz-Signature=\w+", "", url), url.replace("s3%2Faws4", "sqs%2Faws4")):
        status, _, text = ask(enforced, "GET", changed)
        assert status in (400, 403, 404) and text != "hello" and "other" not in text[:5], (changed, status, text[:200])
    for header in ("x-amz-server-side-encryption-customer-algorithm: AES256", "x-amz-acl: public-read", "x-amz-security-token: t",
                   "x-amz-copy-source: /private/other"):
        assert ask(enforced, "GET", url, [header])[0] == 403, header
    host = ask(enforced, "GET", url, host=f"localhost:{enforced.port}")
    assert host[0] == 403
    private.delete_bucket(Bucket="private2")


def test_a_presigned_upload_stays_one(enforced, private):
    url = "/private" + presigned(private, "put_object", Key="up")
    assert ask(enforced, "PUT", url, body=b"x")[0] == 200
    for header in ("x-amz-copy-source: /private/other", "x-amz-acl: public-read", "x-amz-tagging: a=b", "x-amz-meta-a: b",
                   "x-amz-grant-read: uri=http://acs.amazonaws.com/groups/global/AllUsers"):
        assert ask(enforced, "PUT", url, [header], b"y")[0] == 403, header
    assert ask(enforced, "PUT", url + "&acl", ["x-amz-acl: public-read"])[0] == 403
    assert private.get_object(Bucket="private", Key="up")["Body"].read() == b"x"


def test_two_signatures_and_a_signature_of_another_service_are_refused(enforced, private):
    url = "/private" + presigned(private)
    assert ask(enforced, "GET", url, ["Authorization: AWS AKIAOWNER:x"])[0] == 400
    queue = signed(enforced, "sqs").create_queue(QueueName="q")["QueueUrl"]
    path = "/" + queue.split("/", 3)[3]
    assert ask(enforced, "GET", url.replace("/private/k", path) + "&Action=ReceiveMessage")[0] in (400, 403)


def test_nobody_gets_in_under_enforce(enforced, private):
    url = signed(enforced, "sqs").create_queue(QueueName="q")["QueueUrl"]
    path = "/" + url.split("/", 3)[3]
    for method, target in (("GET", "/"), ("GET", "/private"), ("GET", "/private/k"), ("HEAD", "/private/k"), ("PUT", "/private/k"),
                           ("DELETE", "/private/k"), ("PUT", "/new"), ("DELETE", "/private"), ("GET", "/private?policy"),
                           ("POST", "/private?delete"), ("GET", "/private?uploads"), ("PUT", "/private?acl"),
                           ("GET", f"{path}?Action=ReceiveMessage"), ("GET", "/?Action=ListQueues"),
                           ("GET", f"/?Action=DeleteQueue&QueueUrl={url}"), ("GET", "/?Action=GetCallerIdentity&Version=2011-06-15")):
        status = ask(enforced, method, target)[0]
        assert status in (400, 403), (method, target, status)
    for name in ("SendMessage", "ReceiveMessage", "ListQueues", "DeleteQueue", "CreateQueue"):
        body = json.dumps({"QueueUrl": url, "QueueName": "z", "MessageBody": "x"}).encode()
        status = ask(enforced, "POST", "/", [f"X-Amz-Target: AmazonSQS.{name}", "Content-Type: application/x-amz-json-1.0"], body)[0]
        assert status in (400, 403), name
    assert private.get_object(Bucket="private", Key="k")["Body"].read() == b"hello"


def test_another_account_gets_in_nowhere(enforced, private):
    theirs = other(enforced)
    assert theirs.list_buckets()["Buckets"] == []
    for call, arguments in (("get_object", {"Key": "k"}), ("put_object", {"Key": "k", "Body": b"x"}), ("delete_object", {"Key": "k"}),
                            ("list_objects_v2", {}), ("delete_bucket", {}), ("get_bucket_acl", {}), ("list_object_versions", {}),
                            ("create_multipart_upload", {"Key": "k"}), ("get_bucket_cors", {}), ("put_object_tagging", {
                                "Key": "k", "Tagging": {"TagSet": []}})):
        with Refused("AccessDenied", 403):
            getattr(theirs, call)(Bucket="private", **arguments)
    theirs.create_bucket(Bucket="theirs")
    with Refused("AccessDenied", 403):
        theirs.copy_object(Bucket="theirs", Key="stolen", CopySource="private/k")
    url = signed(enforced, "sqs").create_queue(QueueName="q")["QueueUrl"]
    sqs = other(enforced, "sqs")
    assert "QueueUrls" not in sqs.list_queues()
    for call, arguments in (("send_message", {"MessageBody": "x"}), ("receive_message", {}), ("purge_queue", {}),
                            ("delete_queue", {}), ("get_queue_attributes", {"AttributeNames": ["All"]})):
        with pytest.raises(Exception, match="(?i)denied|NonExistentQueue|does not exist"):
            getattr(sqs, call)(QueueUrl=url, **arguments)
    theirs.delete_bucket(Bucket="theirs")


# ---- requests that others would like us to make ----

def test_no_url_of_a_request_is_ever_called(server, page):
    """A listener stands where every URL of a request points; nobody may come."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.3)
        trap = f"127.0.0.1:{listener.getsockname()[1]}"
        bait = f"http://{trap}/x"
        with contextlib.suppress(Exception):
            page.put_bucket_notification_configuration(Bucket="page", NotificationConfiguration={
                "TopicConfigurations": [{"TopicArn": f"arn:aws:sns:us-east-1:000000000000:{trap}", "Events": ["s3:ObjectCreated:*"]}]})
        ask(server, "PUT", "/page/ssrf", [f"x-amz-website-redirect-location: {bait}", f"Referer: {bait}", f"X-Forwarded-Host: {trap}"])
        ask(server, "PUT", "/page/ssrf2", [f"x-amz-copy-source: {bait}"])
        for target in (f"/?Action=SendMessage&QueueUrl={bait}&MessageBody=x", f"/page/k?response-content-type={bait}"):
            ask(server, "GET", target)
        ask(server, "GET", bait)
        document = f'<!DOCTYPE x SYSTEM "{bait}"><Tagging><TagSet/></Tagging>'
        ask(server, "PUT", "/page?tagging", body=document.encode())
        ask(server, "POST", "/", ["X-Amz-Target: AmazonSQS.SendMessage", "Content-Type: application/x-amz-json-1.0"],
            json.dumps({"QueueUrl": bait, "MessageBody": "x"}).encode())
        ask(server, "POST", "/_headrace/faults", body=json.dumps({"effect": "error", "code": bait, "status": 500, "match": bait}).encode())
        with pytest.raises(TimeoutError):
            listener.accept()
    ask(server, "DELETE", "/_headrace/faults")


def test_answers_come_while_hostile_clients_hold_connections(server):
    """Half requests and silent connections keep nobody out."""
    held = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(200)]
    for connection in held:
        connection.sendall(b"PUT /page/slow HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\nx")
    assert ask(server, "GET", "/_headrace/health")[0] == 200
    for connection in held:
        connection.close()


def test_a_body_that_was_announced_and_never_sent_is_not_counted(server):
    """Two such lengths would overflow the count."""
    for _ in range(2):
        raw(server, "PUT /page/huge HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 9223372036854775807\r\n\r\n")
    counts = re.findall(r"^headrace_request_bytes_total\S* (\S+)$", ask(server, "GET", "/_headrace/metrics")[2], re.M)
    assert counts and all(0 <= float(count) < 2 ** 40 for count in counts)
