package headrace;

import static headrace.Cases.fails;
import static headrace.Cases.same;

import java.io.ByteArrayInputStream;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.S3Exception;
import software.amazon.awssdk.services.sqs.SqsClient;
import software.amazon.awssdk.services.sqs.model.SqsException;

/** With the wrong secret nothing goes, neither with a signed header nor with signed chunks: run where signatures are checked. */
final class SignedCases {
    private final AwsCredentialsProvider wrong = StaticCredentialsProvider.create(AwsBasicCredentials.create(
        System.getenv("AWS_ACCESS_KEY_ID"), "not the secret"));

    Map<String, Cases.Case> table() {
        Map<String, Cases.Case> table = new LinkedHashMap<>();
        table.put("S3 with a wrong secret", this::s3);
        table.put("SQS with a wrong secret", this::sqs);
        return table;
    }

    private void s3(String bucket) {
        try (S3Client s3 = S3Client.builder().endpointOverride(Cases.endpoint).forcePathStyle(true).credentialsProvider(wrong).build()) {
            List<Runnable> calls = List.of(s3::listBuckets, () -> s3.createBucket(b -> b.bucket(bucket)),
                () -> s3.putObject(b -> b.bucket(bucket).key("k"), RequestBody.fromInputStream(new ByteArrayInputStream(new byte[9]), 9)));
            calls.forEach(call -> same("SignatureDoesNotMatch", fails(S3Exception.class, call).awsErrorDetails().errorCode()));
        }
    }

    private void sqs(String name) {
        try (SqsClient sqs = SqsClient.builder().endpointOverride(Cases.endpoint).credentialsProvider(wrong).build()) {
            same("SignatureDoesNotMatch", fails(SqsException.class, () -> sqs.createQueue(b -> b.queueName(name))).awsErrorDetails()
                .errorCode());
        }
    }
}
