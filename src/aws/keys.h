/* aws/keys.h - who an access key is. The rule without a key file: the id "test" and every 12-digit
 * id exist, their secret is "test"; a 12-digit id is its own account, "test" belongs to the default
 * account. A key file adds to that or changes it:
 *   {"keys":[{"accessKeyId":"AKIA...","secretAccessKey":"...","account":"111122223333",
 *             "canonicalId":"64 hex","displayName":"main","email":"m@example.com","user":"name"}]}
 * Only accessKeyId and secretAccessKey are required; unknown members are errors that name the
 * member. */
#ifndef HEADRACE_AWS_KEYS_H
#define HEADRACE_AWS_KEYS_H

#include "base/arena.h"

struct keys;

struct identity {
    str access_key, secret;
    str account;      /* 12 digits */
    str canonical_id; /* 64 hex digits unless the file says otherwise */
    str display_name;
    str email; /* absent when the file gives none */
    str arn;   /* "arn:aws:iam::ACCOUNT:root", or ":user/NAME" when the file names a user */
};

struct keys *keys_new(str default_account);
void keys_free(struct keys *keys);
/* Reads a key file; false and a message in `arena` when it cannot be used. */
bool keys_load(struct keys *keys, struct arena *arena, const char *path, str *message);
/* False when there is no such access key. Strings live as long as `arena` and `keys`. */
bool keys_find(const struct keys *keys, struct arena *arena, str access_key, struct identity *out);
/* As keys_find; but an unknown id gives an identity of the default account, without a secret: for
 * --auth off. */
void keys_assume(const struct keys *keys, struct arena *arena, str access_key,
                 struct identity *out);
/* The owner that the account's resources show: of the first key in the file with that account, else
 * derived. Never fails for 12 digits. */
void keys_of_account(const struct keys *keys, struct arena *arena, str account,
                     struct identity *out);
/* Account of a canonical id or an email that the file names, or of a canonical id derived from an
 * account seen before in `keys_of_account`'s rule; absent when unknown. */
str keys_account_of(const struct keys *keys, struct arena *arena, str canonical_id_or_email);
/* 64 hex digits, always the same for an account. */
str keys_canonical_id(struct arena *arena, str account);

#endif
