package headrace;

import static headrace.Cases.bytes;
import static headrace.Cases.check;
import static headrace.Cases.fails;
import static headrace.Cases.md5;
import static headrace.Cases.numbered;
import static headrace.Cases.same;

import java.io.ByteArrayInputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import software.amazon.awssdk.core.ResponseBytes;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.core.sync.ResponseTransformer;
import software.amazon.awssdk.http.ContentStreamProvider;
import software.amazon.awssdk.http.SdkHttpRequest;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.S3Configuration;
import software.amazon.awssdk.services.s3.model.*;
import software.amazon.awssdk.services.s3.presigner.S3Presigner;

/** S3Client, as programs use it day by day. */
final class S3Cases {
    private static final List<String> NAMES = List.of("plain.txt", "a b.txt", "plus+sign.txt", "\u00fcn\u00ef.txt", "percent%20.txt",
        "hash#and?mark.txt", "amp&eq=1.txt", "quote'\".txt", "tilde~.txt", "star*.txt", "semi;colon:at@.txt", "(round)[square]{curly}.txt",
        "\u65e5\u672c/\ud83d\ude00.txt", "a,b$c!d.txt", "dir//two/../up/./.hidden", "less<more>.txt", "/leading", "trailing/", "back\\slash|pipe^`");

    private final S3Client s3 = Cases.s3();

    Map<String, Cases.Case> table() {
        Map<String, Cases.Case> table = new LinkedHashMap<>();
        table.put("odd keys", this::oddKeys);
        table.put("metadata and conditions", this::metadata);
        table.put("ranges", this::ranges);
        table.put("checksums", this::checksums);
        table.put("streams of unknown length", this::unknownLength);
        table.put("multipart", this::multipart);
        table.put("presigned requests", this::presigned);
        table.put("waiters", this::waiters);
        table.put("paginators", this::paginators);
        table.put("many objects deleted at once", this::deleteObjects);
        table.put("tags", this::tags);
        table.put("versions", this::versions);
        table.put("configurations come back", this::configurations);
        table.put("errors have their classes", this::errors);
        return table;
    }

    private void bucket(String name) {
        s3.createBucket(b -> b.bucket(name));
    }

    private PutObjectResponse put(String bucket, String key, byte[] data) {
        return s3.putObject(b -> b.bucket(bucket).key(key), RequestBody.fromBytes(data));
    }

    private byte[] get(String bucket, String key) {
        return s3.getObjectAsBytes(b -> b.bucket(bucket).key(key)).asByteArray();
    }

    private List<String> keys(String bucket) {
        return s3.listObjectsV2Paginator(b -> b.bucket(bucket)).contents().stream().map(S3Object::key).toList();
    }

    private void oddKeys(String bucket) throws Exception {
        bucket(bucket);
        for (String key : NAMES) {
            byte[] data = key.getBytes("UTF-8");
            same("\"" + md5(data) + "\"", put(bucket, key, data).eTag());
            same(key, new String(get(bucket, key), "UTF-8"));
            same((long) data.length, s3.headObject(b -> b.bucket(bucket).key(key)).contentLength());
            s3.copyObject(b -> b.sourceBucket(bucket).sourceKey(key).destinationBucket(bucket).destinationKey("copy of " + key));
            same(key, new String(get(bucket, "copy of " + key), "UTF-8"));
        }
        List<String> want = new ArrayList<>(NAMES);
        NAMES.forEach(key -> want.add("copy of " + key));
        // None of these keys has two characters whose order differs between UTF-16 and UTF-8.
        want.sort(null);
        same(want, keys(bucket));
        same(want, s3.listObjects(b -> b.bucket(bucket)).contents().stream().map(S3Object::key).toList());
        same(want, s3.listObjects(b -> b.bucket(bucket).encodingType(EncodingType.URL)).contents().stream().map(S3Object::key).toList());
        same(List.of("dir/", "\u65e5\u672c/"), s3.listObjectsV2(b -> b.bucket(bucket).delimiter("/")).commonPrefixes().stream()
            .map(CommonPrefix::prefix).filter(prefix -> prefix.startsWith("dir") || prefix.startsWith("\u65e5")).toList());
        want.forEach(key -> s3.deleteObject(b -> b.bucket(bucket).key(key)));
        same(List.of(), keys(bucket));
        s3.deleteBucket(b -> b.bucket(bucket));
    }

