package headrace;

import static headrace.Cases.check;
import static headrace.Cases.fails;
import static headrace.Cases.md5;
import static headrace.Cases.numbered;
import static headrace.Cases.same;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.services.sqs.SqsAsyncClient;
import software.amazon.awssdk.services.sqs.SqsClient;
import software.amazon.awssdk.services.sqs.batchmanager.SqsAsyncBatchManager;
import software.amazon.awssdk.services.sqs.model.*;

/** SqsClient, and the batches that SqsAsyncBatchManager makes of single calls. The SDK itself compares every MD5. */
final class SqsCases {
    private final SqsClient sqs = Cases.sqs();

    Map<String, Cases.Case> table() {
        Map<String, Cases.Case> table = new LinkedHashMap<>();
        table.put("send, receive, delete", this::everyDay);
        table.put("message attributes", this::messageAttributes);
        table.put("batches", this::batches);
        table.put("FIFO", this::fifo);
        table.put("long poll", this::longPoll);
        table.put("dead letters", this::deadLetters);
        table.put("queues and their attributes", this::queues);
        table.put("errors have their classes", this::errors);
        table.put("SqsAsyncBatchManager", this::batchManager);
        return table;
    }

    private String queue(String name) {
        return sqs.createQueue(b -> b.queueName(name)).queueUrl();
    }

    private List<Message> receive(String url) {
        return sqs.receiveMessage(b -> b.queueUrl(url).maxNumberOfMessages(10).messageSystemAttributeNames(MessageSystemAttributeName.ALL)
            .messageAttributeNames("All")).messages();
    }

    private void everyDay(String name) throws Exception {
        String url = queue(name), body = "tab\t<&>\"' \u00fc \u65e5\u672c \ud83d\ude00\r\n";
        SendMessageResponse sent = sqs.sendMessage(b -> b.queueUrl(url).messageBody(body));
        same(md5(body.getBytes("UTF-8")), sent.md5OfMessageBody());
        Message got = receive(url).get(0);
        same(body, got.body());
        same(sent.messageId(), got.messageId());
        same("1", got.attributes().get(MessageSystemAttributeName.APPROXIMATE_RECEIVE_COUNT));
        check(got.attributes().get(MessageSystemAttributeName.SENT_TIMESTAMP).length() == 13, got);
        same(List.of(), receive(url));
        sqs.changeMessageVisibility(b -> b.queueUrl(url).receiptHandle(got.receiptHandle()).visibilityTimeout(0));
        Message again = receive(url).get(0);
        same("2", again.attributes().get(MessageSystemAttributeName.APPROXIMATE_RECEIVE_COUNT));
        sqs.deleteMessage(b -> b.queueUrl(url).receiptHandle(again.receiptHandle()));
        same("0", sqs.getQueueAttributes(b -> b.queueUrl(url).attributeNames(QueueAttributeName.ALL)).attributes()
            .get(QueueAttributeName.APPROXIMATE_NUMBER_OF_MESSAGES_NOT_VISIBLE));
    }

    private void messageAttributes(String name) {
        String url = queue(name);
        Map<String, MessageAttributeValue> all = Map.of(
            "text", MessageAttributeValue.builder().dataType("String").stringValue("\u00fc & <x>").build(),
            "number", MessageAttributeValue.builder().dataType("Number.int").stringValue("-12.50").build(),
            "bytes", MessageAttributeValue.builder().dataType("Binary.png").binaryValue(SdkBytes.fromByteArray(new byte[] {0, -1, 10})).build());
        MessageSystemAttributeValue trace = MessageSystemAttributeValue.builder().dataType("String")
            .stringValue("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1").build();
        SendMessageResponse sent = sqs.sendMessage(b -> b.queueUrl(url).messageBody("x").messageAttributes(all)
            .messageSystemAttributes(Map.of(MessageSystemAttributeNameForSends.AWS_TRACE_HEADER, trace)));
        check(sent.md5OfMessageAttributes() != null && sent.md5OfMessageSystemAttributes() != null, sent);
        Message got = receive(url).get(0);
        same(all, got.messageAttributes());
        same(sent.md5OfMessageAttributes(), got.md5OfMessageAttributes());
        same(trace.stringValue(), got.attributes().get(MessageSystemAttributeName.AWS_TRACE_HEADER));
    }

