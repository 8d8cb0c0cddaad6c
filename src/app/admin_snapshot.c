/* app/admin_snapshot.c - named snapshots of the whole state, kept in DIR/snapshots (ephemeral: with
 * the bodies, gone at exit).
 *
 *   GET    /_headrace/snapshots              {"snapshots":[{"name":...,"bytes":...}]}
 *   POST   /_headrace/snapshots/NAME         saves
 *   POST   /_headrace/snapshots/NAME/load    loads: everything is as it was; what was counted and
 *                                            traced is forgotten
 *   GET    /_headrace/snapshots/NAME         the file, to keep
 *   PUT    /_headrace/snapshots/NAME         such a file back, at most 64 MiB
 *   DELETE /_headrace/snapshots/NAME
 *
 * A name is 1 to 64 of A-Z a-z 0-9 . _ - and begins with none of the signs, so it names no other
 * place. */
#include "app/admin.h"
#include "app/lint.h"
#include "app/pool.h"
#include "app/saving.h"
#include "app/trace.h"
#include "app/turn.h"
#include "base/text.h"
#include "s3/schema.h"
#include "store/snapshot.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PLACE "/_headrace/snapshots/"

static bool name_good(str name)
{
    bool good = name.n >= 1 && name.n <= 64;
    for (size_t i = 0; good && i < name.n; i++) {
        char c = name.p[i];
        bool letter = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        good = letter || (i > 0 && (c == '.' || c == '_' || c == '-'));
    }
    return good;
}

/* The directory, made when missing; NULL when it cannot be. */
static const char *directory(struct request *request)
{
    const char *root = blobs_root(request->app->blobs);
    const char *dir = root ? arena_printf(request->http->arena, "%s/../snapshots", root).p : NULL;
    struct stat st;
    if (!dir || (mkdir(dir, 0700) && errno != EEXIST) || lstat(dir, &st))
        return NULL;
    return S_ISDIR(st.st_mode) ? dir : NULL; /* and no link */
}

static void answer_missing(struct request *request)
{
    admin_answer_error(
        request, 404,
        S("there is no such snapshot (headrace snapshot list, or GET /_headrace/snapshots)"));
}

/* Path of the snapshot that the address names, `tail` taken off; NULL after answering why not. */
static const char *path_of(struct request *request, const char *tail)
{
    str name = str_slice(request->http->path, sizeof PLACE - 1, request->http->path.n);
    const char *dir = directory(request);
    if (str_ends(name, str_of(tail)))
        name = str_slice(name, 0, name.n - strlen(tail));
    if (!name_good(name))
        admin_answer_error(request, 400,
                           S("a snapshot's name is 1 to 64 of A-Z a-z 0-9 . _ - and begins with a "
                             "letter or digit"));
    else if (!dir)
        admin_answer_error(request, 500, S("the directory for snapshots cannot be made"));
    else
        return arena_printf(request->http->arena, "%s/%.*s", dir, STR_ARG(name)).p;
    return NULL;
}

static void answer_failure(struct request *request, int status, char *message)
{
    admin_answer_error(request, status, arena_copy(request->http->arena, str_of(message)));
    free(message);
}

static void answer_size(struct request *request, int status, const char *path)
{
    struct stat st;
    long long bytes = stat(path, &st) == 0 ? (long long)st.st_size : 0;
    admin_answer_json(request, status,
                      arena_printf(request->http->arena, "{\"snapshot\":\"%s\",\"bytes\":%lld}",
                                   strrchr(path, '/') + 1, bytes));
}

struct awaited { /* a save, and who waits for it; in the request's arena */
    struct request *request;
    const char *path;
    struct saving *saving;
};

static void saved(void *user, const char *failure)
{
    const struct awaited *awaited = user;
    struct request *request = awaited->request;
    request->admin_state = NULL;
    if (failure)
        admin_answer_error(request, 500, arena_copy(request->http->arena, str_of(failure)));
    else
        answer_size(request, 201, awaited->path);
}

static void forget_saving(struct request *request)
{
    struct awaited *awaited = request->admin_state;
    saving_forget(awaited->saving);
}