    private void metadata(String bucket) {
        bucket(bucket);
        Instant expires = Instant.parse("2030-01-02T03:04:05Z");
        String tag = s3.putObject(b -> b.bucket(bucket).key("k").contentType("text/plain; charset=utf-8").cacheControl("no-cache")
            .contentDisposition("attachment; filename=\"a b.txt\"").contentLanguage("de").expires(expires)
            .metadata(Map.of("one", "1", "two-words", "a  b")).storageClass(StorageClass.STANDARD_IA), RequestBody.fromString("x")).eTag();
        HeadObjectResponse head = s3.headObject(b -> b.bucket(bucket).key("k"));
        same("text/plain; charset=utf-8", head.contentType());
        same("no-cache", head.cacheControl());
        same("attachment; filename=\"a b.txt\"", head.contentDisposition());
        same("de", head.contentLanguage());
        same(expires.toString(), Instant.from(java.time.format.DateTimeFormatter.RFC_1123_DATE_TIME.parse(head.expiresString())).toString());
        same("1", head.metadata().get("one"));
        same(StorageClass.STANDARD_IA, head.storageClass());
        same(304, fails(S3Exception.class, () -> s3.getObjectAsBytes(b -> b.bucket(bucket).key("k").ifNoneMatch(tag))).statusCode());
        same(412, fails(S3Exception.class, () -> s3.getObjectAsBytes(b -> b.bucket(bucket).key("k").ifMatch("\"no\""))).statusCode());
        same("PreconditionFailed", fails(S3Exception.class, () -> s3.putObject(b -> b.bucket(bucket).key("k").ifNoneMatch("*"),
            RequestBody.fromString("y"))).awsErrorDetails().errorCode());
        s3.copyObject(b -> b.sourceBucket(bucket).sourceKey("k").destinationBucket(bucket).destinationKey("k")
            .metadataDirective(MetadataDirective.REPLACE).metadata(Map.of("three", "3")));
        same(Map.of("three", "3"), s3.headObject(b -> b.bucket(bucket).key("k")).metadata());
    }

    private void ranges(String bucket) {
        bucket(bucket);
        put(bucket, "k", "0123456789".getBytes());
        ResponseBytes<GetObjectResponse> part = s3.getObjectAsBytes(b -> b.bucket(bucket).key("k").range("bytes=2-4"));
        same("234", part.asUtf8String());
        same("bytes 2-4/10", part.response().contentRange());
        same("89", s3.getObjectAsBytes(b -> b.bucket(bucket).key("k").range("bytes=-2")).asUtf8String());
        S3Exception error = fails(S3Exception.class, () -> s3.getObjectAsBytes(b -> b.bucket(bucket).key("k").range("bytes=10-")));
        same("InvalidRange", error.awsErrorDetails().errorCode());
        same(416, error.statusCode());
    }

