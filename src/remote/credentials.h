/* remote/credentials.h - access keys as every AWS SDK finds them, in this order: environment; the
 * profile of the shared files (keys, role_arn with source_profile or credential_source,
 * web_identity_token_file); web identity of the environment; the container's endpoint; the
 * instance's metadata service (IMDSv2). Temporary ones are fetched anew before they expire. */
#ifndef HEADRACE_REMOTE_CREDENTIALS_H
#define HEADRACE_REMOTE_CREDENTIALS_H

#include "http/client.h"
#include "base/ctx.h"

struct credentials;

struct credential {
    str access_key, secret, token; /* token absent when none */
    msec expires_at;               /* 0: never */
    const char *source;            /* "environment", "profile", ... */
};

struct credentials_world {
    uv_loop_t *loop;
    struct http_client *http;
    msec (*now)(void *user); /* wall clock */
    void *user;
    str region, profile; /* profile absent: AWS_PROFILE, else "default" */
    const char *(*env)(void *user, const char *name); /* NULL: getenv */
};

struct credentials *credentials_new(const struct credentials_world *world);
void credentials_free(struct credentials *credentials);

/* Calls `use` with keys that are good now, at once when they are known, else when they have come;
 * NULL and a text when no source has any. The credential is borrowed until `use` returns. */
typedef void credentials_use(void *user, const struct credential *credential, str error);
void credentials_get(struct credentials *credentials, credentials_use *use, void *user);
/* `use` will not be called for this user. */
void credentials_forget(struct credentials *credentials, const void *user);
/* The service says they have expired: the next get fetches them anew. */
void credentials_expired(struct credentials *credentials);

/* The region that the profile names; absent when none. */
str credentials_region(struct credentials *credentials);
/* Any other setting of the profile ("endpoint_url"). */
str credentials_setting(struct credentials *credentials, str name);

#endif
