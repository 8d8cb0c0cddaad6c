"""What every test of a whole client gets: a running Headrace, and the client's environment pointed at it.

One server without signatures and one that enforces them serve a whole run; each test has an account of its own. A place is how
a client reaches its server: path style without signatures, path style with signatures that are checked, and the addresses of
AWS itself (http://BUCKET.s3.us-east-1.amazonaws.com), with the server as the client's HTTP proxy and policies enforced."""
import itertools
import os
import pathlib
import shutil
import subprocess
import sys

import boto3
import pytest
from botocore.config import Config

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from harness import Server  # noqa: E402

accounts = itertools.count(200000000001)
AMAZON = "http://s3.us-east-1.amazonaws.com"
REGION = "us-east-1"
# What people call their files.
NAMES = ["plain.txt", "a b.txt", "plus+sign.txt", "\u00fcn\u00ef.txt", "percent%20.txt", "hash#and?mark.txt", "amp&eq=1.txt", "quote'\".txt",
         "tilde~.txt", "star*.txt", "semi;colon:at@.txt", "(round)[square]{curly}.txt", "\u65e5\u672c/\U0001f600.txt", "a,b$c!d.txt",
         "dir/sub dir/.hidden", "less<more>.txt"]


@pytest.fixture(scope="session")
def servers():
    made = {}

    def server(auth):
        if auth not in made:
            made[auth] = Server("--no-pipeline", "--auth", auth).start()
        return made[auth]

    yield server
    for one in made.values():
        one.stop()


class Place:
    """Where a client finds its server, and as whom."""

    def __init__(self, server, auth, style):
        self.auth = auth
        self.server, self.style, self.account, self.secret = server, style, str(next(accounts)), "test"
        self.proxy = server.endpoint if style == "virtual" else None
        self.endpoint = AMAZON if self.proxy else server.endpoint
        self.bucket = f"{style}-{self.account}"

    def environment(self, **more):
        """The environment of a tool: no settings of the user, the keys as AWS's tools want them."""
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "HEADRACE_", "RCLONE_")) and not k.lower().endswith("_proxy")}
        proxy = {"http_proxy": self.proxy, "HTTP_PROXY": self.proxy} if self.proxy else {}
        return {**clean, **proxy, "AWS_ACCESS_KEY_ID": self.account, "AWS_SECRET_ACCESS_KEY": self.secret, "AWS_REGION": REGION,
                "AWS_DEFAULT_REGION": REGION, "AWS_PAGER": "", "AWS_EC2_METADATA_DISABLED": "true", "LC_ALL": "C.UTF-8",
                "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", **more}

    def client(self, service="s3", **config):
        config.setdefault("retries", {"max_attempts": 0})
        if service == "s3":
            config.setdefault("s3", {"addressing_style": self.style})
        if self.proxy:
            config["proxies"] = {"http": self.proxy}
        return self.session().client(service, endpoint_url=self.endpoint, config=Config(**config))

    def session(self):
        return boto3.session.Session(aws_access_key_id=self.account, aws_secret_access_key=self.secret, region_name=REGION)


@pytest.fixture(params=["off-path", "verify-path", "enforce-virtual"])
def place(request, servers):
    auth, style = request.param.split("-")
    return Place(servers(auth), auth, style)


@pytest.fixture
def s3(place):
    return place.client()


@pytest.fixture
def bucket(place, s3):
    s3.create_bucket(Bucket=place.bucket)
    return place.bucket


def need(program):
    path = shutil.which(program, path="/usr/bin:/bin:/usr/local/bin")
    assert path, f"{program} is not installed: run tests/run.sh clients"
    return path


def run(command, env, code=0, text=None, cwd=None):
    """Output of a command that must end with `code` (its errors, when that is not 0)."""
    done = subprocess.run([str(part) for part in command], env=env, input=text, capture_output=True, cwd=cwd, timeout=300)
    out, err = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
    assert done.returncode in (code if isinstance(code, tuple) else (code,)), \
        f"{command[1:]}: {done.returncode}\n{out[-3000:]}\n{err[-3000:]}"
    return out if done.returncode == 0 else out + err


@pytest.fixture
def tree(tmp_path):
    """A folder of files with all the names; older than any upload, since S3 tells whole seconds."""
    root = tmp_path / "tree"
    for at, name in enumerate(NAMES):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(f"{name}\n".encode() * at)
        os.utime(path, (1767225600 + at, 1767225600 + at))
    return root


@pytest.fixture
def big(tmp_path):
    """A file of several parts."""
    path = tmp_path / "big.bin"
    path.write_bytes(os.urandom(1 << 20) * 17 + b"tail")
    return path


def files_of(root):
    """Name to content, of everything below a folder."""
    return {str(path.relative_to(root)): path.read_bytes() for path in pathlib.Path(root).rglob("*") if path.is_file()}
