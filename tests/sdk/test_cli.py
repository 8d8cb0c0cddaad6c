"""The aws command line tool doing its everyday work. AWS_CLI names the tool (default: aws on the PATH)."""
import filecmp
import json
import os
import shutil
import subprocess

import pytest

AWS_CLI = os.environ.get("AWS_CLI") or shutil.which("aws")
pytestmark = pytest.mark.skipif(not AWS_CLI, reason="no aws command")
NO_SUCH = (254, 255)  # how aws-cli of different ages say that the service refused; the s3 commands say 1
SMALL_FILES = int(os.environ.get("HEADRACE_SMALL_FILES", "300"))


@pytest.fixture
def cli(environment):
    def run(*arguments, code=0, text=None):
        # aws-cli 1 overrides the variable for SQS (its rule for old certificates), so the flag it is.
        command = [AWS_CLI, "--endpoint-url", environment["AWS_ENDPOINT_URL"], *arguments]
        done = subprocess.run(command, env=environment, input=text, capture_output=True, text=True)
        assert done.returncode in (code if isinstance(code, tuple) else (code,)), f"{arguments}: {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        return done.stdout if code == 0 else done.stderr
    return run


def query(cli, *arguments):
    out = cli(*arguments, "--output", "json")
    return json.loads(out) if out.strip() else {}


def test_mb_cp_ls_mv_rm_rb(cli, tmp_path, account):
    bucket = f"s3://cli-{account}"
    (tmp_path / "a.txt").write_text("hello\n")
    cli("s3", "mb", bucket)
    cli("s3", "cp", str(tmp_path / "a.txt"), f"{bucket}/dir/a b.txt")
    assert "a b.txt" in cli("s3", "ls", f"{bucket}/dir/")
    assert "PRE dir/" in cli("s3", "ls", bucket)
    assert cli("s3", "cp", f"{bucket}/dir/a b.txt", "-") == "hello\n"
    cli("s3", "mv", f"{bucket}/dir/a b.txt", f"{bucket}/moved.txt")
    assert "moved.txt" in cli("s3", "ls", bucket) and "dir/" not in cli("s3", "ls", bucket)
    assert "BucketNotEmpty" in cli("s3", "rb", bucket, code=1)
    cli("s3", "rm", f"{bucket}/moved.txt")
    cli("s3", "rb", bucket)
    assert f"cli-{account}" not in cli("s3", "ls")


def test_a_file_of_100_mb_goes_up_and_down(cli, tmp_path, account):
    bucket = f"s3://cli-{account}"
    with open(tmp_path / "big", "wb") as file:
        for _ in range(100):
            file.write(os.urandom(1 << 20))
    cli("s3", "mb", bucket)
    cli("s3", "cp", "--quiet", str(tmp_path / "big"), f"{bucket}/big")
    cli("s3", "cp", "--quiet", f"{bucket}/big", f"{bucket}/copy")
    cli("s3", "cp", "--quiet", f"{bucket}/copy", str(tmp_path / "back"))
    assert filecmp.cmp(tmp_path / "big", tmp_path / "back", shallow=False)


def test_sync_of_many_small_files_both_ways(cli, tmp_path, account):
    source, back = tmp_path / "source", tmp_path / "back"
    for i in range(SMALL_FILES):
        path = source / f"d{i % 7}" / f"f{i}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"file {i}\n" * (i % 5))
        # S3 tells whole seconds: a file made in the second of its upload looks newer than its object.
        os.utime(path, (1767225600, 1767225600))
    bucket = f"s3://cli-{account}"
    cli("s3", "mb", bucket)
    cli("s3", "sync", "--quiet", str(source), f"{bucket}/tree")
    assert cli("s3", "sync", str(source), f"{bucket}/tree") == ""
    cli("s3", "sync", "--quiet", f"{bucket}/tree", str(back))
    comparison = filecmp.dircmp(source, back)
    assert not (comparison.left_only or comparison.right_only or comparison.diff_files)
    assert sum(len(files) for _, _, files in os.walk(back)) == SMALL_FILES
    cli("s3", "rm", "--quiet", "--recursive", f"{bucket}/tree")
    assert cli("s3", "ls", bucket) == ""


def test_presign_prints_a_url_that_works(cli, tmp_path, account):
    import urllib.request
    cli("s3", "mb", f"s3://cli-{account}")
    (tmp_path / "f").write_text("signed")
    cli("s3", "cp", str(tmp_path / "f"), f"s3://cli-{account}/f")
    with urllib.request.urlopen(cli("s3", "presign", f"s3://cli-{account}/f").strip()) as answer:
        assert answer.read() == b"signed"


def test_a_queue_from_the_shell(cli, account):
    url = query(cli, "sqs", "create-queue", "--queue-name", "shell", "--attributes", "VisibilityTimeout=60")["QueueUrl"]
    sent = query(cli, "sqs", "send-message", "--queue-url", url, "--message-body", "from the shell",
                 "--message-attributes", '{"traceId":{"DataType":"String","StringValue":"t1"}}')
    got = query(cli, "sqs", "receive-message", "--queue-url", url, "--message-attribute-names", "All")
    (message,) = got["Messages"]
    assert message["MessageId"] == sent["MessageId"] and message["Body"] == "from the shell"
    cli("sqs", "delete-message", "--queue-url", url, "--receipt-handle", message["ReceiptHandle"])
    assert query(cli, "sqs", "get-queue-attributes", "--queue-url", url, "--attribute-names",
                 "ApproximateNumberOfMessages")["Attributes"] == {"ApproximateNumberOfMessages": "0"}
    assert "NonExistentQueue" in cli("sqs", "get-queue-url", "--queue-name", "nope", code=NO_SUCH)
    cli("sqs", "delete-queue", "--queue-url", url)


def test_who_am_i(cli, account):
    assert query(cli, "sts", "get-caller-identity")["Account"] == account


def test_the_labs_set_up_commands(cli, account):
    bucket = f"cli-{account}"
    cli("s3api", "create-bucket", "--bucket", bucket)
    cli("s3api", "put-public-access-block", "--bucket", bucket, "--public-access-block-configuration",
        "BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true")
    dlq = query(cli, "sqs", "create-queue", "--queue-name", "dlq")["QueueUrl"]
    arn = query(cli, "sqs", "get-queue-attributes", "--queue-url", dlq, "--attribute-names", "QueueArn")["Attributes"]["QueueArn"]
    redrive = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": "4"})
    jobs = query(cli, "sqs", "create-queue", "--queue-name", "jobs", "--attributes",
                 json.dumps({"VisibilityTimeout": "60", "ReceiveMessageWaitTimeSeconds": "20", "RedrivePolicy": redrive}))
    arn = query(cli, "sqs", "get-queue-attributes", "--queue-url", jobs["QueueUrl"], "--attribute-names",
                "QueueArn")["Attributes"]["QueueArn"]
    cli("s3api", "put-bucket-notification-configuration", "--bucket", bucket, "--notification-configuration",
        json.dumps({"QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]}))
    got = query(cli, "s3api", "get-bucket-notification-configuration", "--bucket", bucket)
    assert got["QueueConfigurations"][0]["QueueArn"] == arn
