"""`headrace worker` and `headrace ingest` as processes of their own: against a Headrace over HTTP, with its own workers switched off."""
import http.server
import json
import os
import random
import signal
import subprocess
import threading
import time

import pytest
from conftest import SQS_IS_JSON, Clients
from harness import BINARY, Server, pause

pytestmark = pytest.mark.skipif(not SQS_IS_JSON, reason="the SDK plays no part here: once is enough")
SAMPLE = b"hello world\nthis is a test\nline three\n"
COUNTS = {"bytes": 38, "lines": 4, "words": 8}
LIMIT = 60


class Bench:
    """A server without workers, buckets and queues of one's own on it, and a way to run our processes there."""

    def __init__(self, server, name):
        self.server, self.aws = server, Clients(server.endpoint, "test")
        self.name = name
        self.source, self.output = f"{name}-in", f"{name}-out"
        self.aws.s3.create_bucket(Bucket=self.source)
        self.aws.s3.create_bucket(Bucket=self.output)
        self.dead = self.queue("dead")
        self.jobs = self.queue("jobs", VisibilityTimeout="3", RedrivePolicy=json.dumps(
            {"deadLetterTargetArn": self.arn(self.dead), "maxReceiveCount": "20"}))
        self.events, self.results = self.queue("events"), self.queue("results")

    def queue(self, name, **attributes):
        return self.aws.sqs.create_queue(QueueName=f"{self.name}-{name}", Attributes=attributes)["QueueUrl"]

    def arn(self, url):
        return self.aws.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]

    def notify(self):
        self.aws.s3.put_bucket_notification_configuration(Bucket=self.source, NotificationConfiguration={
            "QueueConfigurations": [{"QueueArn": self.arn(self.events), "Events": ["s3:ObjectCreated:*"]}]})

    def job(self, name, **changed):
        body = {"jobId": name, "bucket": self.source, "key": f"incoming/{name}.txt", "outputBucket": self.output,
                "outputKey": f"processed/{name}.txt.report.json", "traceId": f"t-{name}", **changed}
        self.aws.sqs.send_message(QueueUrl=self.jobs, MessageBody=json.dumps(body))

    def upload(self, name, body=SAMPLE):
        self.aws.s3.put_object(Bucket=self.source, Key=f"incoming/{name}.txt", Body=body)

    def report(self, name):
        answer = self.aws.s3.get_object(Bucket=self.output, Key=f"processed/{name}.txt.report.json")
        return json.loads(answer["Body"].read())

    def messages(self, url):
        found = []
        while got := self.aws.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            found += [json.loads(m["Body"]) for m in got]
        return found

    def counts(self, url):
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        got = self.aws.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return tuple(int(got[name]) for name in names)

    def environment(self, **more):
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "HEADRACE_"))}
        return {**clean, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1",
                "AWS_EC2_METADATA_DISABLED": "true", "AWS_ENDPOINT_URL": self.server.endpoint, **more}

    def start(self, command, *flags, **environment):
        own = {"worker": ["--jobs-queue-url", self.jobs, "--results-queue-url", self.results],
               "ingest": ["--events-queue-url", self.events, "--jobs-queue-url", self.jobs, "--output-bucket", self.output]}
        return subprocess.Popen([BINARY, command, *own[command], *flags], env=self.environment(**environment), text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def run(self, command, *flags, **environment):
        process = self.start(command, *flags, **environment)
        out, err = process.communicate(timeout=LIMIT)
        lines = [json.loads(line) for line in out.splitlines()]
        return process.returncode, lines, err


@pytest.fixture(scope="module")
def idle_server():
    with Server("--no-pipeline") as server:
        yield server


@pytest.fixture
def bench(idle_server, account):
    return Bench(idle_server, f"b{account}")


def actions(lines):
    return [line["action"] for line in lines]


def test_drain_does_all_jobs_and_ends_with_zero(bench):
    for i in range(25):
        bench.upload(f"f{i}")
        bench.job(f"f{i}")
    code, lines, err = bench.run("worker", "--drain")
    assert code == 0, err
    assert actions(lines) == ["PROCESSED"] * 25
    assert bench.report("f7")["report"] == COUNTS
    assert sorted(m["jobId"] for m in bench.messages(bench.results)) == sorted(f"f{i}" for i in range(25))
    assert bench.counts(bench.jobs) == (0, 0)


def test_once_does_one(bench):
    for name in ("one", "two"):
        bench.upload(name)
        bench.job(name)
    code, lines, err = bench.run("worker", "--once")
    assert (code, actions(lines)) == (0, ["PROCESSED"]), err
    assert bench.counts(bench.jobs) == (1, 0)


def test_a_failure_ends_a_batch_run_with_three_and_may_give_the_message_back(bench):
    bench.job("nowhere")
    code, lines, err = bench.run("worker", "--once", "--release-on-failure")
    assert (code, actions(lines)) == (3, ["FAILED"]), err
    assert "NoSuchKey" in lines[0]["error"]
    assert bench.counts(bench.jobs) == (1, 0)


def test_a_duplicate_is_skipped_and_poison_deleted(bench):
    bench.upload("twice")
    bench.job("twice")
    bench.job("twice")
    bench.aws.sqs.send_message(QueueUrl=bench.jobs, MessageBody="{poison")
    code, lines, err = bench.run("worker", "--drain", "--concurrency", "1")
    assert code == 0, err
    assert sorted(actions(lines)) == ["POISON_MESSAGE", "PROCESSED", "SKIP_DUPLICATE"]
    assert len(bench.messages(bench.results)) == 1
    assert bench.counts(bench.jobs) == (0, 0)


def test_ingest_and_worker_as_two_processes(bench):
    bench.notify()
    bench.upload("red flower+é")
    bench.aws.s3.put_object(Bucket=bench.source, Key="incoming/test.bin", Body=b"x")
    code, lines, err = bench.run("ingest", "--drain")
    assert (code, sorted(actions(lines))) == (0, ["ENQUEUED", "SKIPPED"]), err
    code, lines, err = bench.run("worker", "--drain")
    assert (code, actions(lines)) == (0, ["PROCESSED"]), err
    assert bench.report("red flower+é")["report"] == COUNTS


def test_a_worker_may_take_s3_events_themselves(bench):
    bench.notify()
    bench.upload("direct")
    bench.jobs = bench.events
    code, lines, err = bench.run("worker", "--drain", "--input", "s3-events", "--output-bucket", bench.output)
    assert (code, actions(lines)) == (0, ["PROCESSED"]), err
    assert bench.report("direct")["report"] == COUNTS
    assert bench.counts(bench.events) == (0, 0)


@pytest.mark.parametrize("command, flags", [("ingest", ()), ("worker", ("--input", "s3-events"))])
def test_a_pipeline_that_would_feed_itself_is_not_run(bench, command, flags):
    bench.notify()
    bench.messages(bench.events)  # the test event
    bench.upload("round")
    bench.jobs = bench.events if command == "worker" else bench.jobs
    own = (*flags, "--once", "--output-bucket", bench.source, "--output-prefix", "incoming/")
    code, lines, err = bench.run(command, *own)  # reports end in .json: the suffix keeps them from being jobs
    assert code == 0 and actions(lines) == ["ENQUEUED" if command == "ingest" else "PROCESSED"], (lines, err)
    bench.messages(bench.events)
    bench.upload("again")
    code, lines, err = bench.run(command, *own, "--suffix", "")
    assert code == 3 and "reports would be jobs again" in lines[0]["error"], (code, lines, err)
    assert bench.counts(bench.events)[1] > 0, "the event was lost"


def test_a_queue_in_two_roles_is_refused(bench):
    for command, one, other in (("worker", "jobs", "results"), ("ingest", "events", "jobs")):
        flags = [f"--{one}-queue-url", bench.jobs, f"--{other}-queue-url", bench.jobs]
        done = subprocess.run([BINARY, command, *flags, "--output-bucket", "b"], env=bench.environment(), text=True, capture_output=True)
        assert done.returncode == 2 and "are one queue" in done.stderr and done.stderr.count("\n") == 1, done


def test_sigterm_ends_a_waiting_worker_at_once(bench):
    process = bench.start("worker", "--metrics-port", "0")
    for line in process.stderr:
        if "metrics on" in line:
            break
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=LIMIT)
    assert process.returncode == 0 and time.monotonic() - began < 10


