/* aws/keys.c - see keys.h. The derived canonical id can be turned back into its account (the last
 * six bytes are the number, masked by the first six), so a grant to a canonical id that this
 * program once showed finds its owner without any table. */
#include "aws/keys.h"

#include "base/digest.h"
#include "base/text.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define DEFAULT_SECRET "test"

struct keys {
    struct arena *arena;
    str default_account;
    struct identity owner; /* of the default account, as it is without a key file */
    struct identity *list; /* of the key file, in its order */
    size_t n;
};

/* --- canonical ids --- */

static void mask(const uint8_t *bytes, uint64_t number, uint8_t *out)
{
    for (int i = 0; i < 6; i++)
        out[i] = (uint8_t)(number >> (8 * (5 - i))) ^ bytes[i];
}

str keys_canonical_id(struct arena *arena, str account)
{
    int64_t number = 0;
    digest d = digest_of(DIGEST_SHA256, arena_join(arena, S("headrace canonical id "), account));
    str_to_int(account, &number);
    mask(d.bytes, (uint64_t)number, d.bytes + 26);
    return hex_encode(arena, d.bytes, 32);
}

static str account_of_derived(struct arena *arena, str id)
{
    uint8_t bytes[32], number[6];
    if (id.n != 64 || !hex_decode(id, bytes, 32))
        return STR_NONE;
    mask(bytes, 0, number);
    uint64_t value = 0;
    for (int i = 0; i < 6; i++)
        value = value << 8 | (uint8_t)(number[i] ^ bytes[26 + i]);
    str account = arena_printf(arena, "%012llu", (unsigned long long)value);
    return str_eq_nocase(keys_canonical_id(arena, account), id) ? account : STR_NONE;
}

/* --- the file --- */

static bool fail(struct arena *arena, str *message, const char *path, const char *what)
{
    *message = arena_printf(arena, "%s: %s", path, what);
    return false;
}

static str text_member(struct keys *keys, json_t *row, const char *name)
{
    json_t *value = json_object_get(row, name);
    return value ? arena_copy(keys->arena, str_of(json_string_value(value))) : STR_NONE;
}

static const char *bad_member(json_t *row)
{
    static const char *const known[] = {"accessKeyId", "secretAccessKey", "account", "canonicalId",
                                        "displayName", "email",           "user"};
    const char *name;
    json_t *value;
    json_object_foreach(row, name, value)
    {
        size_t i = 0;
        while (i < sizeof known / sizeof *known && strcmp(known[i], name))
            i++;
        if (i == sizeof known / sizeof *known || !json_is_string(value))
            return name;
    }
    return NULL;
}

static str arn_of(struct arena *arena, str account, str user)
{
    if (user.n)
        return arena_printf(arena, "arn:aws:iam::%.*s:user/%.*s", STR_ARG(account), STR_ARG(user));
    return arena_printf(arena, "arn:aws:iam::%.*s:root", STR_ARG(account));
}

static void complete(struct arena *arena, struct identity *who, str user)
{
    if (!who->canonical_id.n)
        who->canonical_id = keys_canonical_id(arena, who->account);
    who->arn = arn_of(arena, who->account, user);
}

struct keys *keys_new(str default_account)
{
    struct keys *keys = xalloc(sizeof *keys);
    keys->arena = arena_new();
    keys->default_account = arena_copy(keys->arena, default_account);
    keys->owner = (struct identity){.account = keys->default_account};
    complete(keys->arena, &keys->owner, STR_NONE);
    return keys;
}

void keys_free(struct keys *keys)
{
    if (!keys)
        return;
    arena_free(keys->arena);
    free(keys);
}

