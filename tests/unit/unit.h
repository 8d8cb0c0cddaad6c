/* unit.h - the smallest layer over cmocka: a test is one function whose name is the rule it proves.
 *
 *     TEST(an_empty_text_has_no_lines)
 *     {
 *         CHECK_INT(lines_of(S("")), 0);
 *     }
 *     UNIT_MAIN
 *
 * TEST registers itself before main() runs, so there is no list to keep in step. A failed CHECK
 * prints what was expected and what came, and ends that one test. Tests never sleep and read no
 * clock: time is a number in a ctx. Run one test alone with its name, or a part of it, as the
 * argument: ./build/test_str trim */
#ifndef HEADRACE_TESTS_UNIT_H
#define HEADRACE_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/str.h"

enum { UNIT_MAX_TESTS = 512 };

/* One executable is one topic; its list of tests lives and dies with it. */
static struct CMUnitTest unit_tests[UNIT_MAX_TESTS];
static size_t unit_count;

static inline void unit_register(const char *name, CMUnitTestFunction function)
{
    if (unit_count == UNIT_MAX_TESTS)
        abort();
    unit_tests[unit_count++] = (struct CMUnitTest){.name = name, .test_func = function};
}

#define TEST(rule)                                                                                 \
    static void rule(void);                                                                        \
    static void rule##_run_(void **state)                                                          \
    {                                                                                              \
        (void)state;                                                                               \
        rule();                                                                                    \
    }                                                                                              \
    __attribute__((constructor)) static void rule##_register_(void)                                \
    {                                                                                              \
        unit_register(#rule, rule##_run_);                                                         \
    }                                                                                              \
    static void rule(void)

static inline int unit_main(int argc, char **argv, const char *topic)
{
    char pattern[256];
    if (argc > 1) {
        snprintf(pattern, sizeof pattern, "*%s*", argv[1]);
        cmocka_set_test_filter(pattern);
    }
    return _cmocka_run_group_tests(topic, unit_tests, unit_count, NULL, NULL);
}

#define UNIT_MAIN                                                                                  \
    int main(int argc, char **argv)                                                                \
    {                                                                                              \
        return unit_main(argc, argv, __FILE__);                                                    \
    }

/* Bytes that a terminal would not show are printed as \xNN, so that two texts that look alike can
 * be told apart. */
static inline void unit_print(const char *label, str s)
{
    char line[512];
    size_t n = 0;
    for (size_t i = 0; i < s.n && n + 8 < sizeof line; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c >= 0x20 && c < 0x7f)
            line[n++] = (char)c;
        else
            n += (size_t)snprintf(line + n, sizeof line - n, c == '\n' ? "\\n" : "\\x%02x", c);
    }
    line[n] = 0;
    if (s.p)
        print_error("  %s \"%s\" (%zu bytes)\n", label, line, s.n);
    else
        print_error("  %s absent\n", label);
}

static inline void unit_check(bool holds, const char *what, const char *file, int line)
{
    if (holds)
        return;
    print_error("  does not hold: %s\n", what);
    _fail(file, line);
}

/* Absent equals absent only; in all else the bytes decide. */
static inline void unit_check_str(str got, str want, const char *what, const char *file, int line)
{
    if (!got.p == !want.p && str_eq(got, want))
        return;
    print_error("  %s\n", what);
    unit_print("got ", got);
    unit_print("want", want);
    _fail(file, line);
}

static inline void unit_check_int(intmax_t got, intmax_t want, const char *what, const char *file,
                                  int line)
{
    if (got == want)
        return;
    print_error("  %s: got %jd, want %jd\n", what, got, want);
    _fail(file, line);
}

static inline void unit_check_err(err got, const struct fault *want, const char *what,
                                  const char *file, int line)
{
    if (got.fault == want)
        return;
    print_error("  %s: want %s\n", what, want ? want->code : "success");
    if (got.fault) {
        print_error("  got  %s: ", got.fault->code);
        unit_print("message", err_message(got));
    } else {
        print_error("  got  success\n");
    }
    _fail(file, line);
}

#define CHECK(condition) unit_check((condition), #condition, __FILE__, __LINE__)
#define CHECK_STR(got, want) unit_check_str((got), (want), #got, __FILE__, __LINE__)
#define CHECK_INT(got, want)                                                                       \
    unit_check_int((intmax_t)(got), (intmax_t)(want), #got, __FILE__, __LINE__)
#define CHECK_OK(expression) unit_check_err((expression), NULL, #expression, __FILE__, __LINE__)
#define CHECK_FAULT(expression, row)                                                               \
    unit_check_err((expression), &(row), #expression, __FILE__, __LINE__)

#endif
