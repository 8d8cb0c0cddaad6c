// Package clients runs Go's S3 and SQS clients against a Headrace that tests/clients/test_go.py has started.
//
// HEADRACE_ENDPOINT is the server, HEADRACE_STYLE how buckets are addressed: path, or virtual for AWS's own names. Whatever
// name a client asks for, every connection goes to the server: nothing else is ever dialled. A secure client believes that it
// speaks TLS, which is when AWS's clients send checksums in trailers; on the wire it is plain HTTP all the same.
package clients

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/aws/smithy-go"
)

const region = "us-east-1"

// What people call their objects, and what they should not.
var names = []string{"plain", "a b+c.txt", "/lead", "a//b", "trail/", "ünï/😀", "%2F%zz%", "?#&=;:@,$!'()*~", "x/..", "a/../b", "./x",
	"quote\"<less>", "[square]{curly}|^`\\", "tab\tand\nline", "日本 語"}

var (
	ctx    = context.Background()
	server = os.Getenv("HEADRACE_ENDPOINT")
	access = os.Getenv("AWS_ACCESS_KEY_ID")
	secret = os.Getenv("AWS_SECRET_ACCESS_KEY")
	style  = os.Getenv("HEADRACE_STYLE")
	signed = os.Getenv("HEADRACE_AUTH") != "off"
)

func TestMain(m *testing.M) {
	if server == "" {
		fmt.Println("HEADRACE_ENDPOINT is not set: run tests/run.sh clients")
		os.Exit(2)
	}
	os.Exit(m.Run())
}

// endpoint is the address that a client is given for a service.
func endpoint(service string, secure bool) string {
	address := server
	if style == "virtual" {
		address = "http://" + service + "." + region + ".amazonaws.com"
	}
	if secure {
		return strings.Replace(address, "http:", "https:", 1)
	}
	return address
}

// onlyHere sends every request to the server, over plain HTTP.
type onlyHere struct{ http.RoundTripper }

func (here onlyHere) RoundTrip(request *http.Request) (*http.Response, error) {
	plain := request.Clone(request.Context())
	plain.URL.Scheme = "http"
	return here.RoundTripper.RoundTrip(plain)
}

var transport = onlyHere{&http.Transport{
	DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		where, err := url.Parse(server)
		if err != nil {
			return nil, err
		}
		return (&net.Dialer{}).DialContext(ctx, network, where.Host)
	},
	DisableCompression:  true,
	MaxIdleConnsPerHost: 16,
}}
var web = &http.Client{Transport: transport}

// fresh is a name that no other test has.
func fresh() string {
	return "go-" + hex.EncodeToString(random(8))
}

func random(size int) []byte {
	bytes := make([]byte, size)
	rand.Read(bytes)
	return bytes
}

// must ends a test whose call failed: must(t)(client.Call(...)).
func must[T any](answer T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		ok(t, err)
		return answer
	}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s: got %.300v, want %.300v", what, got, want)
	}
}

func sameBytes(t *testing.T, what string, from io.Reader, want []byte) {
	t.Helper()
	if got := must(io.ReadAll(from))(t); !bytes.Equal(got, want) {
		t.Errorf("%s: %d bytes differ from the %d that were sent", what, len(got), len(want))
	}
}

// refused: the call must fail with this code.
func refused(t *testing.T, err error, code string) {
	t.Helper()
	var api smithy.APIError
	if err == nil {
		t.Errorf("was not refused with %s", code)
	} else if !errors.As(err, &api) || api.ErrorCode() != code {
		t.Errorf("refused with %v, not with %s", err, code)
	}
}

// onlyReader hides that a reader could seek, so that a client must stream.
type onlyReader struct{ io.Reader }

// fetch sends a presigned request and returns its status and answer.
func fetch(t *testing.T, method, address string, header http.Header, body []byte) (int, string) {
	t.Helper()
	request := must(http.NewRequest(method, address, bytes.NewReader(body)))(t)
	for name, values := range header {
		if !strings.EqualFold(name, "host") && !strings.EqualFold(name, "content-length") {
			request.Header[name] = values
		}
	}
	answer := must(web.Do(request))(t)
	defer answer.Body.Close()
	return answer.StatusCode, string(must(io.ReadAll(answer.Body))(t))
}
