/* remote/credentials.c - the order of the sources, and how long what they gave is good. A search
 * walks the table; a source that is not configured passes on, one that is configured and broken
 * ends it, so that nobody silently works under another name. */
#include "remote/credentials_inside.h"

#include "base/log.h"

#include <stdlib.h>

#define REFRESH_EARLY 900000 /* ms before the end: fetch anew, keep using the old */
#define REFRESH_LATE 60000   /* ms before the end: wait for the new */
#define REFRESH_PAUSE 30000  /* ms between early attempts that fail */

str credentials_env(struct credentials *c, const char *name)
{
    const char *value = c->world.env ? c->world.env(c->world.user, name) : getenv(name);
    return value && *value ? str_of(value) : STR_NONE;
}

static enum source_result found(struct credentials *c, struct credential credential)
{
    source_found(c, &credential);
    return SOURCE_FOUND;
}

static enum source_result failed_with(struct credentials *c, str why)
{
    source_failed(c, why);
    return SOURCE_FAILED;
}

static enum source_result environment(struct credentials *c)
{
    struct credential credential = {
        .access_key = credentials_env(c, "AWS_ACCESS_KEY_ID"),
        .secret = credentials_env(c, "AWS_SECRET_ACCESS_KEY"),
        .token = credentials_env(c, "AWS_SESSION_TOKEN"),
        .source = "environment",
    };
    return credential.access_key.p && credential.secret.p ? found(c, credential) : SOURCE_ABSENT;
}

static enum source_result source_environment(struct credentials *c)
{
    /* A profile named on the command line is meant; the environment's keys are not. */
    return c->world.profile.p ? SOURCE_ABSENT : environment(c);
}

static str of_profile(struct credentials *c, const char *name)
{
    return profile_get(c->profiles, c->profile, str_of(name));
}

static enum source_result keys_of(struct credentials *c, str profile)
{
    struct credential credential = {
        .access_key = profile_get(c->profiles, profile, S("aws_access_key_id")),
        .secret = profile_get(c->profiles, profile, S("aws_secret_access_key")),
        .token = profile_get(c->profiles, profile, S("aws_session_token")),
        .source = "profile",
    };
    return credential.access_key.p && credential.secret.p ? found(c, credential) : SOURCE_ABSENT;
}

static enum source_result from_credential_source(struct credentials *c, str source)
{
    if (str_eq(source, S("Environment")))
        return environment(c);
    if (str_eq(source, S("EcsContainer")))
        return source_container(c);
    if (str_eq(source, S("Ec2InstanceMetadata")))
        return source_metadata(c);
    return failed_with(
        c, arena_printf(c->arena, "credential_source \"%.*s\" is unknown", STR_ARG(source)));
}

/* A profile that names a role: who assumes it? */
static enum source_result role_of_profile(struct credentials *c)
{
    str source = of_profile(c, "source_profile"), other = of_profile(c, "credential_source");
    int64_t seconds;
    c->assume.session = of_profile(c, "role_session_name");
    c->assume.external_id = of_profile(c, "external_id");
    c->assume.token_file = of_profile(c, "web_identity_token_file");
    if (str_to_int(of_profile(c, "duration_seconds"), &seconds))
        c->assume.seconds = seconds;
    if (c->assume.token_file.p)
        return source_web_identity(c);
    enum source_result result = source.p  ? keys_of(c, source)
                                : other.p ? from_credential_source(c, other)
                                          : SOURCE_ABSENT;
    if (result != SOURCE_ABSENT)
        return result;
    return failed_with(c, arena_printf(c->arena, "profile \"%.*s\": nothing to assume %.*s with",
                                       STR_ARG(c->profile), STR_ARG(c->assume.role)));
}

static enum source_result source_profile(struct credentials *c)
{
    static const char *const unsupported[] = {"credential_process", "sso_session", "sso_start_url"};
    if (!profile_exists(c->profiles, c->profile))
        return c->profile_named ? failed_with(c, arena_printf(c->arena, "no profile \"%.*s\"",
                                                              STR_ARG(c->profile)))
                                : SOURCE_ABSENT;
    c->assume.role = of_profile(c, "role_arn");
    if (c->assume.role.p)
        return role_of_profile(c);
    enum source_result keys = keys_of(c, c->profile);
    for (size_t i = 0; keys == SOURCE_ABSENT && i < 3; i++)
        if (of_profile(c, unsupported[i]).p)
            return failed_with(c, arena_printf(c->arena,
                                               "profile \"%.*s\" uses %s, which is not supported",
                                               STR_ARG(c->profile), unsupported[i]));
    return keys;
}

static enum source_result source_web_environment(struct credentials *c)
{
    c->assume.token_file = credentials_env(c, "AWS_WEB_IDENTITY_TOKEN_FILE");
    c->assume.role = credentials_env(c, "AWS_ROLE_ARN");
    c->assume.session = credentials_env(c, "AWS_ROLE_SESSION_NAME");
    if (c->assume.token_file.p && c->assume.role.p)
        return source_web_identity(c);
    c->assume = (struct assume){0};
    return SOURCE_ABSENT;
}

