/* Headers and query parameters of one request for an object that exists. Whatever a range says, the
 * answer's length, Content-Range and body agree, and the bytes are those of the object; no header
 * of an answer can end its line. The first line is the method and what follows "/bucket/key", the
 * rest are headers. */
#include "emulator.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const char content[] = "0123456789abcdefghijklmnopqrstuvwxyz";
enum { SIZE = sizeof content - 1 };

static void must(bool holds)
{
    if (!holds)
        abort();
}

static str reply_header(const struct http_reply *reply, str name)
{
    for (size_t i = 0; i < reply->nheaders; i++)
        if (str_eq_nocase(reply->headers[i].name, name))
            return reply->headers[i].value;
    return STR_NONE;
}

static void check_part(const struct fate *fate)
{
    str range = reply_header(fate->reply, S("Content-Range"));
    long long first = -1, last = -1, size = -1;
    char text[96];
    must(range.p && range.n < sizeof text);
    memcpy(text, range.p, range.n);
    text[range.n] = 0;
    must(sscanf(text, "bytes %lld-%lld/%lld", &first, &last, &size) == 3);
    must(size == SIZE && first >= 0 && first <= last && last < size);
    must(str_eq(fate->body, (str){content + first, (size_t)(last - first + 1)}));
}

static void check_answer(const struct fate *fate, bool plain_get)
{
    for (size_t i = 0; i < fate->reply->nheaders; i++) {
        str name = fate->reply->headers[i].name;
        must(name.n && !memchr(name.p, '\n', name.n) && !memchr(name.p, ':', name.n));
    }
    if (!plain_get)
        return;
    if (fate->status == 206)
        check_part(fate);
    if (fate->status == 200)
        must(str_eq(fate->body, S("0123456789abcdefghijklmnopqrstuvwxyz")));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct app *app = fuzz_emulator();
    struct arena *arena = arena_new();
    struct fate fate;
    str headers = {(const char *)data, n}, tail = str_cut(&headers, '\n');
    str method = str_cut(&tail, ' ');
    must(fuzz_status(S("PUT /bucket\nHost: localhost\n")) == 200);
    must(fuzz_status(arena_printf(arena, "PUT /bucket/key\nHost: localhost\n\n%s", content)) ==
         200);
    fuzz_ask(&fate, arena_printf(arena, "%.*s /bucket/key%.*s\nHost: localhost\n%.*s",
                                 STR_ARG(method), STR_ARG(tail), STR_ARG(headers)));
    /* The key may have grown, and answers of subresources are others. */
    if (fate.reply)
        check_answer(&fate, str_eq(method, S("GET")) && !tail.n);
    fuzz_end(app, &fate);
    arena_free(arena);
    fuzz_empty(app);
    return 0;
}
