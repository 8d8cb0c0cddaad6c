"""What every SDK test gets: a running Headrace, an account of its own, and boto3 clients for it.

HEADRACE_BIN names the binary (default build/headrace). One server serves a whole run; each test has its own 12-digit
account, so tests share nothing and clean up nothing. The same files run with the newest boto3 (SQS as JSON) and with one
older than 1.31.81 (SQS as Query): a test that needs a newer SDK says so with `newer_than`."""
import itertools
import os
import pathlib
import sys

import boto3
import botocore
import botocore.config
import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from harness import Server  # noqa: E402

accounts = itertools.count(100000000001)
VERSION = tuple(int(part) for part in botocore.__version__.split(".")[:3])
SQS_IS_JSON = VERSION >= (1, 31, 81)


def newer_than(*version):
    return pytest.mark.skipif(VERSION <= version, reason=f"botocore {botocore.__version__} lacks it")


def pytest_report_header():
    return f"botocore {botocore.__version__}: SQS speaks {'JSON' if SQS_IS_JSON else 'Query'}"


@pytest.fixture(scope="session")
def shared_server():
    with Server("--no-pipeline") as server:
        yield server


@pytest.fixture(scope="session")
def pipeline_server():
    with Server("--workers", "2") as server:
        yield server


@pytest.fixture
def account():
    return str(next(accounts))


class Clients:
    """boto3 clients of one account on one server: clients.s3, clients.sqs, clients.sts."""

    def __init__(self, endpoint, account, region="us-east-1", **config):
        self.endpoint, self.account, self.region = endpoint, account, region
        self.session = boto3.session.Session(aws_access_key_id=account, aws_secret_access_key="test",
                                             region_name=region)
        self.config = config

    def client(self, service, **config):
        settings = {"retries": {"max_attempts": 0}, **self.config, **config}
        return self.session.client(service, endpoint_url=self.endpoint,
                                   config=botocore.config.Config(**settings))

    def __getattr__(self, service):
        if service.startswith("_"):
            raise AttributeError(service)
        made = self.client(service)
        setattr(self, service, made)
        return made


@pytest.fixture
def aws(shared_server, account):
    return Clients(shared_server.endpoint, account)


@pytest.fixture
def pipeline(pipeline_server):
    return Clients(pipeline_server.endpoint, "test")


@pytest.fixture
def bucket(aws):
    name = f"bucket-{aws.account}"
    aws.s3.create_bucket(Bucket=name)
    return name


@pytest.fixture
def queue(aws):
    return aws.sqs.create_queue(QueueName="queue")["QueueUrl"]


class Refused:
    """with refused("NoSuchKey", 404) as answer: ...   The call must fail with this code and status."""

    def __init__(self, code, status):
        self.code, self.status = code, status

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        assert error is not None, f"was not refused; wanted {self.code}"
        if not isinstance(error, botocore.exceptions.ClientError):
            return False
        self.response = error.response
        self.message = error.response["Error"].get("Message")
        got = (error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"])
        assert got == (self.code, self.status), f"refused with {got}: {self.message}"
        return True


@pytest.fixture
def refused():
    return Refused


@pytest.fixture
def environment(aws):
    """What a command line tool needs in its environment."""
    return {**{k: v for k, v in os.environ.items() if not k.startswith("AWS_")},
            "AWS_ENDPOINT_URL": aws.endpoint, "AWS_ACCESS_KEY_ID": aws.account, "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": aws.region, "AWS_DEFAULT_REGION": aws.region, "AWS_PAGER": "",
            "AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null"}
