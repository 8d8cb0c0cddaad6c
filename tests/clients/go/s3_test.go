package clients

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/feature/s3/manager"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	managertypes "github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

const mib = 1 << 20

func s3Client(secure bool) *s3.Client {
	return s3.New(s3.Options{Region: region, BaseEndpoint: aws.String(endpoint("s3", secure)), UsePathStyle: style == "path",
		Credentials: credentials.NewStaticCredentialsProvider(access, secret, ""), HTTPClient: web, RetryMaxAttempts: 1})
}

func s3Bucket(t *testing.T) (*s3.Client, *string) {
	client, name := s3Client(false), aws.String(fresh())
	must(client.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: name}))(t)
	return client, name
}

func put(t *testing.T, client *s3.Client, bucket *string, key string, body []byte) *s3.PutObjectOutput {
	t.Helper()
	return must(client.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: &key, Body: bytes.NewReader(body)}))(t)
}

func get(t *testing.T, client *s3.Client, bucket *string, key string) []byte {
	t.Helper()
	answer := must(client.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: &key, ChecksumMode: types.ChecksumModeEnabled}))(t)
	defer answer.Body.Close()
	return must(io.ReadAll(answer.Body))(t)
}

func TestS3Names(t *testing.T) {
	client, bucket := s3Bucket(t)
	for _, key := range names {
		t.Run(key, func(t *testing.T) {
			put(t, client, bucket, key, []byte(key))
			same(t, "content", string(get(t, client, bucket, key)), key)
			source := aws.String(*bucket + "/" + escape(key))
			must(client.CopyObject(ctx, &s3.CopyObjectInput{Bucket: bucket, Key: aws.String("copy of " + key), CopySource: source}))(t)
			same(t, "copy", string(get(t, client, bucket, "copy of "+key)), key)
			tags := &types.Tagging{TagSet: []types.Tag{{Key: aws.String("of"), Value: aws.String("a b+c=d")}}}
			must(client.PutObjectTagging(ctx, &s3.PutObjectTaggingInput{Bucket: bucket, Key: &key, Tagging: tags}))(t)
			found := must(client.GetObjectTagging(ctx, &s3.GetObjectTaggingInput{Bucket: bucket, Key: &key}))(t)
			same(t, "tag", *found.TagSet[0].Value, "a b+c=d")
			list := must(client.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: bucket, Prefix: &key, EncodingType: types.EncodingTypeUrl}))(t)
			same(t, "listed", len(list.Contents) > 0, true)
		})
	}
	gone := &types.Delete{}
	for _, key := range names {
		gone.Objects = append(gone.Objects, types.ObjectIdentifier{Key: &key})
	}
	answer := must(client.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: bucket, Delete: gone}))(t)
	same(t, "deleted", len(answer.Deleted), len(names))
}

// escape writes a key as a copy source needs it.
func escape(key string) string {
	var text strings.Builder
	for _, c := range []byte(key) {
		if c == '/' || c == '-' || c == '.' || c == '_' || c == '~' || '0' <= c && c <= '9' || 'a' <= c|32 && c|32 <= 'z' {
			text.WriteByte(c)
		} else {
			fmt.Fprintf(&text, "%%%02X", c)
		}
	}
	return text.String()
}

// Over plain HTTP a checksum is a header; over TLS, or what looks like it, a stream's checksum is a trailer.
func TestS3Checksums(t *testing.T) {
	_, bucket := s3Bucket(t)
	body := random(300_000)
	for _, secure := range []bool{false, true} {
		client := s3Client(secure)
		for _, algorithm := range types.ChecksumAlgorithm("").Values() {
			t.Run(fmt.Sprintf("%s secure=%t", algorithm, secure), func(t *testing.T) {
				var from io.Reader = bytes.NewReader(body)
				if secure {
					from = onlyReader{from}
				}
				key := string(algorithm)
				answer, err := client.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: &key, Body: from, ContentLength: aws.Int64(int64(len(body))),
					ChecksumAlgorithm: algorithm})
				if err != nil && strings.Contains(err.Error(), "unknown checksum algorithm") {
					t.Skip(err)
				}
				ok(t, err)
				computed, _ := s3.GetComputedInputChecksumsMetadata(answer.ResultMetadata)
				sent := computed.ComputedChecksums[string(algorithm)]
				head := must(client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: bucket, Key: &key, ChecksumMode: types.ChecksumModeEnabled}))(t)
				stored := reflect.ValueOf(*head).FieldByName("Checksum" + key).Interface().(*string)
				same(t, "checksum", aws.ToString(stored), sent)
				same(t, "content encoding", aws.ToString(head.ContentEncoding), "")
				sameBytes(t, "content", bytes.NewReader(get(t, client, bucket, key)), body)
			})
		}
	}
}

