/* app/command_request.c - commands that are one request to a running instance: sent, and its answer
 * printed. Refusals are JSON with one text in it, which becomes a line on stderr. */
#include "app/call_http.h"
#include "app/command.h"

#include <jansson.h>
#include <stdio.h>

/* The text of {"error":"..."}; what is plain text already as it is; absent for what no Headrace
 * says. */
static str refusal(struct arena *arena, str body)
{
    json_t *root = json_loadb(body.p, body.n, 0, NULL);
    const char *text = json_string_value(json_object_get(root, "error"));
    str said = text ? arena_copy(arena, str_of(text)) : STR_NONE;
    json_decref(root);
    if (!said.p && body.n && body.p[0] != '<' && body.p[0] != '{')
        said = str_trim(body);
    return said;
}

static int refused(struct arena *arena, str endpoint, const struct http_answer *answer)
{
    str said = answer->status >= 300 ? refusal(arena, answer->body) : STR_NONE;
    if (said.p)
        command_fail("%.*s", STR_ARG(said));
    else
        command_fail("%.*s answers %d, not as a Headrace does", STR_ARG(endpoint), answer->status);
    return 1;
}

int command_request(struct arena *arena, const char *given, const char *method, str target,
                    str sent, str *body)
{
    struct http_answer answer;
    str why, endpoint = command_endpoint(arena, given);
    if (!call_http(arena, endpoint, method, target, sent, &answer, &why)) {
        command_fail("%.*s (is it running? --endpoint-url, HEADRACE_ENDPOINT or HEADRACE_PORT name "
                     "another)",
                     STR_ARG(why));
        return 1;
    }
    if (answer.status >= 300 || !answer.ours)
        return refused(arena, endpoint, &answer);
    if (body) {
        *body = answer.body;
    } else {
        fwrite(answer.body.p, 1, answer.body.n, stdout);
        if (answer.body.n && answer.body.p[answer.body.n - 1] != '\n')
            putchar('\n');
    }
    return 0;
}