def test_wrong_usage_is_one_line_and_two(bench):
    done = subprocess.run([BINARY, "worker", "--concurrency", "none"], env=bench.environment(), text=True, capture_output=True)
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1 and "--concurrency" in done.stderr
    done = subprocess.run([BINARY, "ingest"], env=bench.environment(), text=True, capture_output=True)
    assert done.returncode == 2 and "is missing" in done.stderr


def test_workers_killed_at_random_lose_nothing(bench):
    total = 300
    for i in range(total):
        bench.upload(f"k{i}")
        bench.job(f"k{i}")
    chance = random.Random(4)
    flags = ["--visibility-timeout", "2", "--concurrency", "4"]
    workers = [bench.start("worker", *flags) for _ in range(3)]
    for _ in range(15):
        pause(chance.uniform(0.01, 0.1))
        victim = chance.randrange(3)
        workers[victim].kill()
        workers[victim].communicate()
        workers[victim] = bench.start("worker", *flags)
    deadline = time.monotonic() + LIMIT
    while bench.counts(bench.jobs) != (0, 0):
        assert time.monotonic() < deadline, bench.counts(bench.jobs)
        pause(0.05)
    for worker in workers:
        worker.send_signal(signal.SIGTERM)
        worker.communicate(timeout=LIMIT)
    listed = bench.aws.s3.list_objects_v2(Bucket=bench.output)["KeyCount"]
    assert listed == total
    assert {m["jobId"] for m in bench.messages(bench.results)} == {f"k{i}" for i in range(total)}
    assert bench.counts(bench.dead) == (0, 0)


