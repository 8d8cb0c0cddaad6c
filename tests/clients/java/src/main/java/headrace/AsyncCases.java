package headrace;

import static headrace.Cases.bytes;
import static headrace.Cases.check;
import static headrace.Cases.numbered;
import static headrace.Cases.same;

import java.io.ByteArrayInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import software.amazon.awssdk.core.async.AsyncRequestBody;
import software.amazon.awssdk.core.async.AsyncResponseTransformer;
import software.amazon.awssdk.services.s3.S3AsyncClient;
import software.amazon.awssdk.services.s3.model.NoSuchKeyException;
import software.amazon.awssdk.transfer.s3.S3TransferManager;

/** S3AsyncClient over Netty, many requests at once, and S3TransferManager on top of it. */
final class AsyncCases {
    private static final int LARGE = 20 << 20;
    private final S3AsyncClient s3 = Cases.s3Async();

    Map<String, Cases.Case> table() {
        Map<String, Cases.Case> table = new LinkedHashMap<>();
        table.put("many objects at once", this::many);
        table.put("a stream of unknown length in parts", this::stream);
        table.put("a file of 20 MiB up, copied and down", this::file);
        table.put("a folder up and down", this::folder);
        return table;
    }

    private void many(String bucket) {
        s3.createBucket(b -> b.bucket(bucket)).join();
        List<String> keys = numbered("k ", 60);
        CompletableFuture.allOf(keys.stream().map(key -> s3.putObject(b -> b.bucket(bucket).key(key), AsyncRequestBody.fromString(key)))
            .toArray(CompletableFuture[]::new)).join();
        var got = keys.stream().map(key -> s3.getObject(b -> b.bucket(bucket).key(key), AsyncResponseTransformer.toBytes())).toList();
        same(keys, got.stream().map(one -> one.join().asUtf8String()).toList());
        try {
            s3.getObject(b -> b.bucket(bucket).key("none"), AsyncResponseTransformer.toBytes()).join();
            throw new AssertionError("an object that is not there");
        } catch (CompletionException error) {
            same(NoSuchKeyException.class, error.getCause().getClass());
        }
    }

    private void stream(String bucket) {
        s3.createBucket(b -> b.bucket(bucket)).join();
        ExecutorService reader = Executors.newSingleThreadExecutor();
        try {
            for (int size : List.of(10, LARGE + 1)) {
                byte[] data = bytes(size);
                s3.putObject(b -> b.bucket(bucket).key("k" + size), AsyncRequestBody.fromInputStream(i -> i.executor(reader)
                    .inputStream(new ByteArrayInputStream(data)))).join();
                check(Arrays.equals(data, s3.getObject(b -> b.bucket(bucket).key("k" + size), AsyncResponseTransformer.toBytes()).join()
                    .asByteArray()), size);
            }
        } finally {
            reader.shutdown();
        }
    }

    private void file(String bucket) throws Exception {
        s3.createBucket(b -> b.bucket(bucket)).join();
        Path folder = Files.createTempDirectory("headrace-java");
        Path up = Files.write(folder.resolve("up"), bytes(LARGE)), down = folder.resolve("down");
        try (S3TransferManager transfers = S3TransferManager.builder().s3Client(s3).build()) {
            String tag = transfers.uploadFile(u -> u.source(up).putObjectRequest(b -> b.bucket(bucket).key("a b"))).completionFuture().join()
                .response().eTag();
            check(tag.endsWith("-3\""), tag);
            transfers.copy(c -> c.copyObjectRequest(b -> b.sourceBucket(bucket).sourceKey("a b").destinationBucket(bucket)
                .destinationKey("copy + \u00fc"))).completionFuture().join();
            for (String key : List.of("a b", "copy + \u00fc")) {
                same((long) LARGE, transfers.downloadFile(d -> d.destination(down).getObjectRequest(b -> b.bucket(bucket).key(key)))
                    .completionFuture().join().response().contentLength() < 0 ? 0L : Files.size(down));
                same(-1L, Files.mismatch(up, down));
                Files.delete(down);
            }
        } finally {
            Files.delete(up);
            Files.delete(folder);
        }
    }

    private void folder(String bucket) throws Exception {
        s3.createBucket(b -> b.bucket(bucket)).join();
        Path folder = Files.createTempDirectory("headrace-java"), down = folder.resolve("down");
        List<String> names = List.of("one", "two \u00fc/three+four", "two \u00fc/five");
        for (String name : names) {
            Path path = folder.resolve("up").resolve(name);
            Files.createDirectories(path.getParent());
            Files.writeString(path, name);
        }
        try (S3TransferManager transfers = S3TransferManager.builder().s3Client(s3).build()) {
            same(List.of(), transfers.uploadDirectory(u -> u.source(folder.resolve("up")).bucket(bucket).s3Prefix("p")).completionFuture().join()
                .failedTransfers());
            same(List.of(), transfers.downloadDirectory(d -> d.destination(down).bucket(bucket).listObjectsV2RequestTransformer(
                l -> l.prefix("p/"))).completionFuture().join().failedTransfers());
        }
        for (String name : names) {
            same(name, Files.readString(down.resolve(name)));
        }
        try (var all = Files.walk(folder)) {
            for (Path path : all.sorted((a, b) -> b.compareTo(a)).toList()) {
                Files.delete(path);
            }
        }
    }
}
