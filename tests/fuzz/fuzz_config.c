/* Files that a user names are read or refused with a message. The first byte says which: 'o' a
 * configuration file, 'k' access keys, 'p' AWS profiles ("\n----\n" between config and
 * credentials), else rules of faults. */
#include "app/fault_rules.h"
#include "app/options.h"
#include "aws/keys.h"
#include "remote/profile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static char path[64];

static const char *file_of(str text)
{
    static int fd = -1;
    if (fd < 0)
        fd = memfd_create("input", MFD_CLOEXEC);
    must(fd >= 0 && !ftruncate(fd, 0));
    must(pwrite(fd, text.p, text.n, 0) == (ssize_t)text.n);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return path;
}

static const char *environment(const char *name)
{
    return !strcmp(name, "HEADRACE_CONFIG") ? path : NULL;
}

static void options(str text)
{
    struct options options;
    str message = STR_NONE;
    file_of(text);
    bool good = options_read(&options, 0, NULL, environment, &message);
    must(good || message.n);
    must(!good || (options.port >= 0 && options.port <= 65535 && options.account.n == 12));
    options_free(&options);
}

static void keys(struct arena *arena, str text)
{
    struct keys *keys = keys_new(S("000000000000"));
    struct identity who;
    str message = STR_NONE;
    must(keys_load(keys, arena, file_of(text), &message) || message.n);
    if (keys_find(keys, arena, text, &who))
        must(who.account.n == 12);
    keys_assume(keys, arena, text, &who);
    keys_free(keys);
}

static void profiles(struct arena *arena, str text)
{
    ptrdiff_t cut = str_find(text, S("\n----\n"), 0);
    str config = cut < 0 ? text : str_slice(text, 0, (size_t)cut);
    str credentials = cut < 0 ? STR_NONE : str_slice(text, (size_t)cut + 6, text.n);
    struct profiles *read = profiles_parse(arena, config, credentials);
    (void)profile_exists(read, S("default"));
    (void)profile_get(read, S("a"), S("region"));
    (void)profile_get(read, text, text);
}

static void faults(struct arena *arena, str text)
{
    struct fault_rules *rules = fault_rules_new();
    struct fault_probe probe = {.service = S("s3"), .operation = S("PutObject"), .key = text};
    struct fault_hit hits[EFFECTS];
    struct buf b = buf_in(arena);
    str ids = STR_NONE, message = STR_NONE;
    bool good = fault_rules_add(rules, arena, text, &ids, &message);
    must(good || (message.n && fault_rules_empty(rules)));
    fault_rules_fire(rules, ~0u, &probe, hits);
    fault_rules_list(rules, &b);
    fault_rules_free(rules);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct arena *arena = arena_new();
    str text = {n ? (const char *)data + 1 : "", n ? n - 1 : 0};
    switch (n ? data[0] : 0) {
    case 'o':
        options(text);
        break;
    case 'k':
        keys(arena, text);
        break;
    case 'p':
        profiles(arena, text);
        break;
    default:
        faults(arena, text);
    }
    arena_free(arena);
    return 0;
}