func TestS3Managers(t *testing.T) {
	_, bucket := s3Bucket(t)
	body := random(17*mib + 5)
	for _, secure := range []bool{false, true} {
		client := s3Client(secure)
		key := fmt.Sprintf("managed %t", secure)
		uploader := manager.NewUploader(client, func(u *manager.Uploader) { u.PartSize = 5 * mib })
		up := must(uploader.Upload(ctx, &s3.PutObjectInput{Bucket: bucket, Key: &key, Body: onlyReader{bytes.NewReader(body)}}))(t)
		same(t, "parts", len(up.CompletedParts), 4)
		into := manager.NewWriteAtBuffer(nil)
		downloader := manager.NewDownloader(client, func(d *manager.Downloader) { d.PartSize = 4 * mib })
		must(downloader.Download(ctx, into, &s3.GetObjectInput{Bucket: bucket, Key: &key}))(t)
		sameBytes(t, "manager", bytes.NewReader(into.Bytes()), body)
		for _, algorithm := range []managertypes.ChecksumAlgorithm{"", "CRC32C", "CRC64NVME", "SHA256"} {
			for _, kind := range []managertypes.GetObjectType{managertypes.GetObjectParts, managertypes.GetObjectRanges} {
				transfer := transfermanager.New(client, func(o *transfermanager.Options) {
					o.PartSizeBytes, o.MultipartUploadThreshold, o.GetObjectType = 5*mib, 6*mib, kind
				})
				must(transfer.UploadObject(ctx, &transfermanager.UploadObjectInput{Bucket: bucket, Key: &key, Body: onlyReader{bytes.NewReader(body)},
					ChecksumAlgorithm: algorithm}))(t)
				into := manager.NewWriteAtBuffer(nil)
				must(transfer.DownloadObject(ctx, &transfermanager.DownloadObjectInput{Bucket: bucket, Key: &key, WriterAt: into}))(t)
				sameBytes(t, "transfer manager", bytes.NewReader(into.Bytes()), body)
				answer := must(transfer.GetObject(ctx, &transfermanager.GetObjectInput{Bucket: bucket, Key: &key}))(t)
				sameBytes(t, "transfer manager's reader", answer.Body, body)
			}
		}
	}
}

func TestS3Directories(t *testing.T) {
	client, bucket := s3Bucket(t)
	transfer := transfermanager.New(client)
	from, to := t.TempDir(), t.TempDir()
	for _, name := range []string{"a b+c.txt", "deep/er/ü.bin", "empty"} {
		ok(t, os.MkdirAll(filepath.Dir(filepath.Join(from, name)), 0o755))
		ok(t, os.WriteFile(filepath.Join(from, name), bytes.Repeat([]byte(name), len(name)-5), 0o644))
	}
	up := must(transfer.UploadDirectory(ctx, &transfermanager.UploadDirectoryInput{Bucket: bucket, Source: &from, Recursive: aws.Bool(true)}))(t)
	same(t, "uploaded", up.ObjectsUploaded, 3)
	down := must(transfer.DownloadDirectory(ctx, &transfermanager.DownloadDirectoryInput{Bucket: bucket, Destination: &to}))(t)
	same(t, "downloaded", down.ObjectsDownloaded, 3)
	same(t, "content", string(must(os.ReadFile(filepath.Join(to, "deep/er/ü.bin")))(t)), strings.Repeat("deep/er/ü.bin", 9))
}