# --- credentials, each source in turn: only the right key passes a server that verifies --------------------------------------

KEYS = {f"AKID{name.upper()}": f"secret-of-{name}" for name in ("env", "profile", "container", "instance", "role")}


def document(name, seconds=3600):
    end = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))
    return {"Code": "Success", "AccessKeyId": f"AKID{name.upper()}", "SecretAccessKey": f"secret-of-{name}", "Token": "t", "Expiration": end}


class Stand(http.server.BaseHTTPRequestHandler):
    """Container endpoint, instance metadata and STS in one; it writes down what it was asked."""

    def reply(self, status, body):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.server.asked.append(f"{self.command} {self.path}")
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_PUT(self):
        good = self.path == "/latest/api/token" and self.headers["X-aws-ec2-metadata-token-ttl-seconds"]
        self.reply(200 if good else 404, b"session")

    def do_GET(self):
        if self.path == "/container":
            return self.reply(200 if self.headers["Authorization"] == "Bearer x" else 401, document("container"))
        if self.headers["X-aws-ec2-metadata-token"] != "session":
            return self.reply(401, b"")
        roles = "/latest/meta-data/iam/security-credentials/"
        self.reply(200, b"my-role" if self.path == roles else document("instance"))

    def do_POST(self):
        form = self.rfile.read(int(self.headers["Content-Length"])).decode()
        action = form.split("Action=")[1].split("&")[0]
        self.server.asked.append(action + ("" if "WebIdentityToken=the-token" in form else " signed " + self.headers["Authorization"]))
        keys = document("role")
        self.reply(200, f"<{action}Response><{action}Result><Credentials><AccessKeyId>{keys['AccessKeyId']}</AccessKeyId>"
                        f"<SecretAccessKey>{keys['SecretAccessKey']}</SecretAccessKey><SessionToken>t</SessionToken>"
                        f"<Expiration>{keys['Expiration']}</Expiration></Credentials></{action}Result></{action}Response>".encode())

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def stand():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Stand)
    server.asked = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    path = tmp_path_factory.mktemp("keys") / "keys.json"
    keys = [{"accessKeyId": k, "secretAccessKey": v, "account": "000000000000"} for k, v in KEYS.items()]
    path.write_text(json.dumps({"keys": keys}))
    with Server("--no-pipeline", "--auth", "verify", "--keys", str(path)) as server:
        yield server


def sources(stand, home):
    at = f"http://127.0.0.1:{stand.server_address[1]}"
    token = home / "token"
    token.write_text("the-token\n")
    (home / ".aws").mkdir(exist_ok=True)
    (home / ".aws/credentials").write_text("[lab]\naws_access_key_id = AKIDPROFILE\naws_secret_access_key = secret-of-profile\n")
    (home / ".aws/config").write_text("[profile lab]\nregion = us-east-1\n[profile chained]\n"
                                      "role_arn = arn:aws:iam::000000000000:role/x\nsource_profile = lab\n")
    return {
        "environment": {"AWS_ACCESS_KEY_ID": "AKIDENV", "AWS_SECRET_ACCESS_KEY": "secret-of-env"},
        "profile": {"AWS_PROFILE": "lab"},
        "role of a profile": {"AWS_PROFILE": "chained", "AWS_ENDPOINT_URL_STS": at},
        "web identity": {"AWS_WEB_IDENTITY_TOKEN_FILE": str(token), "AWS_ROLE_ARN": "arn:aws:iam::000000000000:role/x", "AWS_ENDPOINT_URL_STS": at},
        "container": {"AWS_CONTAINER_CREDENTIALS_FULL_URI": at + "/container", "AWS_CONTAINER_AUTHORIZATION_TOKEN": "Bearer x"},
        "instance": {"AWS_EC2_METADATA_SERVICE_ENDPOINT": at, "AWS_EC2_METADATA_DISABLED": "false"},
    }


