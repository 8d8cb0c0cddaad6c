/* remote/credentials_inside.h - private to remote/credentials*.c: the search through the sources,
 * one step after the other. */
#ifndef HEADRACE_REMOTE_CREDENTIALS_INSIDE_H
#define HEADRACE_REMOTE_CREDENTIALS_INSIDE_H

#include "remote/credentials.h"
#include "remote/profile.h"

enum source_result {
    SOURCE_ABSENT,  /* not configured: ask the next */
    SOURCE_FOUND,   /* source_found was called */
    SOURCE_PENDING, /* a request is under way; source_found, source_absent or source_failed follows
                     */
    SOURCE_FAILED,  /* source_failed was called: configured, and broken */
};

/* The role to assume with what a source finds. */
struct assume {
    str role, session, external_id; /* role absent: none */
    str token_file;                 /* web identity; absent: signed AssumeRole */
    int64_t seconds;
};

struct waiter {
    credentials_use *use;
    void *user;
    struct waiter *next;
};

struct credentials {
    struct credentials_world world;
    struct arena *files; /* the profiles, read once */
    struct profiles *profiles;
    str profile;
    bool profile_named;

    struct arena *held; /* owns `current` */
    struct credential current;
    bool have;
    msec not_before; /* no early refresh before */

    struct waiter *waiters;
    struct waiter *told; /* those who are being answered, less those who were */
    struct arena *arena; /* of the search under way */
    bool searching;
    size_t step;
    struct assume assume;
    struct http_fetch *fetch;
    str imds_token; /* absent until the session is open */
};

/* The variable's value; absent when unset or empty. */
str credentials_env(struct credentials *c, const char *name);

/* A source's keys: ends the search, or assumes the role that was asked for. */
void source_found(struct credentials *c, const struct credential *credential);
void source_absent(struct credentials *c);
void source_failed(struct credentials *c, str why);

enum source_result source_container(struct credentials *c);
enum source_result source_metadata(struct credentials *c);
/* c->assume holds role and token file. */
enum source_result source_web_identity(struct credentials *c);
/* Signs AssumeRole with `base`; source_found or source_failed follows. */
void credentials_assume(struct credentials *c, const struct credential *base);

#endif
