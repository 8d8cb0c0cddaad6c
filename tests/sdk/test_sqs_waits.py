"""Long polls on a clock that stands still until the test moves it: what ends a wait is what happened, not how long the
machine took. Runs once with SQS as JSON and once as Query."""
import threading
import time

import pytest
from conftest import Clients
from harness import Server, pause

NO_QUEUE = "AWS.SimpleQueueService.NonExistentQueue"
LIMIT = 60  # seconds, for what has to happen at once


@pytest.fixture(scope="module")
def server():
    with Server("--no-pipeline", "--clock", "frozen") as server:
        yield server


@pytest.fixture
def aws(server, account):
    return Clients(server.endpoint, account)


class Waiting:
    """A ReceiveMessage in a thread, parked when this returns."""

    def __init__(self, server, aws, queue, **more):
        self.server, self.messages, self.error = server, None, None
        sqs = Clients(aws.endpoint, aws.account).sqs
        self.thread = threading.Thread(target=self.receive, args=(sqs, {"QueueUrl": queue, **more}), daemon=True)
        self.thread.start()
        deadline = time.monotonic() + LIMIT
        while not self.parked():
            assert self.thread.is_alive() and time.monotonic() < deadline, self.messages
            pause(0.002)

    def receive(self, sqs, wanted):
        try:
            self.messages = sqs.receive_message(**wanted).get("Messages", [])
        except sqs.exceptions.ClientError as error:
            self.error = error.response["Error"]["Code"]

    def parked(self):
        return self.server.json("GET", "/_headrace/health")[1]["parked"] == 1

    def bodies(self):
        self.thread.join(LIMIT)
        assert not self.thread.is_alive(), "still waits"
        return None if self.messages is None else [message["Body"] for message in self.messages]


def advance(server, what):
    assert server.json("POST", "/_headrace/clock", {"advance": what})[0] == 200


def test_a_message_ends_a_wait(server, aws, queue):
    waiting = Waiting(server, aws, queue, WaitTimeSeconds=20)
    aws.sqs.send_message(QueueUrl=queue, MessageBody="wake")
    assert waiting.bodies() == ["wake"] and not waiting.parked()


def test_an_empty_wait_lasts_its_time(server, aws, queue):
    waiting = Waiting(server, aws, queue, WaitTimeSeconds=20)
    advance(server, "19999ms")
    assert waiting.parked()
    advance(server, "1ms")
    assert waiting.bodies() == []


def test_r30_the_queues_wait_is_the_default_and_zero_overrides_it(server, aws):
    queue = aws.sqs.create_queue(QueueName="waits", Attributes={"ReceiveMessageWaitTimeSeconds": "3"})["QueueUrl"]
    assert "Messages" not in aws.sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=0)
    waiting = Waiting(server, aws, queue)
    advance(server, "2999ms")
    assert waiting.parked()
    advance(server, "1ms")
    assert waiting.bodies() == []


@pytest.mark.parametrize("hidden_by", ["its delay", "a receive"])
def test_r30_a_message_whose_time_has_come_ends_a_wait(server, aws, queue, hidden_by):
    delayed = hidden_by == "its delay"
    aws.sqs.send_message(QueueUrl=queue, MessageBody="later", DelaySeconds=7 if delayed else 0)
    if not delayed:
        assert len(aws.sqs.receive_message(QueueUrl=queue, VisibilityTimeout=7)["Messages"]) == 1
    waiting = Waiting(server, aws, queue, WaitTimeSeconds=20)
    advance(server, "6999ms")
    assert waiting.parked()
    advance(server, "1ms")
    assert waiting.bodies() == ["later"]


def test_a_message_that_is_given_back_ends_a_wait(server, aws, queue):
    aws.sqs.send_message(QueueUrl=queue, MessageBody="back")
    (message,) = aws.sqs.receive_message(QueueUrl=queue)["Messages"]
    waiting = Waiting(server, aws, queue, WaitTimeSeconds=20)
    aws.sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0)
    assert waiting.bodies() == ["back"]


def test_who_waits_on_a_queue_that_goes_is_told_at_once(server, aws, queue):
    waiting = Waiting(server, aws, queue, WaitTimeSeconds=20)
    aws.sqs.delete_queue(QueueUrl=queue)
    assert waiting.bodies() is None and waiting.error == NO_QUEUE


def test_an_empty_long_poll_of_the_real_clock_lasts_its_time(shared_server, account):
    sqs = Clients(shared_server.endpoint, account).sqs
    queue = sqs.create_queue(QueueName="real")["QueueUrl"]
    began = time.monotonic()
    assert "Messages" not in sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1)
    assert time.monotonic() - began > 0.9
