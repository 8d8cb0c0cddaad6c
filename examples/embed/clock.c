/* A test with an emulator of its own inside the process: twelve hours of visibility timeout pass at once.
 *
 *     cmake -S . -B build && cmake --build build
 *     cc examples/embed/clock.c -Iinclude -Lbuild -lheadrace -Wl,-rpath,build -o clock && ./clock */
#include "headrace.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* SQS's Query protocol needs no SDK. */
static char *sqs(struct headrace *emulator, const char *query)
{
    char *answer = NULL;
    int code = headrace_call(emulator, "GET", query, NULL, &answer);
    assert(code == 0);
    return answer;
}

int main(void)
{
    static const char receive[] = "/000000000000/slow?Action=ReceiveMessage";
    struct headrace *emulator = headrace_start(NULL, NULL);
    char *first, *hidden, *again;
    free(sqs(emulator, "/?Action=CreateQueue&QueueName=slow&Attribute.1.Name=VisibilityTimeout&Attribute.1.Value=43200"));
    free(sqs(emulator, "/000000000000/slow?Action=SendMessage&MessageBody=hello"));
    first = sqs(emulator, receive);
    hidden = sqs(emulator, receive);
    headrace_advance(emulator, "12h");
    again = sqs(emulator, receive);
    int good = strstr(first, "hello") && !strstr(hidden, "hello") && strstr(again, "hello");
    free(first), free(hidden), free(again);
    headrace_stop(emulator);
    puts(good ? "the message came back after twelve hours" : "the message did not come back");
    return !good;
}
