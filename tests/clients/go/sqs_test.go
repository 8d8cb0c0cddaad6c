package clients

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// The client compares the MD5 of every body by itself, and fails a call whose answer does not match.
func sqsClient() *sqs.Client {
	return sqs.New(sqs.Options{Region: region, BaseEndpoint: aws.String(endpoint("sqs", false)), HTTPClient: web, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider(access, secret, "")})
}

func sqsQueue(t *testing.T, suffix string, attributes map[string]string) (*sqs.Client, *string) {
	t.Helper()
	client := sqsClient()
	made := must(client.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String(fresh() + suffix), Attributes: attributes}))(t)
	return client, made.QueueUrl
}

func TestSqsMessage(t *testing.T) {
	client, queue := sqsQueue(t, "", nil)
	attributes := map[string]types.MessageAttributeValue{
		"n": {DataType: aws.String("Number.int"), StringValue: aws.String("5")},
		"b": {DataType: aws.String("Binary"), BinaryValue: []byte{0, 255}},
		"s": {DataType: aws.String("String"), StringValue: aws.String("ü \" <&>\n😀")},
	}
	body := "hällo \"<&>\t\r\n😀"
	sent := must(client.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: queue, MessageBody: &body, MessageAttributes: attributes}))(t)
	got := must(client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: queue, MessageAttributeNames: []string{"All"},
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{"All"}}))(t).Messages
	if len(got) != 1 {
		t.Fatalf("%d messages", len(got))
	}
	same(t, "id", *got[0].MessageId, *sent.MessageId)
	same(t, "body", *got[0].Body, body)
	same(t, "MD5 of attributes", *got[0].MD5OfMessageAttributes, *sent.MD5OfMessageAttributes)
	same(t, "number", *got[0].MessageAttributes["n"].StringValue, "5")
	same(t, "binary", got[0].MessageAttributes["b"].BinaryValue, []byte{0, 255})
	same(t, "text", *got[0].MessageAttributes["s"].StringValue, *attributes["s"].StringValue)
	same(t, "receives", got[0].Attributes["ApproximateReceiveCount"], "1")
	must(client.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{QueueUrl: queue, ReceiptHandle: got[0].ReceiptHandle}))(t)
	got = must(client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: queue}))(t).Messages
	same(t, "again", len(got), 1)
	must(client.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: queue, ReceiptHandle: got[0].ReceiptHandle}))(t)
	about := must(client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: queue, AttributeNames: []types.QueueAttributeName{"All"}}))(t)
	same(t, "not visible", about.Attributes["ApproximateNumberOfMessagesNotVisible"], "0")
	same(t, "visible", about.Attributes["ApproximateNumberOfMessages"], "0")
}

func TestSqsBatches(t *testing.T) {
	client, queue := sqsQueue(t, "", map[string]string{"MaximumMessageSize": "1024"})
	entries := []types.SendMessageBatchRequestEntry{{Id: aws.String("large"), MessageBody: aws.String(string(make([]byte, 2000)))}}
	for at := range 9 {
		entries = append(entries, types.SendMessageBatchRequestEntry{Id: aws.String(fmt.Sprint("e", at)), MessageBody: aws.String(fmt.Sprint("body ", at))})
	}
	*entries[0].MessageBody = fmt.Sprintf("%02000d", 0)
	sent := must(client.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: queue, Entries: entries}))(t)
	same(t, "sent", len(sent.Successful), 9)
	same(t, "failed", len(sent.Failed), 1)
	same(t, "whose fault", sent.Failed[0].SenderFault, true)
	got := must(client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: queue, MaxNumberOfMessages: 10}))(t).Messages
	same(t, "received", len(got), 9)
	var later []types.ChangeMessageVisibilityBatchRequestEntry
	var gone []types.DeleteMessageBatchRequestEntry
	for at, each := range got {
		id := aws.String(fmt.Sprint(at))
		later = append(later, types.ChangeMessageVisibilityBatchRequestEntry{Id: id, ReceiptHandle: each.ReceiptHandle, VisibilityTimeout: 60})
		gone = append(gone, types.DeleteMessageBatchRequestEntry{Id: id, ReceiptHandle: each.ReceiptHandle})
	}
	same(t, "changed", len(must(client.ChangeMessageVisibilityBatch(ctx, &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: queue, Entries: later}))(t).Successful), 9)
	gone = append(gone, types.DeleteMessageBatchRequestEntry{Id: aws.String("bad"), ReceiptHandle: aws.String("x")})
	done := must(client.DeleteMessageBatch(ctx, &sqs.DeleteMessageBatchInput{QueueUrl: queue, Entries: gone}))(t)
	same(t, "deleted", len(done.Successful), 9)
	same(t, "refused", *done.Failed[0].Code, "ReceiptHandleIsInvalid")
}