static void save(struct request *request)
{
    const char *path = path_of(request, "");
    char *message = NULL;
    if (!path)
        return;
    struct awaited *awaited = ARENA_NEW(request->http->arena, struct awaited);
    *awaited = (struct awaited){.request = request, .path = path};
    awaited->saving = saving_start(request->app, path, saved, awaited, &message);
    if (!awaited->saving) {
        answer_failure(request, 500, message);
        return;
    }
    request->admin_state = awaited;
    request->admin_forget = forget_saving;
}

static void load(struct request *request)
{
    struct app *app = request->app;
    const char *path = path_of(request, "/load");
    char *message = NULL;
    bool refused;
    if (!path)
        return;
    if (access(path, F_OK)) {
        answer_missing(request);
        return;
    }
    if (app->saving) {
        admin_answer_error(request, 409, S("a snapshot is being saved; load this one after that"));
        return;
    }
    turn_end(app);
    if (!snapshot_load(app->db, app->blobs, path, s3_blob_columns, &refused, &message)) {
        answer_failure(request, refused ? 409 : 500, message);
        return;
    }
    sqs_reload(app->sqs);
    s3_reload(app->s3);
    trace_clear(app->trace);
    lint_clear(app->lint);
    if (app->pool)
        pool_reload(app->pool);
    answer_size(request, 200, path);
}

static void save_or_load(struct request *request)
{
    if (str_ends(request->http->path, S("/load")))
        load(request);
    else
        save(request);
}

static void download(struct request *request)
{
    const char *path = path_of(request, "");
    struct stat st;
    if (!path)
        return;
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        if (fd >= 0)
            close(fd);
        answer_missing(request);
        return;
    }
    struct http_reply *reply = request_reply(request);
    http_reply_set(request->http->arena, reply, S("Content-Type"), S("application/vnd.sqlite3"));
    reply->kind = HTTP_BODY_FILE;
    reply->fd = fd;
    reply->length = st.st_size;
    request_answer(request, reply);
}

static void upload(struct request *request)
{
    const char *path = path_of(request, "");
    str body = request->call.body;
    if (!path)
        return;
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "wb");
    bool good = file && fwrite(body.p, 1, body.n, file) == body.n;
    bool exists = fd < 0 && errno == EEXIST;
    if (fd >= 0 && !file)
        close(fd);
    if (file && fclose(file) != 0)
        good = false;
    if (good) {
        answer_size(request, 201, path);
    } else if (exists) {
        admin_answer_error(request, 409, S("there is a snapshot of this name; DELETE it first"));
    } else {
        if (fd >= 0)
            unlink(path);
        admin_answer_error(request, 500, S("the snapshot cannot be written"));
    }
}

static void delete (struct request *request)
{
    const char *path = path_of(request, "");
    if (!path)
        return;
    if (unlink(path) == 0)
        admin_answer_json(request, 200, S("{\"deleted\":true}"));
    else
        answer_missing(request);
}

static void list_all(struct request *request)
{
    struct buf b = buf_in(request->http->arena);
    const char *dir = directory(request);
    DIR *entries = dir ? opendir(dir) : NULL;
    size_t n = 0;
    BUF_LIT(&b, "{\"snapshots\":[");
    for (struct dirent *entry; entries && (entry = readdir(entries));) {
        struct stat st;
        if (!name_good(str_of(entry->d_name)) ||
            fstatat(dirfd(entries), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
            !S_ISREG(st.st_mode))
            continue;
        buf_printf(&b, "%s{\"name\":\"%s\",\"bytes\":%lld}", n++ ? "," : "", entry->d_name,
                   (long long)st.st_size);
    }
    if (entries)
        closedir(entries);
    BUF_LIT(&b, "]}");
    admin_answer_json(request, 200, buf_str(&b));
}

const struct admin_row admin_snapshot_rows[] = {
    {"GET", "/_headrace/snapshots", list_all, "saved snapshots"},
    {"POST", PLACE "*", save_or_load, "save a snapshot NAME; NAME/load loads it"},
    {"GET", PLACE "*", download, "the snapshot as a file"},
    {"PUT", PLACE "*", upload, "a file that was downloaded, back"},
    {"DELETE", PLACE "*", delete, "delete a snapshot"},
    {NULL, NULL, NULL, NULL},
};