    private void checksums(String bucket) {
        bucket(bucket);
        byte[] data = bytes(300_000);
        // Nobody asked for one: the SDK sends CRC32, in a trailer when the body is a stream.
        check(put(bucket, "default", data).checksumCRC32() != null, "no CRC32");
        for (ChecksumAlgorithm one : List.of(ChecksumAlgorithm.CRC32, ChecksumAlgorithm.SHA1, ChecksumAlgorithm.SHA256)) {
            String key = one.toString();
            s3.putObject(b -> b.bucket(bucket).key(key).checksumAlgorithm(one),
                RequestBody.fromInputStream(new ByteArrayInputStream(data), data.length));
            check(Arrays.equals(data, get(bucket, key)), key);
            HeadObjectResponse head = s3.headObject(b -> b.bucket(bucket).key(key).checksumMode(ChecksumMode.ENABLED));
            same(true, (one == ChecksumAlgorithm.CRC32 ? head.checksumCRC32() : one == ChecksumAlgorithm.SHA1 ? head.checksumSHA1()
                : head.checksumSHA256()) != null);
            same(ChecksumType.FULL_OBJECT, head.checksumType());
            GetObjectAttributesResponse all = s3.getObjectAttributes(b -> b.bucket(bucket).key(key).objectAttributes(ObjectAttributes.CHECKSUM,
                ObjectAttributes.E_TAG, ObjectAttributes.OBJECT_SIZE, ObjectAttributes.STORAGE_CLASS));
            same((long) data.length, all.objectSize());
            same(head.eTag(), "\"" + all.eTag() + "\"");
            same(StorageClass.STANDARD, all.storageClass());
            same(head.checksumType(), all.checksum().checksumType());
        }
        same("BadDigest", fails(S3Exception.class, () -> s3.putObject(b -> b.bucket(bucket).key("bad").checksumCRC32("AAAAAA=="),
            RequestBody.fromBytes(data))).awsErrorDetails().errorCode());
        same("BadDigest", fails(S3Exception.class, () -> s3.putObject(b -> b.bucket(bucket).key("bad").contentMD5("1B2M2Y8AsgTpgAmY7PhCfg=="),
            RequestBody.fromBytes(data))).awsErrorDetails().errorCode());
    }

    private void unknownLength(String bucket) {
        bucket(bucket);
        for (int size : List.of(0, 1, 65_536, 700_001)) {
            byte[] data = bytes(size);
            s3.putObject(b -> b.bucket(bucket).key("k" + size), RequestBody.fromContentProvider(
                ContentStreamProvider.fromInputStream(new ByteArrayInputStream(data)), "application/x-stream"));
            ResponseBytes<GetObjectResponse> back = s3.getObject(b -> b.bucket(bucket).key("k" + size), ResponseTransformer.toBytes());
            check(Arrays.equals(data, back.asByteArray()), size);
            same("application/x-stream", back.response().contentType());
        }
    }

    private void multipart(String bucket) {
        bucket(bucket);
        byte[] data = bytes(5 << 20);
        CreateMultipartUploadResponse upload = s3.createMultipartUpload(b -> b.bucket(bucket).key("k").contentType("a/b")
            .checksumAlgorithm(ChecksumAlgorithm.CRC32));
        List<CompletedPart> parts = new ArrayList<>();
        for (int number = 1; number <= 2; number++) {
            int at = number;
            UploadPartResponse part = s3.uploadPart(b -> b.bucket(bucket).key("k").uploadId(upload.uploadId()).partNumber(at)
                .checksumAlgorithm(ChecksumAlgorithm.CRC32), at == 1 ? RequestBody.fromBytes(data) : RequestBody.fromString("tail"));
            parts.add(CompletedPart.builder().partNumber(at).eTag(part.eTag()).checksumCRC32(part.checksumCRC32()).build());
        }
        same(List.of(1, 2), s3.listPartsPaginator(b -> b.bucket(bucket).key("k").uploadId(upload.uploadId()).maxParts(1)).parts().stream()
            .map(Part::partNumber).toList());
        same(List.of("k"), s3.listMultipartUploadsPaginator(b -> b.bucket(bucket)).uploads().stream().map(MultipartUpload::key).toList());
        CompleteMultipartUploadResponse done = s3.completeMultipartUpload(b -> b.bucket(bucket).key("k").uploadId(upload.uploadId())
            .multipartUpload(m -> m.parts(parts)));
        check(done.eTag().endsWith("-2\"") && done.checksumCRC32().endsWith("-2"), done);
        GetObjectAttributesResponse all = s3.getObjectAttributes(b -> b.bucket(bucket).key("k").objectAttributes(ObjectAttributes.OBJECT_PARTS));
        same(2, all.objectParts().totalPartsCount());
        same(List.of(5L << 20, 4L), all.objectParts().parts().stream().map(ObjectPart::size).toList());
        same("tail", s3.getObjectAsBytes(b -> b.bucket(bucket).key("k").partNumber(2)).asUtf8String());
        same((5 << 20) + 4, get(bucket, "k").length);

        String copied = s3.createMultipartUpload(b -> b.bucket(bucket).key("copied")).uploadId();
        CopyPartResult part = s3.uploadPartCopy(b -> b.sourceBucket(bucket).sourceKey("k").copySourceRange("bytes=5242880-5242883")
            .destinationBucket(bucket).destinationKey("copied").uploadId(copied).partNumber(1)).copyPartResult();
        s3.completeMultipartUpload(b -> b.bucket(bucket).key("copied").uploadId(copied).multipartUpload(m -> m.parts(
            CompletedPart.builder().partNumber(1).eTag(part.eTag()).checksumCRC32(part.checksumCRC32()).build())));
        same("tail", new String(get(bucket, "copied")));

        String dropped = s3.createMultipartUpload(b -> b.bucket(bucket).key("dropped")).uploadId();
        s3.abortMultipartUpload(b -> b.bucket(bucket).key("dropped").uploadId(dropped));
        fails(NoSuchUploadException.class, () -> s3.listParts(b -> b.bucket(bucket).key("dropped").uploadId(dropped)));
    }

