/* A test with an emulator of its own in the process: twelve hours of visibility timeout at once.
 *
 *     cmake -S . -B build && cmake --build build
 *     cc examples/embed/clock.c -Iinclude -Lbuild -lheadrace -Wl,-rpath,build -o clock */
#include "headrace.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int receives_it(struct headrace *emulator) /* SQS's Query protocol needs no SDK */
{
    char *answer = NULL;
    headrace_call(emulator, "GET", "/000000000000/slow?Action=ReceiveMessage", NULL, &answer);
    int found = answer && strstr(answer, "hello");
    free(answer);
    return found;
}

int main(void)
{
    struct headrace *emulator = headrace_start(NULL, NULL);
    headrace_call(emulator, "GET", "/?Action=CreateQueue&QueueName=slow&Attribute.1.Name=VisibilityTimeout&Attribute.1.Value=43200", NULL, NULL);
    headrace_call(emulator, "GET", "/000000000000/slow?Action=SendMessage&MessageBody=hello", NULL, NULL);
    assert(receives_it(emulator) && !receives_it(emulator));
    headrace_advance(emulator, "12h");
    assert(receives_it(emulator));
    headrace_stop(emulator);
    puts("the message came back after twelve hours");
}