static const char *add_row(struct keys *keys, json_t *row)
{
    struct identity *who = &keys->list[keys->n];
    const char *bad = json_is_object(row) ? bad_member(row) : "keys";
    if (bad)
        return arena_printf(keys->arena, "unknown or ill-typed member \"%s\"", bad).p;
    who->access_key = text_member(keys, row, "accessKeyId");
    who->secret = text_member(keys, row, "secretAccessKey");
    who->account = text_member(keys, row, "account");
    who->canonical_id = text_member(keys, row, "canonicalId");
    who->display_name = text_member(keys, row, "displayName");
    who->email = text_member(keys, row, "email");
    if (!who->access_key.n || !who->secret.n)
        return "a key needs accessKeyId and secretAccessKey";
    for (size_t i = 0; i < keys->n; i++)
        if (str_eq(keys->list[i].access_key, who->access_key))
            return arena_printf(keys->arena, "key \"%.*s\" is there twice",
                                STR_ARG(who->access_key))
                .p;
    if (!who->account.p)
        who->account = str_is_account(who->access_key) ? who->access_key : keys->default_account;
    if (!str_is_account(who->account))
        return arena_printf(keys->arena, "account \"%.*s\" is not 12 digits", STR_ARG(who->account))
            .p;
    complete(keys->arena, who, text_member(keys, row, "user"));
    keys->n++;
    return NULL;
}

bool keys_load(struct keys *keys, struct arena *arena, const char *path, str *message)
{
    json_error_t error;
    struct stat st;
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
        *message = arena_printf(arena, "keys file: %s is a directory", path);
        return false;
    }
    json_t *root = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    if (!root) {
        *message = error.line > 0
                       ? arena_printf(arena, "%s:%d: %s", path, error.line, error.text)
                       : arena_printf(arena, "keys file: %s", error.text); /* it cannot be read */
        return false;
    }
    json_t *rows = json_object_get(root, "keys"), *row;
    const char *what = json_is_array(rows) && json_object_size(root) == 1
                           ? NULL
                           : "must be {\"keys\":[...]} and nothing else";
    if (!what)
        keys->list = arena_array(keys->arena, json_array_size(rows) + 1, sizeof *keys->list);
    keys->n = 0;
    size_t i;
    json_array_foreach(rows, i, row) what = what ? what : add_row(keys, row);
    if (what)
        fail(arena, message, path, what);
    json_decref(root);
    return what == NULL;
}

/* --- look-ups --- */

static const struct identity *in_file(const struct keys *keys, str access_key)
{
    for (size_t i = 0; i < keys->n; i++)
        if (str_eq(keys->list[i].access_key, access_key))
            return &keys->list[i];
    return NULL;
}

void keys_of_account(const struct keys *keys, struct arena *arena, str account,
                     struct identity *out)
{
    for (size_t i = 0; i < keys->n; i++)
        if (str_eq(keys->list[i].account, account)) {
            *out = keys->list[i];
            return;
        }
    if (str_eq(account, keys->default_account)) {
        *out = keys->owner;
        return;
    }
    *out = (struct identity){.account = account};
    complete(arena, out, STR_NONE);
}

static str root_of(const struct keys *keys, struct arena *arena, str account)
{
    return str_eq(account, keys->default_account) ? keys->owner.arn
                                                  : arn_of(arena, account, STR_NONE);
}

bool keys_find(const struct keys *keys, struct arena *arena, str access_key, struct identity *out)
{
    const struct identity *row = in_file(keys, access_key);
    if (row) {
        *out = *row;
        return true;
    }
    bool numbered = str_is_account(access_key);
    if (!numbered && !str_eq(access_key, S("test")))
        return false;
    keys_of_account(keys, arena, numbered ? access_key : keys->default_account, out);
    out->arn = root_of(keys, arena, out->account);
    out->access_key = access_key;
    out->secret = S(DEFAULT_SECRET);
    return true;
}

void keys_assume(const struct keys *keys, struct arena *arena, str access_key, struct identity *out)
{
    if (access_key.p && keys_find(keys, arena, access_key, out))
        return;
    keys_of_account(keys, arena, keys->default_account, out);
    out->arn = root_of(keys, arena, out->account);
    out->access_key = access_key;
    out->secret = STR_NONE;
}

str keys_account_of(const struct keys *keys, struct arena *arena, str canonical_id_or_email)
{
    for (size_t i = 0; i < keys->n; i++)
        if (str_eq_nocase(keys->list[i].canonical_id, canonical_id_or_email) ||
            (keys->list[i].email.n && str_eq_nocase(keys->list[i].email, canonical_id_or_email)))
            return keys->list[i].account;
    return account_of_derived(arena, canonical_id_or_email);
}
