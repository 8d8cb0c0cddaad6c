/* remote/credentials_http.c - the sources that are asked over HTTP: the container's endpoint (ECS,
 * EKS Pod Identity), the instance's metadata service (IMDSv2: a session token first), and STS (web
 * identity, and roles assumed with other keys). Endpoints come from the same variables as in the
 * SDKs, so tests stand in for all of them. */
#include "remote/credentials_inside.h"

#include "aws/sigv4.h"
#include "base/buf.h"
#include "base/text.h"
#include "base/xml.h"

#include <jansson.h>
#include <stdio.h>

#define ECS_HOST "http://169.254.170.2"
#define IMDS_HOST "http://169.254.169.254"
#define IMDS_PATH "/latest/meta-data/iam/security-credentials/"
#define METADATA_TIMEOUT 1000 /* ms */
#define STS_TIMEOUT 10000
#define ROLE_SECONDS 3600

typedef void fetched_fn(void *user, const struct http_fetched *fetched);

static void fetch(struct credentials *c, str method, str url, const struct http_header *headers,
                  size_t n, str body, int64_t timeout, fetched_fn *done)
{
    struct http_fetch_options options = {
        .arena = c->arena,
        .method = method,
        .url = url,
        .headers = headers,
        .nheaders = n,
        .body = body,
        .timeout = timeout,
        .connect_timeout = timeout,
        .done = done,
        .user = c,
    };
    c->fetch = http_client_fetch(c->world.http, &options);
}

static str member(struct credentials *c, const json_t *root, const char *name)
{
    const char *text = json_string_value(json_object_get(root, name));
    return text ? arena_copy(c->arena, str_of(text)) : STR_NONE;
}

/* The JSON document that containers and instances answer with; false when it holds no keys. */
static bool read_document(struct credentials *c, str body, const char *source,
                          struct credential *out)
{
    json_t *root = json_loadb(body.p, body.n, 0, NULL);
    *out = (struct credential){
        .access_key = member(c, root, "AccessKeyId"),
        .secret = member(c, root, "SecretAccessKey"),
        .token = member(c, root, "Token"),
        .source = source,
    };
    str expiration = member(c, root, "Expiration");
    if (expiration.p)
        date_parse(expiration, &out->expires_at);
    json_decref(root);
    return out->access_key.p && out->secret.p;
}

static void failed_at(struct credentials *c, const char *where, const struct http_fetched *fetched)
{
    if (fetched->status)
        source_failed(c, arena_printf(c->arena, "%s answered %d", where, fetched->status));
    else
        source_failed(c, arena_printf(c->arena, "%s: %.*s", where, STR_ARG(fetched->error)));
}

static void container_answered(void *user, const struct http_fetched *fetched)
{
    struct credentials *c = user;
    struct credential credential;
    c->fetch = NULL;
    if (fetched->status == 200 && read_document(c, fetched->body, "container", &credential))
        source_found(c, &credential);
    else
        failed_at(c, "the container's credentials endpoint", fetched);
}

static str first_line(struct arena *arena, str path)
{
    FILE *file = fopen(arena_cstr(arena, path), "r");
    char text[16384];
    if (!file)
        return STR_NONE;
    size_t n = fread(text, 1, sizeof text, file);
    fclose(file);
    return arena_copy(arena, str_trim((str){text, n}));
}

/* A token may go to the loopback, to AWS's link-local addresses, or anywhere under TLS. */
static bool may_have_token(str url)
{
    static const char *const hosts[] = {
        "https://", "http://127.",           "http://localhost",      "http://[::1]",
        ECS_HOST,   "http://169.254.170.23", "http://[fd00:ec2::23]",
    };
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++)
        if (str_starts(url, str_of(hosts[i])))
            return true;
    return false;
}