func TestS3Presigned(t *testing.T) {
	client, bucket := s3Bucket(t)
	sign := s3.NewPresignClient(client, s3.WithPresignExpires(time.Minute))
	key := aws.String("a b/ü+%&=?.txt")
	upload := must(client.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: bucket, Key: key}))(t).UploadId
	for _, each := range []struct {
		name   string
		make   func() (string, string, http.Header, error)
		body   string
		status int
	}{
		{"PutObject", link(sign.PresignPutObject, &s3.PutObjectInput{Bucket: bucket, Key: key, Metadata: map[string]string{"m": "v  w"}}), "hello", 200},
		{"PutObject with checksum", link(sign.PresignPutObject, &s3.PutObjectInput{Bucket: bucket, Key: key, ContentType: aws.String("a/b"),
			ChecksumSHA256: aws.String("LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=")}), "hello", 200},
		{"GetObject", link(sign.PresignGetObject, &s3.GetObjectInput{Bucket: bucket, Key: key, ResponseContentDisposition: aws.String("attachment; filename=\"a b.txt\"")}), "", 200},
		{"HeadObject", link(sign.PresignHeadObject, &s3.HeadObjectInput{Bucket: bucket, Key: key}), "", 200},
		{"HeadBucket", link(sign.PresignHeadBucket, &s3.HeadBucketInput{Bucket: bucket}), "", 200},
		{"UploadPart", link(sign.PresignUploadPart, &s3.UploadPartInput{Bucket: bucket, Key: key, UploadId: upload, PartNumber: aws.Int32(1)}), "part", 200},
		{"DeleteObject", link(sign.PresignDeleteObject, &s3.DeleteObjectInput{Bucket: bucket, Key: key}), "", 204},
	} {
		method, address, header, err := each.make()
		ok(t, err)
		status, text := fetch(t, method, address, header, []byte(each.body))
		if status != each.status {
			t.Errorf("%s: %d %s", each.name, status, text)
		}
		if signed {
			status, text = fetch(t, method, address+"0", header, []byte(each.body))
			same(t, each.name+" with another signature", status, 403)
			same(t, each.name+" says why", method == "HEAD" || strings.Contains(text, "SignatureDoesNotMatch"), true)
		}
	}
}

// link is a call that presigns.
func link[I any](sign func(context.Context, *I, ...func(*s3.PresignOptions)) (*v4.PresignedHTTPRequest, error), input *I) func() (string, string, http.Header, error) {
	return func() (string, string, http.Header, error) {
		answer, err := sign(ctx, input)
		if err != nil {
			return "", "", nil, err
		}
		return answer.Method, answer.URL, answer.SignedHeader, nil
	}
}

func TestS3PresignedPost(t *testing.T) {
	client, bucket := s3Bucket(t)
	answer := must(s3.NewPresignClient(client).PresignPostObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: aws.String("form/${filename}")},
		func(o *s3.PresignPostOptions) {
			o.Expires = time.Minute
			o.Conditions = []any{[]any{"starts-with", "$key", "form/"}, []any{"content-length-range", 1, 5}, map[string]string{"x-amz-meta-tag": "v w"}}
		}))(t)
	for _, each := range []struct {
		text   string
		status int
	}{{"hello", 204}, {"hello!", 400}} {
		var form bytes.Buffer
		writer := multipart.NewWriter(&form)
		ok(t, writer.WriteField("x-amz-meta-tag", "v w"))
		for name, value := range answer.Values {
			ok(t, writer.WriteField(name, value))
		}
		file := must(writer.CreateFormFile("file", "ü+.txt"))(t)
		must(file.Write([]byte(each.text)))(t)
		ok(t, writer.Close())
		status, text := fetch(t, "POST", answer.URL, http.Header{"Content-Type": {writer.FormDataContentType()}}, form.Bytes())
		same(t, text, status, each.status)
	}
	same(t, "content", string(get(t, client, bucket, "form/ü+.txt")), "hello")
}