func TestSqsFifo(t *testing.T) {
	client, queue := sqsQueue(t, ".fifo", map[string]string{"FifoQueue": "true", "ContentBasedDeduplication": "true"})
	send := func(group, body string) *sqs.SendMessageOutput {
		return must(client.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: queue, MessageBody: &body, MessageGroupId: &group}))(t)
	}
	one, two, three := send("a", "1"), send("a", "2"), send("b", "3")
	again := send("a", "1")
	same(t, "duplicate's id", *again.MessageId, *one.MessageId)
	same(t, "in order", *one.SequenceNumber < *two.SequenceNumber && *two.SequenceNumber < *three.SequenceNumber, true)
	got := must(client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: queue, MaxNumberOfMessages: 10,
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{"MessageGroupId"}}))(t).Messages
	of := map[string]string{}
	for _, each := range got {
		of[each.Attributes["MessageGroupId"]] += *each.Body
	}
	same(t, "messages by group", of, map[string]string{"a": "12", "b": "3"})
	_, err := client.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: queue, MessageBody: aws.String("x")})
	refused(t, err, "MissingParameter")
}

func TestSqsLongPoll(t *testing.T) {
	client, queue := sqsQueue(t, "", nil)
	sent := make(chan error, 1)
	go func() {
		_, err := client.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: queue, MessageBody: aws.String("wake")})
		sent <- err
	}()
	started := time.Now()
	got := must(client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: queue, WaitTimeSeconds: 20}))(t).Messages
	ok(t, <-sent)
	same(t, "woken", len(got), 1)
	same(t, "before the wait was over", time.Since(started) < 15*time.Second, true)
	same(t, "then empty", len(must(client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: queue}))(t).Messages), 0)
}

func TestSqsQueuesAndPages(t *testing.T) {
	client, prefix := sqsClient(), fresh()
	var want, got []string
	for at := range 5 {
		made := must(client.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String(fmt.Sprint(prefix, "-", at)), Tags: map[string]string{"of": "a b+c"}}))(t)
		want = append(want, *made.QueueUrl)
	}
	for pages := sqs.NewListQueuesPaginator(client, &sqs.ListQueuesInput{QueueNamePrefix: &prefix, MaxResults: aws.Int32(2)}); pages.HasMorePages(); {
		got = append(got, must(pages.NextPage(ctx))(t).QueueUrls...)
	}
	same(t, "queues", got, want)
	found := must(client.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String(prefix + "-3")}))(t)
	same(t, "url", *found.QueueUrl, want[3])
	same(t, "tag", must(client.ListQueueTags(ctx, &sqs.ListQueueTagsInput{QueueUrl: &want[3]}))(t).Tags["of"], "a b+c")
	must(client.DeleteQueue(ctx, &sqs.DeleteQueueInput{QueueUrl: &want[3]}))(t)
	refused(t, second(client.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String(prefix + "-3")})), "AWS.SimpleQueueService.NonExistentQueue")
}

// typed: the call must fail with the error's own type.
func typed[E error](t *testing.T, err error) {
	t.Helper()
	var as E
	if !errors.As(err, &as) {
		t.Errorf("failed with %v, not with %T", err, as)
	}
}

func TestSqsTypedErrors(t *testing.T) {
	client, queue := sqsQueue(t, "", nil)
	set := func(name, value string) error {
		return second(client.SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{QueueUrl: queue, Attributes: map[string]string{name: value}}))
	}
	entry := types.SendMessageBatchRequestEntry{Id: aws.String("i"), MessageBody: aws.String("m")}
	batch := func(entries ...types.SendMessageBatchRequestEntry) error {
		return second(client.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: queue, Entries: entries}))
	}
	typed[*types.QueueDoesNotExist](t, second(client.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String("none")})))
	typed[*types.QueueDoesNotExist](t, second(client.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: aws.String(*queue + "x"), MessageBody: aws.String("m")})))
	typed[*types.ReceiptHandleIsInvalid](t, second(client.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: queue, ReceiptHandle: aws.String("x")})))
	typed[*types.InvalidAttributeName](t, set("Nope", "1"))
	typed[*types.InvalidAttributeValue](t, set("DelaySeconds", "901"))
	typed[*types.EmptyBatchRequest](t, batch([]types.SendMessageBatchRequestEntry{}...))
	typed[*types.BatchEntryIdsNotDistinct](t, batch(entry, entry))
	if signed {
		// A client of its own: a signer keeps the key that it derived, whatever secret comes with the same access key later.
		_, err := sqsClient().ListQueues(ctx, &sqs.ListQueuesInput{}, func(o *sqs.Options) {
			o.Credentials = credentials.NewStaticCredentialsProvider(access, "not the secret", "")
		})
		refused(t, err, "SignatureDoesNotMatch")
	}
}
