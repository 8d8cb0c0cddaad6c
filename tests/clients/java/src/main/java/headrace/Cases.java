package headrace;

import java.net.URI;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.retries.DefaultRetryStrategy;
import software.amazon.awssdk.services.s3.S3AsyncClient;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.sqs.SqsAsyncClient;
import software.amazon.awssdk.services.sqs.SqsClient;

/**
 * Runs the cases of a group and prints one line for each: Cases GROUP ENDPOINT. Keys and region come from the environment. A case
 * gets a name nobody else has, for its bucket or queue. Nobody tries again here: what fails once shows.
 */
public final class Cases {
    interface Case {
        void run(String name) throws Exception;
    }

    static URI endpoint;

    public static void main(String[] arguments) {
        endpoint = URI.create(arguments[1]);
        int failed = 0, number = 0;
        for (Map.Entry<String, Case> row : groups().get(arguments[0]).entrySet()) {
            try {
                row.getValue().run("java-" + arguments[0] + "-" + ++number);
                System.out.println("ok " + row.getKey());
            } catch (Throwable error) {
                failed++;
                System.out.println("FAILED " + row.getKey() + ": " + error);
                error.printStackTrace(System.out);
            }
        }
        System.exit(failed == 0 ? 0 : 1);
    }

    static Map<String, Map<String, Case>> groups() {
        Map<String, Map<String, Case>> groups = new LinkedHashMap<>();
        groups.put("s3", new S3Cases().table());
        groups.put("async", new AsyncCases().table());
        groups.put("sqs", new SqsCases().table());
        groups.put("signed", new SignedCases().table());
        return groups;
    }

    static S3Client s3() {
        return s3(Region.US_EAST_1);
    }

    static S3Client s3(Region region) {
        return S3Client.builder().region(region).endpointOverride(endpoint).forcePathStyle(true)
            .overrideConfiguration(o -> o.retryStrategy(DefaultRetryStrategy.doNotRetry())).build();
    }

    static S3AsyncClient s3Async() {
        return S3AsyncClient.builder().endpointOverride(endpoint).forcePathStyle(true).multipartEnabled(true)
            .overrideConfiguration(o -> o.retryStrategy(DefaultRetryStrategy.doNotRetry())).build();
    }

    static SqsClient sqs() {
        return SqsClient.builder().endpointOverride(endpoint)
            .overrideConfiguration(o -> o.retryStrategy(DefaultRetryStrategy.doNotRetry())).build();
    }

    static SqsAsyncClient sqsAsync() {
        return SqsAsyncClient.builder().endpointOverride(endpoint)
            .overrideConfiguration(o -> o.retryStrategy(DefaultRetryStrategy.doNotRetry())).build();
    }

    static void same(Object want, Object got) {
        if (!want.equals(got)) {
            throw new AssertionError("want " + want + ", got " + got);
        }
    }

    static void check(boolean truth, Object got) {
        if (!truth) {
            throw new AssertionError("got " + got);
        }
    }

    /** The error that a call must end with; the class itself, not one above it. */
    static <T extends Throwable> T fails(Class<T> type, Runnable call) {
        try {
            call.run();
        } catch (Throwable error) {
            if (error.getClass() != type) {
                throw new AssertionError("want " + type.getSimpleName() + ", got " + error, error);
            }
            return type.cast(error);
        }
        throw new AssertionError("want " + type.getSimpleName() + ", got an answer");
    }

    static byte[] bytes(int size) {
        byte[] data = new byte[size];
        new Random(size).nextBytes(data);
        return data;
    }

    static String md5(byte[] data) throws Exception {
        return HexFormat.of().formatHex(MessageDigest.getInstance("MD5").digest(data));
    }

    static List<String> numbered(String prefix, int count) {
        return IntStream.range(0, count).mapToObj(at -> prefix + at).toList();
    }
}