enum source_result source_container(struct credentials *c)
{
    str relative = credentials_env(c, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    str url = credentials_env(c, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
    str token_file = credentials_env(c, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    str token = credentials_env(c, "AWS_CONTAINER_AUTHORIZATION_TOKEN");
    if (relative.p)
        url = arena_join(c->arena, S(ECS_HOST), relative);
    if (!url.p)
        return SOURCE_ABSENT;
    if (!may_have_token(url)) {
        source_failed(c,
                      S("AWS_CONTAINER_CREDENTIALS_FULL_URI names a host that may not be asked"));
        return SOURCE_FAILED;
    }
    if (token_file.p)
        token = first_line(c->arena, token_file);
    struct http_header *header = ARENA_NEW(c->arena, struct http_header);
    *header = (struct http_header){S("Authorization"), token};
    fetch(c, S("GET"), url, header, token.p != NULL, STR_NONE, METADATA_TIMEOUT,
          container_answered);
    return SOURCE_PENDING;
}

static str imds_url(struct credentials *c, str path)
{
    str host = credentials_env(c, "AWS_EC2_METADATA_SERVICE_ENDPOINT");
    if (!host.p)
        host = S(IMDS_HOST);
    if (str_ends(host, S("/")))
        host.n--;
    return arena_join(c->arena, host, path);
}

static void imds_get(struct credentials *c, str path, fetched_fn *done)
{
    struct http_header *header = ARENA_NEW(c->arena, struct http_header);
    *header = (struct http_header){S("X-aws-ec2-metadata-token"), c->imds_token};
    fetch(c, S("GET"), imds_url(c, path), header, 1, STR_NONE, METADATA_TIMEOUT, done);
}

static void imds_keys(void *user, const struct http_fetched *fetched)
{
    struct credentials *c = user;
    struct credential credential;
    c->fetch = NULL;
    if (fetched->status == 200 && read_document(c, fetched->body, "instance", &credential))
        source_found(c, &credential);
    else
        failed_at(c, "the instance metadata service", fetched);
}

static void imds_role(void *user, const struct http_fetched *fetched)
{
    struct credentials *c = user;
    str body = fetched->body, role = str_trim(str_cut(&body, '\n'));
    c->fetch = NULL;
    if (fetched->status != 200 || !role.n) {
        source_absent(c); /* an instance without a role */
        return;
    }
    imds_get(c, arena_join(c->arena, S(IMDS_PATH), role), imds_keys);
}

static void imds_session(void *user, const struct http_fetched *fetched)
{
    struct credentials *c = user;
    c->fetch = NULL;
    if (fetched->status != 200) {
        source_absent(c); /* no instance here */
        return;
    }
    c->imds_token = fetched->body;
    imds_get(c, S(IMDS_PATH), imds_role);
}

enum source_result source_metadata(struct credentials *c)
{
    if (str_eq_nocase(credentials_env(c, "AWS_EC2_METADATA_DISABLED"), S("true")))
        return SOURCE_ABSENT;
    struct http_header *header = ARENA_NEW(c->arena, struct http_header);
    *header = (struct http_header){S("X-aws-ec2-metadata-token-ttl-seconds"), S("21600")};
    fetch(c, S("PUT"), imds_url(c, S("/latest/api/token")), header, 1, S(""), METADATA_TIMEOUT,
          imds_session);
    return SOURCE_PENDING;
}

static str sts_endpoint(struct credentials *c)
{
    str endpoint = credentials_env(c, "AWS_ENDPOINT_URL_STS");
    if (!endpoint.p)
        endpoint = credentials_env(c, "AWS_ENDPOINT_URL");
    if (!endpoint.p)
        return arena_printf(c->arena, "https://sts.%.*s.amazonaws.com", STR_ARG(c->world.region));
    if (str_ends(endpoint, S("/")))
        endpoint.n--;
    return endpoint;
}

static void sts_answered(void *user, const struct http_fetched *fetched)
{
    struct credentials *c = user;
    c->fetch = NULL;
    struct xml *root = fetched->status == 200 ? xml_parse(c->arena, fetched->body) : NULL;
    const struct xml *keys = root && root->child ? xml_child(root->child, S("Credentials")) : NULL;
    if (!keys) {
        failed_at(c, "STS", fetched);
        return;
    }
    const struct xml *id = xml_child(keys, S("AccessKeyId")),
                     *secret = xml_child(keys, S("SecretAccessKey")),
                     *token = xml_child(keys, S("SessionToken")),
                     *end = xml_child(keys, S("Expiration"));
    struct credential credential = {
        .access_key = id ? id->text : STR_NONE,
        .secret = secret ? secret->text : STR_NONE,
        .token = token ? token->text : STR_NONE,
        .source = "role",
    };
    if (end)
        date_parse(str_trim(end->text), &credential.expires_at);
    source_found(c, &credential);
}

static void parameter(struct buf *b, const char *name, str value)
{
    if (!value.p)
        return;
    buf_char(b, '&');
    buf_put(b, str_of(name));
    buf_char(b, '=');
    buf_percent(b, value, PERCENT_ALL);
}

static str role_body(struct credentials *c, const char *action)
{
    struct buf b = buf_in(c->arena);
    int64_t seconds = c->assume.seconds ? c->assume.seconds : ROLE_SECONDS;
    buf_printf(&b, "Action=%s&Version=2011-06-15&DurationSeconds=%lld", action, (long long)seconds);
    parameter(&b, "RoleArn", c->assume.role);
    parameter(&b, "RoleSessionName", c->assume.session.p ? c->assume.session : S("headrace"));
    parameter(&b, "ExternalId", c->assume.external_id);
    return buf_str(&b);
}

enum source_result source_web_identity(struct credentials *c)
{
    struct buf body = buf_in(c->arena);
    str token = first_line(c->arena, c->assume.token_file);
    if (!token.p) {
        source_failed(c,
                      arena_printf(c->arena, "%.*s cannot be read", STR_ARG(c->assume.token_file)));
        return SOURCE_FAILED;
    }
    buf_put(&body, role_body(c, "AssumeRoleWithWebIdentity"));
    parameter(&body, "WebIdentityToken", token);
    c->assume.role = STR_NONE; /* what comes back is the role's own keys */
    struct http_header *header = ARENA_NEW(c->arena, struct http_header);
    *header = (struct http_header){S("Content-Type"), S("application/x-www-form-urlencoded")};
    fetch(c, S("POST"), arena_join(c->arena, sts_endpoint(c), S("/")), header, 1, buf_str(&body),
          STS_TIMEOUT, sts_answered);
    return SOURCE_PENDING;
}

void credentials_assume(struct credentials *c, const struct credential *base)
{
    str endpoint = sts_endpoint(c), body = role_body(c, "AssumeRole");
    ptrdiff_t host = str_find(endpoint, S("://"), 0);
    struct http_header *headers = arena_array(c->arena, 2, sizeof *headers);
    headers[0] = (struct http_header){S("Host"), str_slice(endpoint, (size_t)host + 3, endpoint.n)};
    headers[1] = (struct http_header){S("Content-Type"), S("application/x-www-form-urlencoded")};
    struct http_request request = {
        .arena = c->arena,
        .method = S("POST"),
        .target = S("/"),
        .path = S("/"),
        .headers = headers,
        .nheaders = 2,
    };
    struct sign sign = {
        .access_key = base->access_key,
        .secret = base->secret,
        .token = base->token,
        .region = c->world.region,
        .service = S("sts"),
        .now = c->world.now(c->world.user),
        .payload_hash = digest_hex(c->arena, digest_of(DIGEST_SHA256, body)),
    };
    sign_request(c->arena, &request, &sign);
    c->assume.role = STR_NONE;
    fetch(c, S("POST"), arena_join(c->arena, endpoint, S("/")), request.headers, request.nheaders,
          body, STS_TIMEOUT, sts_answered);
}