    private void batches(String name) {
        String url = queue(name);
        SendMessageBatchResponse sent = sqs.sendMessageBatch(b -> b.queueUrl(url).entries(numbered("m", 10).stream()
            .map(id -> SendMessageBatchRequestEntry.builder().id(id).messageBody("body " + id).build()).toList()));
        same(numbered("m", 10), sent.successful().stream().map(SendMessageBatchResultEntry::id).toList());
        check(!sent.hasFailed(), sent);
        List<Message> got = new ArrayList<>();
        while (got.size() < 10) {
            got.addAll(sqs.receiveMessage(b -> b.queueUrl(url).maxNumberOfMessages(10).waitTimeSeconds(5)).messages());
        }
        same(new TreeSet<>(numbered("body m", 10)), new TreeSet<>(got.stream().map(Message::body).toList()));
        same(10, sqs.changeMessageVisibilityBatch(b -> b.queueUrl(url).entries(got.stream().map(message ->
            ChangeMessageVisibilityBatchRequestEntry.builder().id(message.messageId()).receiptHandle(message.receiptHandle())
                .visibilityTimeout(100).build()).toList())).successful().size());
        List<DeleteMessageBatchRequestEntry> gone = new ArrayList<>(got.subList(1, 10).stream().map(message ->
            DeleteMessageBatchRequestEntry.builder().id(message.messageId()).receiptHandle(message.receiptHandle()).build()).toList());
        gone.add(DeleteMessageBatchRequestEntry.builder().id("bad").receiptHandle("nonsense").build());
        DeleteMessageBatchResponse deleted = sqs.deleteMessageBatch(b -> b.queueUrl(url).entries(gone));
        same(9, deleted.successful().size());
        same(List.of("bad"), deleted.failed().stream().map(BatchResultErrorEntry::id).toList());
        same("ReceiptHandleIsInvalid", deleted.failed().get(0).code());
        same(true, deleted.failed().get(0).senderFault());
    }

    private void fifo(String name) {
        String url = sqs.createQueue(b -> b.queueName(name + ".fifo").attributes(Map.of(QueueAttributeName.FIFO_QUEUE, "true",
            QueueAttributeName.CONTENT_BASED_DEDUPLICATION, "true"))).queueUrl();
        List<SendMessageResponse> sent = new ArrayList<>();
        for (String body : List.of("1", "2", "2", "3")) {
            sent.add(sqs.sendMessage(b -> b.queueUrl(url).messageBody(body).messageGroupId("g")));
        }
        same(sent.get(1).messageId(), sent.get(2).messageId());
        same(sent.get(1).sequenceNumber(), sent.get(2).sequenceNumber());
        List<Message> got = receive(url);
        same(List.of("1", "2", "3"), got.stream().map(Message::body).toList());
        same("g", got.get(0).attributes().get(MessageSystemAttributeName.MESSAGE_GROUP_ID));
        sqs.sendMessage(b -> b.queueUrl(url).messageBody("4").messageGroupId("g"));
        same(List.of(), receive(url));
        got.forEach(message -> sqs.deleteMessage(b -> b.queueUrl(url).receiptHandle(message.receiptHandle())));
        same(List.of("4"), receive(url).stream().map(Message::body).toList());
        same("MissingParameter", fails(SqsException.class, () -> sqs.sendMessage(b -> b.queueUrl(url).messageBody("x"))).awsErrorDetails()
            .errorCode());
    }

    /** The message is not there yet when the receive begins: an answer before its second has passed would be empty. */
    private void longPoll(String name) {
        String url = queue(name);
        sqs.sendMessage(b -> b.queueUrl(url).messageBody("late").delaySeconds(1));
        same("late", sqs.receiveMessage(b -> b.queueUrl(url).waitTimeSeconds(20)).messages().get(0).body());
        same(List.of(), sqs.receiveMessage(b -> b.queueUrl(url).waitTimeSeconds(1)).messages());
    }

    private void deadLetters(String name) {
        String dead = queue(name + "-dead");
        String arn = sqs.getQueueAttributes(b -> b.queueUrl(dead).attributeNames(QueueAttributeName.QUEUE_ARN)).attributes()
            .get(QueueAttributeName.QUEUE_ARN);
        String url = sqs.createQueue(b -> b.queueName(name).attributes(Map.of(QueueAttributeName.VISIBILITY_TIMEOUT, "0",
            QueueAttributeName.REDRIVE_POLICY, "{\"deadLetterTargetArn\":\"" + arn + "\",\"maxReceiveCount\":\"1\"}"))).queueUrl();
        sqs.sendMessage(b -> b.queueUrl(url).messageBody("poison"));
        same(1, receive(url).size());
        same(List.of(), receive(url));
        Message got = receive(dead).get(0);
        same("poison", got.body());
        check(got.attributes().get(MessageSystemAttributeName.DEAD_LETTER_QUEUE_SOURCE_ARN).endsWith(":" + name), got.attributes());
        same(List.of(url), sqs.listDeadLetterSourceQueuesPaginator(b -> b.queueUrl(dead)).queueUrls().stream().toList());
    }