@pytest.mark.parametrize("source", ["environment", "profile", "role of a profile", "web identity", "container", "instance"])
def test_credentials_come_from(source, stand, guarded, account, tmp_path):
    bench = Bench(guarded, f"c{account}")
    bench.upload("x")
    bench.job("x")
    environment = {k: v for k, v in bench.environment().items() if k not in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
    environment.update(HOME=str(tmp_path), **sources(stand, tmp_path)[source])
    done = subprocess.run([BINARY, "worker", "--jobs-queue-url", bench.jobs, "--results-queue-url", bench.results, "--once"],
                          env=environment, text=True, capture_output=True, timeout=LIMIT)
    assert done.returncode == 0 and '"PROCESSED"' in done.stdout, done.stdout + done.stderr


def test_without_any_credentials_it_says_so_and_ends_with_one(bench, tmp_path):
    environment = {k: v for k, v in bench.environment(HOME=str(tmp_path)).items() if k not in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
    done = subprocess.run([BINARY, "worker", "--jobs-queue-url", bench.jobs, "--results-queue-url", bench.results],
                          env=environment, text=True, capture_output=True, timeout=LIMIT)
    assert done.returncode == 1 and "no credentials" in done.stdout


def test_all_that_wait_for_credentials_are_told_that_there_are_none(bench, tmp_path):
    environment = {k: v for k, v in bench.environment(HOME=str(tmp_path)).items() if k not in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
    environment.update(AWS_EC2_METADATA_DISABLED="false", AWS_EC2_METADATA_SERVICE_ENDPOINT="http://127.0.0.1:1")
    done = subprocess.run([BINARY, "worker", "--jobs-queue-url", bench.jobs, "--results-queue-url", bench.results,
                           "--concurrency", "40"],  # so many that several receives are open at once
                          env=environment, text=True, capture_output=True, timeout=LIMIT)
    assert done.returncode == 1 and "no credentials" in done.stdout, done.stderr


def test_a_message_of_thousands_of_records_that_are_skipped(bench):
    record = {"s3": {"bucket": {"name": "b"}, "object": {"key": "x"}}}
    body = json.dumps({"Records": [record] * 19_000}, separators=(",", ":"))
    bench.aws.sqs.send_message(QueueUrl=bench.jobs, MessageBody=body)
    done = subprocess.run([BINARY, "worker", "--jobs-queue-url", bench.jobs, "--results-queue-url", bench.results,
                           "--input", "s3-events", "--output-bucket", "out", "--once"],
                          env=bench.environment(), text=True, capture_output=True, timeout=LIMIT)
    assert done.returncode == 0, (done.returncode, done.stderr[-500:])
    assert done.stdout.count("SKIPPED") == 19_000


# --- what a service may do to a client: a front that answers some requests itself and passes the rest on -----------------------

class Front(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def pass_on(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        asked = f"{self.command} {self.path} {self.headers.get('X-Amz-Target', '')}"
        self.server.asked.append((asked, self.headers.get("Authorization", ""), self.headers.get("X-Amz-Date", "")))
        for trick in self.server.tricks:
            if trick["on"] in asked and trick["times"] > 0:
                trick["times"] -= 1
                return self.reply(trick["status"], trick.get("headers", {}), trick["body"], trick.get("cut", 0))
        link = http.client.HTTPConnection(*self.server.behind)
        link.request(self.command, self.path, body, {k: v for k, v in self.headers.items() if k != "Host"} | {"Host": "%s:%d" % self.server.behind})
        answer = link.getresponse()
        self.reply(answer.status, dict(answer.getheaders()), answer.read(), 0)

    do_GET = do_PUT = do_POST = do_HEAD = pass_on

    def reply(self, status, headers, body, cut):
        self.send_response_only(status)
        for name, value in ({"Date": self.date_time_string()} | headers).items():
            if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                self.send_header(name, value)
        length = headers.get("Content-Length") if self.command == "HEAD" else len(body) + cut
        self.send_header("Content-Length", str(length or 0))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.close_connection = cut > 0

    def log_message(self, *_):
        pass


@pytest.fixture
def front(bench):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Front)
    server.behind, server.asked, server.tricks = ("127.0.0.1", bench.server.port), [], []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()


def through(bench, front, *flags):
    bench.upload("x")
    bench.job("x")
    return bench.run("worker", "--once", *flags, AWS_ENDPOINT_URL="http://127.0.0.1:%d" % front.server_address[1])


def error(code, region=""):
    return f"<Error><Code>{code}</Code><Message>m</Message>{region}</Error>".encode()


def test_throttling_and_server_errors_are_tried_again(bench, front):
    front.tricks = [{"on": "GET", "status": 503, "times": 1, "body": error("SlowDown")},
                    {"on": "SendMessageBatch", "status": 500, "times": 2, "body": b"{}"}]
    code, lines, err = through(bench, front)
    assert (code, actions(lines)) == (0, ["PROCESSED"]), err
    assert bench.report("x")["report"] == COUNTS and len(bench.messages(bench.results)) == 1


def test_retries_end_and_the_job_is_left(bench, front):
    front.tricks = [{"on": "GET", "status": 503, "times": 9, "body": error("SlowDown")}]
    code, lines, err = through(bench, front)
    assert (code, actions(lines)) == (3, ["FAILED"]), err
    assert "SlowDown" in lines[0]["error"] and front.tricks[0]["times"] == 6
    assert bench.counts(bench.jobs) == (0, 1)


def test_a_body_that_breaks_off_is_read_anew_from_the_start(bench, front):
    front.tricks = [{"on": "GET", "status": 200, "times": 1, "body": b"hello wor", "cut": 29}]
    code, lines, err = through(bench, front)
    assert (code, actions(lines)) == (0, ["PROCESSED"]), err
    assert bench.report("x")["report"] == COUNTS


def test_a_bucket_elsewhere_is_asked_there_from_then_on(bench, front):
    front.tricks = [{"on": f"GET /{bench.source}", "status": 301, "times": 1, "body": error("PermanentRedirect"),
                     "headers": {"x-amz-bucket-region": "eu-west-1"}}]
    code, lines, err = through(bench, front)
    assert (code, actions(lines)) == (0, ["PROCESSED"]), err
    scopes = [authorization for asked, authorization, _ in front.asked if asked.startswith(f"GET /{bench.source}")]
    assert "/us-east-1/s3/" in scopes[0] and "/eu-west-1/s3/" in scopes[1]


def test_a_clock_that_is_wrong_is_put_right(bench, front):
    later = time.time() + 3600
    front.tricks = [{"on": "GET", "status": 403, "times": 1, "body": error("RequestTimeTooSkewed"),
                     "headers": {"Date": time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(later))}}]
    code, lines, err = through(bench, front)
    assert (code, actions(lines)) == (0, ["PROCESSED"]), err
    dates = [date for asked, _, date in front.asked if asked.startswith("GET")]
    assert abs(int(dates[1][9:11]) - int(dates[0][9:11])) in (1, 23), dates


def test_an_expired_token_is_replaced(bench, front):
    front.tricks = [{"on": "GET", "status": 400, "times": 1, "body": error("ExpiredToken")}]
    code, lines, err = through(bench, front)
    assert (code, actions(lines)) == (0, ["PROCESSED"]), err


def test_a_message_stays_hidden_while_its_object_is_slow(bench, front):
    hidden = "ChangeMessageVisibilityBatch"
    gate = threading.Event()
    pass_on = Front.pass_on

    class Slow(Front):
        def do_GET(self):
            gate.wait(LIMIT)
            pass_on(self)

    front.RequestHandlerClass = Slow
    bench.upload("x")
    bench.job("x")
    process = bench.start("worker", "--once", "--visibility-timeout", "1", AWS_ENDPOINT_URL="http://127.0.0.1:%d" % front.server_address[1])
    deadline = time.monotonic() + LIMIT
    while sum(hidden in asked for asked, _, _ in front.asked) < 4:
        assert time.monotonic() < deadline, front.asked
        pause(0.02)
    gate.set()
    out, err = process.communicate(timeout=LIMIT)
    assert process.returncode == 0 and '"PROCESSED"' in out, err
    assert bench.counts(bench.jobs) == (0, 0)


def test_of_two_racing_workers_one_report_is_left(bench, front):
    """Another worker writes the report between our look and our write."""
    front.tricks = [{"on": "HEAD", "status": 404, "times": 1, "body": b""}]
    bench.aws.s3.put_object(Bucket=bench.output, Key="processed/x.txt.report.json", Body=b'{"jobId":"other"}')
    code, lines, err = through(bench, front)
    assert (code, actions(lines)) == (0, ["SKIP_DUPLICATE"]), err
    assert bench.report("x") == {"jobId": "other"}
