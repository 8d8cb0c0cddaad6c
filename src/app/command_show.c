/* app/command_show.c - answers of a running instance for people: what is JSON in a pipe and with
 * --json is a few lines on a terminal. */
#include "app/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *text_of(json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

static long long number_of(json_t *object, const char *name)
{
    return (long long)json_integer_value(json_object_get(object, name));
}

/* Names, keys and messages come from others: a terminal gets no orders from them. */
static void put(const char *text)
{
    for (; *text; text++)
        putchar((unsigned char)*text < 32 || *text == 127 ? '?' : *text);
}

/* " operation=PutObject nth=3": what a rule was given, but for what is told otherwise. */
static void put_members(json_t *rule)
{
    static const char *const told[] = {"id", "effect", "matched", "fired"};
    const char *name;
    json_t *value;
    json_object_foreach(rule, name, value)
    {
        size_t i = 0;
        while (i < sizeof told / sizeof *told && strcmp(told[i], name))
            i++;
        if (i < sizeof told / sizeof *told)
            continue;
        char *dumped =
            json_is_string(value) ? NULL : json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
        printf("  %s=", name);
        put(dumped ? dumped : json_string_value(value));
        free(dumped);
    }
}

void show_faults(json_t *answer)
{
    json_t *rules = json_object_get(answer, "rules"), *rule;
    size_t i;
    json_array_foreach(rules, i, rule)
    {
        const char *effect = text_of(rule, "effect");
        printf("%-10s %-12s matched %lld, fired %lld", text_of(rule, "id"),
               *effect ? effect : "error", number_of(rule, "matched"), number_of(rule, "fired"));
        put_members(rule);
        putchar('\n');
    }
    if (!json_array_size(rules))
        puts("no rules: nothing goes wrong on purpose");
}

void show_fault_added(json_t *answer)
{
    size_t i;
    json_t *id;
    json_array_foreach(json_object_get(answer, "ids"), i, id)
        printf("added %s\n", json_string_value(id));
}

void show_fault_removed(json_t *answer)
{
    long long n = number_of(answer, "removed");
    printf(n == 1 ? "removed %lld rule\n" : "removed %lld rules\n", n);
}

void show_snapshots(json_t *answer)
{
    json_t *all = json_object_get(answer, "snapshots"), *one;
    size_t i;
    json_array_foreach(all, i, one)
        printf("%-40s %12lld bytes\n", text_of(one, "name"), number_of(one, "bytes"));
    if (!json_array_size(all))
        puts("no snapshots");
}

void show_snapshot(json_t *answer)
{
    printf("%s: %lld bytes\n", text_of(answer, "snapshot"), number_of(answer, "bytes"));
}

void show_done(json_t *answer)
{
    (void)answer;
    puts("done");
}

void show_leaks(json_t *answer)
{
    json_t *row;
    size_t i;
    json_array_foreach(json_object_get(answer, "buckets"), i, row)
        printf("bucket  %-40s %lld versions\n", text_of(row, "bucket"), number_of(row, "versions"));
    json_array_foreach(json_object_get(answer, "queues"), i, row)
        printf("queue   %-40s %lld messages  %s\n", text_of(row, "queue"),
               number_of(row, "messages"), text_of(row, "region"));
    if (!number_of(answer, "leaks"))
        printf("account %s left nothing behind\n", text_of(answer, "account"));
}

int command_show(const struct asked *asked, const char *method, str target, str sent,
                 void (*show)(json_t *answer))
{
    str body;
    if (asked->json || !isatty(STDOUT_FILENO))
        return command_request(asked->arena, asked->endpoint, method, target, sent, NULL);
    int code = command_request(asked->arena, asked->endpoint, method, target, sent, &body);
    json_t *answer = code == 0 ? json_loadb(body.p, body.n, 0, NULL) : NULL;
    if (answer)
        show(answer);
    json_decref(answer);
    return code;
}
