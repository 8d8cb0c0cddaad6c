"""Kills among FIFO groups and move tasks: order, and every message exactly once."""
import os
import signal
import threading
import time

import load
from harness import Server, pause

GROUPS = 4


class Producer(threading.Thread):
    """Sends numbered messages to its group until the server is gone; `sent` are those acknowledged."""

    def __init__(self, port, group, first):
        super().__init__(daemon=True)
        self.client, self.group, self.next, self.problem = load.Client(port), group, first, None

    def run(self):
        try:
            while True:
                body = f"{self.group}.{self.next}"
                self.client.sqs("SendMessage", QueueUrl="order.fifo", MessageBody=body, MessageGroupId=f"g{self.group}",
                                MessageDeduplicationId=body)
                self.next += 1
        except load.Gone:
            pass
        except AssertionError as error:
            self.problem = error


def consume(client, seen, done, limit):
    """Receives and deletes; each group's numbers must come in order, and none that was deleted again."""
    for _ in range(limit):
        messages = client.sqs("ReceiveMessage", QueueUrl="order.fifo", MaxNumberOfMessages=10).get("Messages", [])
        if not messages:
            return
        for message in messages:
            group, number = map(int, message["Body"].split("."))
            assert number > done.get(group, -1), f"group {group}: {number} came back after {done[group]} was deleted"
            assert number <= seen.get(group, -1) + 1, f"group {group}: {number} overtook {seen.get(group, -1) + 1}"
            seen[group] = max(seen.get(group, -1), number)
            client.sqs("DeleteMessage", QueueUrl="order.fifo", ReceiptHandle=message["ReceiptHandle"])
            done[group] = number


def fifo_order_survives_kills(options, folder):
    flags = ["--no-pipeline", "--durability", options.durability]
    server = Server(*flags, data_dir=folder / "data").start()
    load.Client(server.port).sqs("CreateQueue", QueueName="order.fifo", Attributes={"FifoQueue": "true", "VisibilityTimeout": "1"})
    sent, seen, done = [0] * GROUPS, {}, {}
    for turn in range(options.rounds):
        producers = [Producer(server.port, group, sent[group]) for group in range(GROUPS)]
        for producer in producers:
            producer.start()
        try:
            killer = threading.Timer(0.3 + 0.1 * (turn % 4), lambda: os.kill(server.process.pid, signal.SIGKILL))
            killer.start()
            while True:
                consume(load.Client(server.port), seen, done, 1000)
        except load.Gone:
            pass
        killer.join()
        server.kill()
        for producer in producers:
            producer.join(90)
            if producer.problem:
                raise producer.problem
        sent = [producer.next for producer in producers]
        server = Server(*flags, data_dir=folder / "data").start()
        # A send whose answer was lost may be there: its number is sent again, and deduplication makes one of the two.
    client, deadline = load.Client(server.port), time.monotonic() + 30
    while any(done.get(group, -1) < sent[group] - 1 for group in range(GROUPS)):
        assert time.monotonic() < deadline, f"lost: sent {sent}, received {done}"
        consume(client, seen, done, 1000)
        pause(0.05)
    server.stop()
    assert sum(sent) > 20 * options.rounds, f"only {sent} were sent: no load"
    print(f"  {options.rounds} kills, {sum(sent)} messages in order")


def bodies(client, queue):
    found = []
    while True:
        messages = client.sqs("ReceiveMessage", QueueUrl=queue, MaxNumberOfMessages=10, VisibilityTimeout=3600).get("Messages", [])
        if not messages:
            return found
        found += [message["Body"] for message in messages]


def a_move_task_goes_on_after_kills(options, folder):
    total, flags = 400, ["--no-pipeline", "--durability", options.durability]
    server = Server(*flags, data_dir=folder / "data").start()
    client, arn = load.Client(server.port), "arn:aws:sqs:us-east-1:000000000000:"
    client.sqs("CreateQueue", QueueName="dead")
    client.sqs("CreateQueue", QueueName="source", Attributes={
        "RedrivePolicy": '{"deadLetterTargetArn":"%sdead","maxReceiveCount":1}' % arn})
    for first in range(0, total, 10):
        client.sqs("SendMessageBatch", QueueUrl="dead", Entries=[{"Id": str(i), "MessageBody": str(first + i)} for i in range(10)])
    client.sqs("StartMessageMoveTask", SourceArn=arn + "dead", DestinationArn=arn + "source", MaxNumberOfMessagesPerSecond=200)
    for _ in range(3):
        pause(0.2)
        server.kill()
        server = Server(*flags, data_dir=folder / "data").start()
    client, deadline = load.Client(server.port), time.monotonic() + 30
    while client.sqs("ListMessageMoveTasks", SourceArn=arn + "dead")["Results"][0]["Status"] == "RUNNING":
        assert time.monotonic() < deadline
        pause(0.05)
    (task,) = client.sqs("ListMessageMoveTasks", SourceArn=arn + "dead")["Results"]
    assert (task["Status"], task["ApproximateNumberOfMessagesMoved"]) == ("COMPLETED", total), task
    moved = bodies(client, "source")
    assert sorted(map(int, moved)) == list(range(total)) and bodies(client, "dead") == []
    server.stop()
