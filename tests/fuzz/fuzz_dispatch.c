/* The whole emulator without a socket: every request, whatever it is, gets one answer, waits, or is
 * cut - and nothing is left when its client goes. Several requests are one input, "----" lines
 * apart, so that one can build on another. State is emptied after each. */
#include "emulator.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { MAX_REQUESTS = 16 };

static str next_request(str *rest)
{
    ptrdiff_t at = str_find(*rest, S("\n----\n"), 0);
    str one = at < 0 ? *rest : str_slice(*rest, 0, (size_t)at);
    *rest = at < 0 ? STR_NONE : str_slice(*rest, (size_t)at + 6, rest->n);
    return one;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct app *app = fuzz_emulator();
    struct fate fates[MAX_REQUESTS] = {0};
    str rest = {(const char *)data, n};
    size_t sent = 0;
    while (rest.p && sent < MAX_REQUESTS)
        fuzz_send(app, &fates[sent++], next_request(&rest));
    for (size_t i = 0; i < sent; i++)
        fuzz_end(app, &fates[i]);
    clock_real(&app->clock);
    fuzz_empty(app);
    return 0;
}