    /** Sends what a presigner made: a browser's program would do no more. */
    private static HttpResponse<String> send(SdkHttpRequest made, HttpRequest.BodyPublisher body) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(made.getUri()).method(made.method().name(), body);
        made.headers().forEach((name, values) -> {
            if (!name.equalsIgnoreCase("host")) {
                values.forEach(value -> request.header(name, value));
            }
        });
        return HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build().send(request.build(), HttpResponse.BodyHandlers.ofString());
    }

    private void presigned(String bucket) throws Exception {
        bucket(bucket);
        try (S3Presigner presigner = S3Presigner.builder().endpointOverride(Cases.endpoint)
                .serviceConfiguration(S3Configuration.builder().pathStyleAccessEnabled(true).build()).build()) {
            Duration time = Duration.ofMinutes(10);
            for (String key : NAMES) {
                var up = presigner.presignPutObject(p -> p.signatureDuration(time).putObjectRequest(b -> b.bucket(bucket).key(key)
                    .contentType("text/plain").metadata(Map.of("by", "url"))));
                same(200, send(up.httpRequest(), HttpRequest.BodyPublishers.ofString("body of " + key)).statusCode());
                var down = presigner.presignGetObject(p -> p.signatureDuration(time).getObjectRequest(b -> b.bucket(bucket).key(key)
                    .responseContentType("x/y").responseContentDisposition("attachment; filename=\"\u00fc b.txt\"")));
                HttpResponse<String> answer = send(down.httpRequest(), HttpRequest.BodyPublishers.noBody());
                same("body of " + key, answer.body());
                same("x/y", answer.headers().firstValue("content-type").orElse(""));
                same("url", answer.headers().firstValue("x-amz-meta-by").orElse(""));
            }
            var head = presigner.presignHeadObject(p -> p.signatureDuration(time).headObjectRequest(b -> b.bucket(bucket).key("plain.txt")));
            same(200, send(head.httpRequest(), HttpRequest.BodyPublishers.noBody()).statusCode());
            var gone = presigner.presignDeleteObject(p -> p.signatureDuration(time).deleteObjectRequest(b -> b.bucket(bucket).key("plain.txt")));
            same(204, send(gone.httpRequest(), HttpRequest.BodyPublishers.noBody()).statusCode());
            same(404, send(head.httpRequest(), HttpRequest.BodyPublishers.noBody()).statusCode());
            var upload = presigner.presignCreateMultipartUpload(p -> p.signatureDuration(time).createMultipartUploadRequest(
                b -> b.bucket(bucket).key("m")));
            check(send(upload.httpRequest(), HttpRequest.BodyPublishers.noBody()).body().contains("<UploadId>"), "no upload");
        }
    }

    private void waiters(String bucket) {
        s3.waiter().waitUntilBucketNotExists(b -> b.bucket(bucket));
        bucket(bucket);
        s3.waiter().waitUntilBucketExists(b -> b.bucket(bucket));
        check(s3.waiter().waitUntilObjectNotExists(b -> b.bucket(bucket).key("k")).matched().exception().isPresent(), "no exception");
        put(bucket, "k", new byte[3]);
        same(3L, s3.waiter().waitUntilObjectExists(b -> b.bucket(bucket).key("k")).matched().response().orElseThrow().contentLength());
    }

    private void paginators(String bucket) {
        bucket(bucket);
        List<String> want = numbered("a b/\u00fc&", 7);
        want.forEach(key -> put(bucket, key, new byte[0]));
        ListObjectsV2Request request = ListObjectsV2Request.builder().bucket(bucket).maxKeys(2).prefix("a b/").fetchOwner(true).build();
        same(4L, s3.listObjectsV2Paginator(request).stream().count());
        same(want, s3.listObjectsV2Paginator(request).contents().stream().map(S3Object::key).toList());
        same(want, s3.listObjectVersionsPaginator(b -> b.bucket(bucket).maxKeys(3)).versions().stream().map(ObjectVersion::key).toList());
        for (int at = 0; at < 3; at++) {
            String name = bucket + "-more-" + at;
            bucket(name);
        }
        same(numbered(bucket + "-more-", 3), s3.listBucketsPaginator(b -> b.prefix(bucket + "-more").maxBuckets(1)).buckets().stream()
            .map(Bucket::name).toList());
    }

    private void deleteObjects(String bucket) {
        bucket(bucket);
        NAMES.forEach(key -> put(bucket, key, new byte[1]));
        List<ObjectIdentifier> all = NAMES.stream().map(key -> ObjectIdentifier.builder().key(key).build()).toList();
        DeleteObjectsResponse done = s3.deleteObjects(b -> b.bucket(bucket).delete(d -> d.objects(all)));
        same(NAMES, done.deleted().stream().map(DeletedObject::key).toList());
        check(!done.hasErrors(), done.errors());
        same(List.of(), s3.deleteObjects(b -> b.bucket(bucket).delete(d -> d.objects(all).quiet(true))).deleted());
        same(List.of(), keys(bucket));
        same("MalformedXML", fails(S3Exception.class, () -> s3.deleteObjects(b -> b.bucket(bucket).delete(d -> d.objects(List.of()))))
            .awsErrorDetails().errorCode());
    }

    private void tags(String bucket) {
        bucket(bucket);
        Tag tag = Tag.builder().key("a b").value("\u00fc +-=._:/@").build();
        s3.putObject(b -> b.bucket(bucket).key("k").tagging(Tagging.builder().tagSet(tag).build()), RequestBody.empty());
        same(List.of(tag), s3.getObjectTagging(b -> b.bucket(bucket).key("k")).tagSet());
        same(1, s3.headObject(b -> b.bucket(bucket).key("k")).tagCount());
        s3.putObjectTagging(b -> b.bucket(bucket).key("k").tagging(t -> t.tagSet(tag, Tag.builder().key("b").value("").build())));
        same(2, s3.getObjectTagging(b -> b.bucket(bucket).key("k")).tagSet().size());
        s3.deleteObjectTagging(b -> b.bucket(bucket).key("k"));
        same(List.of(), s3.getObjectTagging(b -> b.bucket(bucket).key("k")).tagSet());
        same("NoSuchTagSet", fails(S3Exception.class, () -> s3.getBucketTagging(b -> b.bucket(bucket))).awsErrorDetails().errorCode());
        s3.putBucketTagging(b -> b.bucket(bucket).tagging(t -> t.tagSet(tag)));
        same(List.of(tag), s3.getBucketTagging(b -> b.bucket(bucket)).tagSet());
    }

    private void versions(String bucket) {
        bucket(bucket);
        s3.putBucketVersioning(b -> b.bucket(bucket).versioningConfiguration(v -> v.status(BucketVersioningStatus.ENABLED)));
        same(BucketVersioningStatus.ENABLED, s3.getBucketVersioning(b -> b.bucket(bucket)).status());
        String first = put(bucket, "k", "1".getBytes()).versionId(), second = put(bucket, "k", "2".getBytes()).versionId();
        same("1", s3.getObjectAsBytes(b -> b.bucket(bucket).key("k").versionId(first)).asUtf8String());
        DeleteObjectResponse marker = s3.deleteObject(b -> b.bucket(bucket).key("k"));
        same(true, marker.deleteMarker());
        fails(NoSuchKeyException.class, () -> get(bucket, "k"));
        ListObjectVersionsResponse list = s3.listObjectVersions(b -> b.bucket(bucket));
        same(List.of(second, first), list.versions().stream().map(ObjectVersion::versionId).toList());
        same(List.of(marker.versionId()), list.deleteMarkers().stream().map(DeleteMarkerEntry::versionId).toList());
        s3.copyObject(b -> b.sourceBucket(bucket).sourceKey("k").sourceVersionId(first).destinationBucket(bucket).destinationKey("k"));
        same("1", new String(get(bucket, "k")));
        same(405, fails(S3Exception.class, () -> s3.headObject(b -> b.bucket(bucket).key("k").versionId(marker.versionId()))).statusCode());
    }

    private void configurations(String bucket) {
        bucket(bucket);
        CORSRule cors = CORSRule.builder().allowedMethods("GET", "PUT").allowedOrigins("https://*.example.com").allowedHeaders("*")
            .exposeHeaders("ETag").maxAgeSeconds(60).build();
        s3.putBucketCors(b -> b.bucket(bucket).corsConfiguration(c -> c.corsRules(cors)));
        same(List.of(cors), s3.getBucketCors(b -> b.bucket(bucket)).corsRules());
        LifecycleRule rule = LifecycleRule.builder().id("r").status(ExpirationStatus.ENABLED).filter(f -> f.prefix("tmp/"))
            .expiration(e -> e.days(3)).build();
        s3.putBucketLifecycleConfiguration(b -> b.bucket(bucket).lifecycleConfiguration(l -> l.rules(rule)));
        same(List.of(rule), s3.getBucketLifecycleConfiguration(b -> b.bucket(bucket)).rules());
        same(false, s3.getBucketNotificationConfiguration(b -> b.bucket(bucket)).hasQueueConfigurations());
        same("NoSuchBucketPolicy", fails(S3Exception.class, () -> s3.getBucketPolicy(b -> b.bucket(bucket))).awsErrorDetails().errorCode());
    }

    private void errors(String bucket) {
        fails(NoSuchBucketException.class, () -> s3.listObjectsV2(b -> b.bucket(bucket)));
        fails(NoSuchBucketException.class, () -> get(bucket, "k"));
        fails(NoSuchBucketException.class, () -> s3.headBucket(b -> b.bucket(bucket)));
        fails(NoSuchBucketException.class, () -> put(bucket, "k", new byte[1]));
        // us-east-1 alone answers 200 to the owner's second CreateBucket.
        S3Client west = Cases.s3(Region.EU_WEST_1);
        west.createBucket(b -> b.bucket(bucket).createBucketConfiguration(c -> c.locationConstraint("eu-west-1")));
        same("eu-west-1", west.headBucket(b -> b.bucket(bucket)).bucketRegion());
        BucketAlreadyOwnedByYouException mine = fails(BucketAlreadyOwnedByYouException.class, () -> west.createBucket(b -> b.bucket(bucket)
            .createBucketConfiguration(c -> c.locationConstraint("eu-west-1"))));
        same(409, mine.statusCode());
        check(mine.requestId() != null && mine.extendedRequestId() != null, mine);
        String home = bucket + "-home";
        bucket(home);
        NoSuchKeyException none = fails(NoSuchKeyException.class, () -> get(home, "k"));
        same("The specified key does not exist.", none.awsErrorDetails().errorMessage());
        fails(NoSuchKeyException.class, () -> s3.headObject(b -> b.bucket(home).key("k")));
        fails(NoSuchUploadException.class, () -> s3.abortMultipartUpload(b -> b.bucket(home).key("k").uploadId("none")));
        put(home, "k", new byte[1]);
        same("BucketNotEmpty", fails(S3Exception.class, () -> s3.deleteBucket(b -> b.bucket(home))).awsErrorDetails().errorCode());
    }
}