func TestS3WaitersAndPages(t *testing.T) {
	client, bucket := s3Bucket(t)
	ok(t, s3.NewBucketExistsWaiter(client).Wait(ctx, &s3.HeadBucketInput{Bucket: bucket}, time.Second))
	ok(t, s3.NewObjectNotExistsWaiter(client).Wait(ctx, &s3.HeadObjectInput{Bucket: bucket, Key: aws.String("k")}, time.Second))
	must(client.PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{Bucket: bucket,
		VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled}}))(t)
	var keys []string
	for at := range 7 {
		keys = append(keys, fmt.Sprintf("k %d+", at))
		put(t, client, bucket, keys[at], []byte("x"))
		must(client.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: bucket, Key: &keys[at]}))(t)
	}
	ok(t, s3.NewObjectExistsWaiter(client).Wait(ctx, &s3.HeadObjectInput{Bucket: bucket, Key: &keys[0]}, time.Second))
	var got []string
	for pages := s3.NewListObjectsV2Paginator(client, &s3.ListObjectsV2Input{Bucket: bucket, MaxKeys: aws.Int32(3)}); pages.HasMorePages(); {
		for _, each := range must(pages.NextPage(ctx))(t).Contents {
			got = append(got, *each.Key)
		}
	}
	same(t, "objects", got, keys)
	got = nil
	for pages := s3.NewListObjectVersionsPaginator(client, &s3.ListObjectVersionsInput{Bucket: bucket, MaxKeys: aws.Int32(2)}); pages.HasMorePages(); {
		for _, each := range must(pages.NextPage(ctx))(t).Versions {
			got = append(got, *each.Key)
		}
	}
	same(t, "versions", got, keys)
	got = nil
	for pages := s3.NewListMultipartUploadsPaginator(client, &s3.ListMultipartUploadsInput{Bucket: bucket, MaxUploads: aws.Int32(2)}); pages.HasMorePages(); {
		for _, each := range must(pages.NextPage(ctx))(t).Uploads {
			got = append(got, *each.Key)
		}
	}
	same(t, "uploads", got, keys)
	got = nil
	for pages := s3.NewListBucketsPaginator(client, &s3.ListBucketsInput{MaxBuckets: aws.Int32(1)}); pages.HasMorePages(); {
		for _, each := range must(pages.NextPage(ctx))(t).Buckets {
			got = append(got, *each.Name)
		}
	}
	same(t, "buckets", slices.Contains(got, *bucket), true)
}

func TestS3PartsCopiesAndVersions(t *testing.T) {
	client, bucket := s3Bucket(t)
	body := random(6 * mib)
	put(t, client, bucket, "source", body)
	key := aws.String("parts")
	upload := must(client.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: bucket, Key: key, ChecksumAlgorithm: "CRC32C"}))(t).UploadId
	one := must(client.UploadPartCopy(ctx, &s3.UploadPartCopyInput{Bucket: bucket, Key: key, UploadId: upload, PartNumber: aws.Int32(1),
		CopySource: aws.String(*bucket + "/source"), CopySourceRange: aws.String("bytes=0-5242879")}))(t)
	two := must(client.UploadPart(ctx, &s3.UploadPartInput{Bucket: bucket, Key: key, UploadId: upload, PartNumber: aws.Int32(2),
		Body: strings.NewReader("tail"), ChecksumAlgorithm: "CRC32C"}))(t)
	var parts []types.CompletedPart
	for pages := s3.NewListPartsPaginator(client, &s3.ListPartsInput{Bucket: bucket, Key: key, UploadId: upload, MaxParts: aws.Int32(1)}); pages.HasMorePages(); {
		for _, each := range must(pages.NextPage(ctx))(t).Parts {
			parts = append(parts, types.CompletedPart{ETag: each.ETag, PartNumber: each.PartNumber, ChecksumCRC32C: each.ChecksumCRC32C})
		}
	}
	same(t, "parts", len(parts), 2)
	same(t, "etags", *parts[0].ETag+*parts[1].ETag, *one.CopyPartResult.ETag+*two.ETag)
	done := must(client.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{Bucket: bucket, Key: key, UploadId: upload,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: parts}, IfNoneMatch: aws.String("*")}))(t)
	same(t, "composite", strings.HasSuffix(*done.ChecksumCRC32C, "-2"), true)
	sameBytes(t, "content", bytes.NewReader(get(t, client, bucket, "parts")), append(slices.Clone(body[:5*mib]), "tail"...))
	about := must(client.GetObjectAttributes(ctx, &s3.GetObjectAttributesInput{Bucket: bucket, Key: key,
		ObjectAttributes: types.ObjectAttributes("").Values()}))(t)
	same(t, "attributes", fmt.Sprint(*about.ObjectSize, *about.ObjectParts.TotalPartsCount, strings.TrimSuffix(*about.Checksum.ChecksumCRC32C, "-2")+"-2"), fmt.Sprint(5*mib+4, 2, *done.ChecksumCRC32C))
	part := must(client.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: key, PartNumber: aws.Int32(2)}))(t)
	sameBytes(t, "part", part.Body, []byte("tail"))
	none := aws.String("none")
	refused(t, second(client.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{Bucket: bucket, Key: key, UploadId: none,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: parts}})), "NoSuchUpload")
	_, err := client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: bucket, Key: key, UploadId: none})
	var gone *types.NoSuchUpload
	same(t, "typed NoSuchUpload", errors.As(err, &gone), true)
}

