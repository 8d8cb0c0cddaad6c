/* app/command_snapshot.c - `headrace snapshot save|load|delete NAME|FILE` and `list`. A FILE has a
 * slash in it or ends in .snapshot: it is fetched from, or sent to, the running instance through a
 * snapshot of its own that is deleted afterwards. */
#include "app/call_http.h"
#include "app/command.h"

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

/* One request; the body of the answer is *body when wanted, else printed. The exit code. */
static int ask(struct arena *arena, str endpoint, const char *method, str target, str sent,
               str *body)
{
    struct http_answer answer;
    str why;
    if (!call_http(arena, endpoint, method, target, sent, &answer, &why)) {
        command_fail("%.*s", STR_ARG(why));
        return 1;
    }
    bool good = answer.status < 300;
    if (good && body)
        *body = answer.body;
    else
        fwrite(answer.body.p, 1, answer.body.n, good ? stdout : stderr);
    return good ? 0 : 1;
}

static str place(struct arena *arena, const char *name, const char *tail)
{
    return arena_printf(arena, PLACE "/%s%s", name, tail);
}

static void forget_transfer(struct arena *arena, str endpoint)
{
    struct http_answer answer;
    str why;
    call_http(arena, endpoint, "DELETE", S(PLACE "/" TRANSFER), STR_NONE, &answer, &why);
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

static int save_file(struct arena *arena, str endpoint, const char *path)
{
    str ignored, bytes = STR_NONE;
    int code = ask(arena, endpoint, "POST", S(PLACE "/" TRANSFER), S("{}"), &ignored);
    if (code == 0)
        code = ask(arena, endpoint, "GET", S(PLACE "/" TRANSFER), STR_NONE, &bytes);
    forget_transfer(arena, endpoint);
    if (code == 0 && !write_file(path, bytes))
        return command_fail("cannot write %s", path);
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

static int load_file(struct arena *arena, str endpoint, const char *path)
{
    str ignored, bytes;
    if (!read_file(arena, path, &bytes))
        return command_fail("cannot read %s", path);
    forget_transfer(arena, endpoint);
    int code = ask(arena, endpoint, "PUT", S(PLACE "/" TRANSFER), bytes, &ignored);
    if (code == 0)
        code = ask(arena, endpoint, "POST", S(PLACE "/" TRANSFER "/load"), S("{}"), NULL);
    forget_transfer(arena, endpoint);
    return code;
}

static int run(struct arena *arena, str endpoint, int n, char **words)
{
    const char *word = n ? words[0] : "list";
    bool list = !strcmp(word, "list") && n <= 1;
    if (list)
        return ask(arena, endpoint, "GET", S(PLACE), STR_NONE, NULL);
    if (n == 2 && !strcmp(word, "save"))
        return is_file(words[1])
                   ? save_file(arena, endpoint, words[1])
                   : ask(arena, endpoint, "POST", place(arena, words[1], ""), S("{}"), NULL);
    if (n == 2 && !strcmp(word, "load"))
        return is_file(words[1])
                   ? load_file(arena, endpoint, words[1])
                   : ask(arena, endpoint, "POST", place(arena, words[1], "/load"), S("{}"), NULL);
    if (n == 2 && !strcmp(word, "delete"))
        return ask(arena, endpoint, "DELETE", place(arena, words[1], ""), STR_NONE, NULL);
    return command_fail("usage: headrace snapshot [list | save NAME|FILE | load NAME|FILE | delete "
                        "NAME] [--endpoint-url URL]");
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
    int code = run(arena, command_endpoint(arena, endpoint), n, words);
    arena_free(arena);
    return code;
}
