/* app/command_snapshot.c - `headrace snapshot save|load|delete NAME|FILE` and `list`. A FILE has a
 * slash in it or ends in .snapshot: it is fetched from, or sent to, the running instance through a
 * snapshot of its own that is deleted afterwards. */
#include "app/call_http.h"
#include "app/command.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PLACE "/_headrace/snapshots"
#define TRANSFER "command-line-transfer"

static bool is_file(const char *name)
{
    return strchr(name, '/') || str_ends(str_of(name), S(".snapshot"));
}

static str place(struct arena *arena, const char *name, const char *tail)
{
    return arena_printf(arena, PLACE "/%s%s", name, tail);
}

static void forget_transfer(struct arena *arena, const char *endpoint)
{
    struct http_answer answer;
    str why;
    call_http(arena, command_endpoint(arena, endpoint), "DELETE", S(PLACE "/" TRANSFER), STR_NONE,
              &answer, &why);
}

static bool write_file(const char *path, str bytes)
{
    /* All state is in it: for its owner alone. */
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "wb");
    bool good = file && fwrite(bytes.p, 1, bytes.n, file) == bytes.n;
    if (file && fclose(file) != 0)
        good = false;
    return good;
}

static void tell_size(const struct asked *asked, const char *path, size_t n)
{
    struct buf b = buf_in(asked->arena);
    buf_json(&b, str_of(path));
    if (asked->json)
        printf("{\"file\":%.*s,\"bytes\":%zu}\n", STR_ARG(buf_str(&b)), n);
    else
        printf("%s: %zu bytes\n", path, n);
}

static int save_file(const struct asked *asked, const char *path)
{
    struct arena *arena = asked->arena;
    const char *endpoint = asked->endpoint;
    str ignored, bytes = STR_NONE;
    int code = command_request(arena, endpoint, "POST", S(PLACE "/" TRANSFER), S("{}"), &ignored);
    if (code == 0)
        code = command_request(arena, endpoint, "GET", S(PLACE "/" TRANSFER), STR_NONE, &bytes);
    forget_transfer(arena, endpoint);
    if (code == 0 && !write_file(path, bytes))
        return command_fail("cannot write %s: %s", path, strerror(errno));
    if (code == 0)
        tell_size(asked, path, bytes.n);
    return code;
}

static bool read_file(struct arena *arena, const char *path, str *bytes)
{
    struct buf b = buf_in(arena);
    FILE *file = fopen(path, "rb");
    if (!file)
        return false;
    for (size_t n; (n = fread(buf_room(&b, 65536), 1, 65536, file)) > 0;)
        b.n += n;
    bool good = !ferror(file);
    fclose(file);
    *bytes = buf_str(&b);
    return good;
}

static int load_file(const struct asked *asked, const char *path)
{
    struct arena *arena = asked->arena;
    const char *endpoint = asked->endpoint;
    str ignored, bytes;
    if (!read_file(arena, path, &bytes))
        return command_fail("cannot read %s: %s", path, strerror(errno));
    forget_transfer(arena, endpoint);
    int code = command_request(arena, endpoint, "PUT", S(PLACE "/" TRANSFER), bytes, &ignored);
    if (code == 0)
        code = command_show(asked, "POST", S(PLACE "/" TRANSFER "/load"), S("{}"), show_done);
    forget_transfer(arena, endpoint);
    return code;
}

static int run(const struct asked *asked)
{
    struct arena *arena = asked->arena;
    const char *word = asked->n ? asked->words[0] : "list", *name = asked->words[1];
    if (!strcmp(word, "list") && asked->n <= 1)
        return command_show(asked, "GET", S(PLACE), STR_NONE, show_snapshots);
    if (asked->n == 2 && !strcmp(word, "save"))
        return is_file(name)
                   ? save_file(asked, name)
                   : command_show(asked, "POST", place(arena, name, ""), S("{}"), show_snapshot);
    if (asked->n == 2 && !strcmp(word, "load"))
        return is_file(name)
                   ? load_file(asked, name)
                   : command_show(asked, "POST", place(arena, name, "/load"), S("{}"), show_done);
    if (asked->n == 2 && !strcmp(word, "delete"))
        return command_show(asked, "DELETE", place(arena, name, ""), STR_NONE, show_done);
    return command_misused(asked, "snapshot");
}

int command_snapshot(int argc, char **argv)
{
    struct asked asked = {.arena = arena_new()};
    int code = asked_read(&asked, "snapshot", "--json", argc, argv);
    if (!code)
        code = run(&asked);
    arena_free(asked.arena);
    return code;
}