func TestS3Refusals(t *testing.T) {
	client, bucket := s3Bucket(t)
	etag := put(t, client, bucket, "k", []byte("hello")).ETag
	key, none := aws.String("k"), aws.String("none")
	for code, call := range map[string]func() error{
		"NoSuchKey": func() error { return second(client.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: none})) },
		"NotFound":  func() error { return second(client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: bucket, Key: none})) },
		"NoSuchBucket": func() error {
			return second(client.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: aws.String(fresh())}))
		},
		"BucketNotEmpty":          func() error { return second(client.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: bucket})) },
		"NoSuchCORSConfiguration": func() error { return second(client.GetBucketCors(ctx, &s3.GetBucketCorsInput{Bucket: bucket})) },
		"NotModified": func() error {
			return second(client.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: key, IfNoneMatch: etag}))
		},
		"PreconditionFailed": func() error {
			return second(client.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: key, IfNoneMatch: aws.String("*")}))
		},
		"InvalidRange": func() error {
			return second(client.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: key, Range: aws.String("bytes=9-")}))
		},
		"BadDigest": func() error {
			return second(client.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: key, Body: strings.NewReader("x"), ChecksumCRC32: aws.String("AAAAAA==")}))
		},
		"NotImplemented": func() error {
			return second(client.SelectObjectContent(ctx, &s3.SelectObjectContentInput{Bucket: bucket, Key: key, Expression: aws.String("select * from s3object"),
				ExpressionType: types.ExpressionTypeSql, InputSerialization: &types.InputSerialization{CSV: &types.CSVInput{}},
				OutputSerialization: &types.OutputSerialization{CSV: &types.CSVOutput{}}}))
		},
		"InvalidBucketName": func() error {
			return second(client.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("Upper_Case")}))
		},
	} {
		t.Run(code, func(t *testing.T) { refused(t, call(), code) })
	}
	if signed {
		wrong := s3Client(false)
		_, err := wrong.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: key}, func(o *s3.Options) {
			o.Credentials = credentials.NewStaticCredentialsProvider(access, "not the secret", "")
		})
		refused(t, err, "SignatureDoesNotMatch")
	}
	who := must(sts.New(sts.Options{Region: region, BaseEndpoint: &server, HTTPClient: web,
		Credentials: credentials.NewStaticCredentialsProvider(access, secret, "")}).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}))(t)
	same(t, "account", len(*who.Account), 12)
}

func second[T any](_ T, err error) error { return err }

func TestS3Encryption(t *testing.T) {
	client, bucket := s3Client(true), aws.String(fresh())
	must(client.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: bucket}))(t)
	key, code, mode := aws.String("c"), aws.String(string(random(32))), aws.String("AES256")
	digest := md5.Sum([]byte(*code))
	encoded, sum := base64.StdEncoding.EncodeToString([]byte(*code)), base64.StdEncoding.EncodeToString(digest[:])
	must(client.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: key, Body: strings.NewReader("hidden"), SSECustomerAlgorithm: mode,
		SSECustomerKey: &encoded, SSECustomerKeyMD5: &sum}))(t)
	answer := must(client.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: key, SSECustomerAlgorithm: mode, SSECustomerKey: &encoded,
		SSECustomerKeyMD5: &sum}))(t)
	sameBytes(t, "content", answer.Body, []byte("hidden"))
	_, err := client.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: key})
	refused(t, err, "InvalidRequest")
	kms := must(client.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: aws.String("k"), Body: strings.NewReader("x"),
		ServerSideEncryption: types.ServerSideEncryptionAwsKms, SSEKMSKeyId: aws.String("alias/mine"), BucketKeyEnabled: aws.Bool(true)}))(t)
	same(t, "bucket key", *kms.BucketKeyEnabled, true)
}