typedef enum source_result source_try(struct credentials *c);
static source_try *const sources[] = {
    source_environment, source_profile, source_web_environment, source_container, source_metadata,
};
#define N_SOURCES (sizeof sources / sizeof *sources)

/* Tells all that wait; one of them may forget others of them. Calls that follow from it begin in
 * another turn of the loop (remote_start): nobody comes to wait meanwhile. */
static void answer(struct credentials *c, const struct credential *credential, str error)
{
    c->told = c->waiters;
    c->waiters = NULL;
    while (c->told) {
        struct waiter waiter = *c->told;
        free(c->told);
        c->told = waiter.next;
        waiter.use(waiter.user, credential, error);
    }
}

static void search_on(struct credentials *c)
{
    for (; c->step < N_SOURCES; c->step++)
        if (sources[c->step](c) != SOURCE_ABSENT)
            return;
    c->searching = false;
    answer(c, NULL,
           S("no credentials: none in the environment, the shared files, web identity, "
             "container or instance metadata"));
}

void source_absent(struct credentials *c)
{
    c->step++;
    search_on(c);
}

void source_failed(struct credentials *c, str why)
{
    c->searching = false;
    if (c->have && c->current.expires_at > c->world.now(c->world.user)) {
        c->not_before = c->world.now(c->world.user) + REFRESH_PAUSE;
        log_warn("credentials: %.*s; using the old ones until they expire", STR_ARG(why));
        answer(c, &c->current, STR_NONE);
        return;
    }
    answer(c, NULL, why);
}

void source_found(struct credentials *c, const struct credential *credential)
{
    if (c->assume.role.p) {
        credentials_assume(c, credential);
        return;
    }
    struct arena *held = arena_new();
    c->current = (struct credential){
        .access_key = arena_copy(held, credential->access_key),
        .secret = arena_copy(held, credential->secret),
        .token = arena_copy(held, credential->token),
        .expires_at = credential->expires_at,
        .source = credential->source,
    };
    arena_free(c->held);
    c->held = held;
    c->have = true;
    c->searching = false;
    answer(c, &c->current, STR_NONE);
}

static void search(struct credentials *c)
{
    if (c->searching)
        return;
    arena_reset(c->arena);
    c->searching = true;
    c->step = 0;
    c->assume = (struct assume){0};
    c->imds_token = STR_NONE;
    search_on(c);
}

void credentials_get(struct credentials *c, credentials_use *use, void *user)
{
    msec now = c->world.now(c->world.user), end = c->current.expires_at;
    if (c->have && (!end || end - now > REFRESH_LATE)) {
        bool early = end && end - now < REFRESH_EARLY && now >= c->not_before;
        use(user, &c->current, STR_NONE);
        if (early)
            search(c);
        return;
    }
    struct waiter *waiter = xalloc(sizeof *waiter);
    *waiter = (struct waiter){use, user, c->waiters};
    c->waiters = waiter;
    search(c);
}

static void drop_waiters(struct waiter **at, const void *user)
{
    while (*at) {
        struct waiter *waiter = *at;
        if (waiter->user != user) {
            at = &waiter->next;
            continue;
        }
        *at = waiter->next;
        free(waiter);
    }
}

void credentials_forget(struct credentials *c, const void *user)
{
    drop_waiters(&c->waiters, user);
    drop_waiters(&c->told, user);
}

void credentials_expired(struct credentials *c)
{
    c->have = false;
}

str credentials_setting(struct credentials *c, str name)
{
    return profile_get(c->profiles, c->profile, name);
}

str credentials_region(struct credentials *c)
{
    return credentials_setting(c, S("region"));
}

static const char *env_cstr(struct credentials *c, const char *name)
{
    return credentials_env(c, name).p;
}

struct credentials *credentials_new(const struct credentials_world *world)
{
    struct credentials *c = xalloc(sizeof *c);
    c->world = *world;
    c->files = arena_new();
    c->arena = arena_new();
    c->held = arena_new();
    c->profiles = profiles_read(c->files, env_cstr(c, "AWS_CONFIG_FILE"),
                                env_cstr(c, "AWS_SHARED_CREDENTIALS_FILE"), env_cstr(c, "HOME"));
    c->profile = world->profile.p ? world->profile : credentials_env(c, "AWS_PROFILE");
    if (!c->profile.p)
        c->profile = credentials_env(c, "AWS_DEFAULT_PROFILE");
    c->profile_named = c->profile.p != NULL;
    if (!c->profile_named)
        c->profile = S("default");
    return c;
}

void credentials_free(struct credentials *c)
{
    while (c->waiters) {
        struct waiter *waiter = c->waiters;
        c->waiters = waiter->next;
        free(waiter);
    }
    arena_free(c->files);
    arena_free(c->arena);
    arena_free(c->held);
    free(c);
}
