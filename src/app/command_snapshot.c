/* app/command_snapshot.c - `headrace snapshot save|load|delete NAME|FILE` and `list`. A FILE has a
 * slash in it or ends in .snapshot: it is fetched from, or sent to, the running instance through a
 * snapshot of its own that is deleted afterwards. */
#include "app/call_http.h"
#include "app/command.h"

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

static int save_file(struct arena *arena, const char *endpoint, const char *path)
{
    str ignored, bytes = STR_NONE;
    int code = command_request(arena, endpoint, "POST", S(PLACE "/" TRANSFER), S("{}"), &ignored);
    if (code == 0)
        code = command_request(arena, endpoint, "GET", S(PLACE "/" TRANSFER), STR_NONE, &bytes);
    forget_transfer(arena, endpoint);
    if (code == 0 && !write_file(path, bytes))
        return command_fail("cannot write %s: %s", path, strerror(errno));
    if (code == 0)
        printf("%s: %zu bytes\n", path, bytes.n);
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

static int load_file(struct arena *arena, const char *endpoint, const char *path)
{
    str ignored, bytes;
    if (!read_file(arena, path, &bytes))
        return command_fail("cannot read %s: %s", path, strerror(errno));
    forget_transfer(arena, endpoint);
    int code = command_request(arena, endpoint, "PUT", S(PLACE "/" TRANSFER), bytes, &ignored);
    if (code == 0)
        code =
            command_request(arena, endpoint, "POST", S(PLACE "/" TRANSFER "/load"), S("{}"), NULL);
    forget_transfer(arena, endpoint);
    return code;
}

static int run(struct arena *arena, const char *endpoint, int n, char **words)
{
    const char *word = n ? words[0] : "list";
    bool list = !strcmp(word, "list") && n <= 1;
    if (list)
        return command_request(arena, endpoint, "GET", S(PLACE), STR_NONE, NULL);
    if (n == 2 && !strcmp(word, "save"))
        return is_file(words[1]) ? save_file(arena, endpoint, words[1])
                                 : command_request(arena, endpoint, "POST",
                                                   place(arena, words[1], ""), S("{}"), NULL);
    if (n == 2 && !strcmp(word, "load"))
        return is_file(words[1]) ? load_file(arena, endpoint, words[1])
                                 : command_request(arena, endpoint, "POST",
                                                   place(arena, words[1], "/load"), S("{}"), NULL);
    if (n == 2 && !strcmp(word, "delete"))
        return command_request(arena, endpoint, "DELETE", place(arena, words[1], ""), STR_NONE,
                               NULL);
    return command_usage("snapshot");
}

int command_snapshot(int argc, char **argv)
{
    const char *endpoint = NULL, *text;
    char *words[3];
    int n = 0;
    for (int at = 0; at < argc; at++) {
        if ((text = command_value(argc, argv, &at, "--endpoint-url")))
            endpoint = text;
        else if (n < 3)
            words[n++] = argv[at];
    }
    struct arena *arena = arena_new();
    int code = run(arena, endpoint, n, words);
    arena_free(arena);
    return code;
}