    private void queues(String name) {
        List<String> urls = numbered(name + "-", 5).stream().map(this::queue).toList();
        same(urls, sqs.listQueuesPaginator(b -> b.queueNamePrefix(name).maxResults(2)).queueUrls().stream().sorted().toList());
        String url = urls.get(0);
        same(url, sqs.getQueueUrl(b -> b.queueName(name + "-0")).queueUrl());
        sqs.setQueueAttributes(b -> b.queueUrl(url).attributes(Map.of(QueueAttributeName.VISIBILITY_TIMEOUT, "77")));
        Map<QueueAttributeName, String> all = sqs.getQueueAttributes(b -> b.queueUrl(url).attributeNames(QueueAttributeName.ALL)).attributes();
        same("77", all.get(QueueAttributeName.VISIBILITY_TIMEOUT));
        check(!all.containsKey(QueueAttributeName.UNKNOWN_TO_SDK_VERSION), all);
        sqs.tagQueue(b -> b.queueUrl(url).tags(Map.of("a", "1", "b", "\u00fc")));
        sqs.untagQueue(b -> b.queueUrl(url).tagKeys("a"));
        same(Map.of("b", "\u00fc"), sqs.listQueueTags(b -> b.queueUrl(url)).tags());
        sqs.sendMessage(b -> b.queueUrl(url).messageBody("x"));
        sqs.purgeQueue(b -> b.queueUrl(url));
        same(List.of(), receive(url));
        urls.forEach(one -> sqs.deleteQueue(b -> b.queueUrl(one)));
        same(List.of(), sqs.listQueues(b -> b.queueNamePrefix(name)).queueUrls());
    }

    private void errors(String name) {
        QueueDoesNotExistException none = fails(QueueDoesNotExistException.class, () -> sqs.getQueueUrl(b -> b.queueName(name)));
        same(400, none.statusCode());
        check(none.requestId() != null, none);
        String url = queue(name);
        fails(QueueNameExistsException.class, () -> sqs.createQueue(b -> b.queueName(name).attributes(Map.of(
            QueueAttributeName.DELAY_SECONDS, "7"))));
        fails(ReceiptHandleIsInvalidException.class, () -> sqs.deleteMessage(b -> b.queueUrl(url).receiptHandle("nonsense")));
        fails(EmptyBatchRequestException.class, () -> sqs.sendMessageBatch(b -> b.queueUrl(url).entries(List.of())));
        var entry = SendMessageBatchRequestEntry.builder().id("a").messageBody("x").build();
        fails(BatchEntryIdsNotDistinctException.class, () -> sqs.sendMessageBatch(b -> b.queueUrl(url).entries(entry, entry)));
        fails(TooManyEntriesInBatchRequestException.class, () -> sqs.sendMessageBatch(b -> b.queueUrl(url).entries(numbered("m", 11).stream()
            .map(id -> SendMessageBatchRequestEntry.builder().id(id).messageBody("x").build()).toList())));
        fails(InvalidBatchEntryIdException.class, () -> sqs.sendMessageBatch(b -> b.queueUrl(url).entries(e -> e.id("a b").messageBody("x"))));
        fails(InvalidMessageContentsException.class, () -> sqs.sendMessage(b -> b.queueUrl(url).messageBody("\u0001")));
        fails(InvalidAttributeNameException.class, () -> sqs.getQueueAttributes(b -> b.queueUrl(url).attributeNamesWithStrings("Nonsense")));
    }

    private void batchManager(String name) {
        String url = queue(name);
        try (SqsAsyncClient async = Cases.sqsAsync(); SqsAsyncBatchManager batches = async.batchManager()) {
            List<String> want = numbered("body ", 35);
            List<CompletableFuture<SendMessageResponse>> sends = want.stream().map(body ->
                batches.sendMessage(b -> b.queueUrl(url).messageBody(body))).toList();
            sends.forEach(CompletableFuture::join);
            TreeSet<String> got = new TreeSet<>();
            List<CompletableFuture<DeleteMessageResponse>> deletes = new ArrayList<>();
            while (got.size() < want.size()) {
                for (Message message : batches.receiveMessage(b -> b.queueUrl(url).maxNumberOfMessages(10)).join().messages()) {
                    got.add(message.body());
                    deletes.add(batches.deleteMessage(b -> b.queueUrl(url).receiptHandle(message.receiptHandle())));
                }
            }
            same(new TreeSet<>(want), got);
            deletes.forEach(CompletableFuture::join);
        }
        Map<QueueAttributeName, String> left = sqs.getQueueAttributes(b -> b.queueUrl(url).attributeNames(QueueAttributeName.ALL)).attributes();
        same("0", left.get(QueueAttributeName.APPROXIMATE_NUMBER_OF_MESSAGES));
        same("0", left.get(QueueAttributeName.APPROXIMATE_NUMBER_OF_MESSAGES_NOT_VISIBLE));
    }
}
