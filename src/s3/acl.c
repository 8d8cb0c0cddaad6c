/* s3/acl.c - see acl.h. The stored text is "PERMISSION GRANTEE\n" for each grant, GRANTEE being a
 * group's URI or a canonical id: it can be read in the database, and needs no escapes since neither
 * holds a blank. */
#include "s3/acl.h"

#include "base/buf.h"

static const struct {
    str name;
    unsigned permission;
} permissions[] = {
    {{"READ", 4}, S3_MAY_READ},
    {{"WRITE", 5}, S3_MAY_WRITE},
    {{"READ_ACP", 8}, S3_MAY_READ_ACP},
    {{"WRITE_ACP", 9}, S3_MAY_WRITE_ACP},
    {{"FULL_CONTROL", 12}, S3_FULL_CONTROL},
};
#define NPERMISSIONS (sizeof permissions / sizeof permissions[0])

static const char *const group_uris[] = {
    [S3_NO_GROUP] = NULL,
    [S3_ALL_USERS] = "http://acs.amazonaws.com/groups/global/AllUsers",
    [S3_AUTHENTICATED_USERS] = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers",
    [S3_LOG_DELIVERY] = "http://acs.amazonaws.com/groups/s3/LogDelivery",
};

/* What a canned name grants besides FULL_CONTROL of the owner. */
static const struct {
    const char *name;
    struct s3_grant grants[2];
    bool to_bucket_owner; /* the grantee is the bucket's owner */
} canned[] = {
    {"private", {{0}}, false},
    {"public-read", {{S3_MAY_READ, S3_ALL_USERS, {0}}}, false},
    {"public-read-write",
     {{S3_MAY_READ, S3_ALL_USERS, {0}}, {S3_MAY_WRITE, S3_ALL_USERS, {0}}},
     false},
    {"authenticated-read", {{S3_MAY_READ, S3_AUTHENTICATED_USERS, {0}}}, false},
    {"log-delivery-write",
     {{S3_MAY_WRITE, S3_LOG_DELIVERY, {0}}, {S3_MAY_READ_ACP, S3_LOG_DELIVERY, {0}}},
     false},
    {"aws-exec-read", {{0}}, false},
    {"bucket-owner-read", {{S3_MAY_READ, S3_NO_GROUP, {0}}}, true},
    {"bucket-owner-full-control", {{S3_FULL_CONTROL, S3_NO_GROUP, {0}}}, true},
};

unsigned s3_permission_of(str name)
{
    for (size_t i = 0; i < NPERMISSIONS; i++)
        if (str_eq(permissions[i].name, name))
            return permissions[i].permission;
    return 0;
}

str s3_permission_name(unsigned permission)
{
    for (size_t i = 0; i < NPERMISSIONS; i++)
        if (permissions[i].permission == permission)
            return permissions[i].name;
    return STR_NONE;
}

enum s3_group s3_group_of(str uri)
{
    for (enum s3_group group = S3_ALL_USERS; group <= S3_LOG_DELIVERY; group++)
        if (str_eq(uri, str_of(group_uris[group])))
            return group;
    return S3_NO_GROUP;
}

str s3_group_uri(enum s3_group group)
{
    return str_of(group_uris[group]);
}

void s3_acl_add(struct arena *arena, struct s3_acl *acl, struct s3_grant grant)
{
    acl->grants =
        arena_grow(arena, acl->grants, acl->n * sizeof grant, (acl->n + 1) * sizeof grant);
    acl->grants[acl->n++] = grant;
}

bool s3_acl_canned(struct arena *arena, str name, str owner, str bucket_owner, struct s3_acl *out)
{
    size_t i = 0, n = sizeof canned / sizeof canned[0];
    while (i < n && !str_eq(name, str_of(canned[i].name)))
        i++;
    if (i == n)
        return false;
    *out = (struct s3_acl){0};
    for (size_t g = 0; g < 2 && canned[i].grants[g].group; g++)
        s3_acl_add(arena, out, canned[i].grants[g]);
    s3_acl_add(arena, out, (struct s3_grant){S3_FULL_CONTROL, S3_NO_GROUP, owner});
    if (canned[i].to_bucket_owner && bucket_owner.p && !str_eq(bucket_owner, owner))
        s3_acl_add(arena, out,
                   (struct s3_grant){canned[i].grants[0].permission, S3_NO_GROUP, bucket_owner});
    return true;
}

str s3_acl_store(struct arena *arena, const struct s3_acl *acl)
{
    struct buf b = buf_in(arena);
    for (size_t i = 0; i < acl->n; i++) {
        const struct s3_grant *grant = &acl->grants[i];
        str grantee = grant->group ? s3_group_uri(grant->group) : grant->user;
        buf_printf(&b, "%.*s %.*s\n", STR_ARG(s3_permission_name(grant->permission)),
                   STR_ARG(grantee));
    }
    return buf_str(&b);
}

struct s3_acl s3_acl_load(struct arena *arena, str text, str owner)
{
    struct s3_acl acl = {0};
    if (!text.p)
        s3_acl_add(arena, &acl, (struct s3_grant){S3_FULL_CONTROL, S3_NO_GROUP, owner});
    while (text.n) {
        str grantee = str_cut(&text, '\n');
        unsigned permission = s3_permission_of(str_cut(&grantee, ' '));
        enum s3_group group = s3_group_of(grantee);
        str user = group ? STR_NONE : arena_copy(arena, grantee);
        s3_acl_add(arena, &acl, (struct s3_grant){(enum s3_permission)permission, group, user});
    }
    return acl;
}

static bool grant_reaches(const struct s3_grant *grant, str user, bool groups)
{
    switch (grant->group) {
    case S3_NO_GROUP:
        return user.p && str_eq_nocase(grant->user, user);
    case S3_ALL_USERS:
        return groups;
    case S3_AUTHENTICATED_USERS:
        return groups && user.p;
    case S3_LOG_DELIVERY:
        break;
    }
    return false;
}

bool s3_acl_allows(const struct s3_acl *acl, str user, enum s3_permission permission, bool groups)
{
    for (size_t i = 0; i < acl->n; i++)
        if ((acl->grants[i].permission & permission) == permission &&
            grant_reaches(&acl->grants[i], user, groups))
            return true;
    return false;
}

bool s3_acl_is_public(const struct s3_acl *acl)
{
    for (size_t i = 0; i < acl->n; i++)
        if (acl->grants[i].group == S3_ALL_USERS || acl->grants[i].group == S3_AUTHENTICATED_USERS)
            return true;
    return false;
}

bool s3_acl_is_owner_only(const struct s3_acl *acl, str owner)
{
    for (size_t i = 0; i < acl->n; i++)
        if (acl->grants[i].group || !str_eq_nocase(acl->grants[i].user, owner) ||
            acl->grants[i].permission != S3_FULL_CONTROL)
            return false;
    return acl->n > 0;
}
