/* headrace.h - an emulator inside your own process: start one, point an SDK at its endpoint, move
 * its clock, stop it.
 *
 *     char *error;
 *     struct headrace *hr = headrace_start(NULL, &error);
 *     ... speak S3 and SQS to headrace_endpoint(hr) ...
 *     headrace_advance(hr, "12h");
 *     headrace_stop(hr);
 *
 * Each instance has a thread of its own, a free port on 127.0.0.1 and its own state; as many as you
 * like may run at once. Calls on one instance come from one thread at a time; different instances
 * are independent. Calls return when what they ask for is done: a moved clock has run everything
 * that fell due. Link with -lheadrace. */
#ifndef HEADRACE_H
#define HEADRACE_H

#ifdef __cplusplus
extern "C" {
#endif

#define HEADRACE_API __attribute__((visibility("default")))

struct headrace;

/* Starts an instance: in memory, on a free port, without a banner. `options` are further flags of
 * `headrace serve`, each as
 * "--flag=value" or "--flag", ended by NULL; NULL for none ("--no-pipeline" leaves out the
 * word-count pipeline, "--port=4566" and
 * "--data-dir=DIR" do what they say). Environment variables are not read. NULL on failure: *error,
 * when `error` is not NULL, is a text that the caller frees with free(). */
HEADRACE_API struct headrace *headrace_start(const char *const *options, char **error);
/* Finishes what is in flight, closes everything, waits for the thread, frees the instance. NULL is
 * fine. */
HEADRACE_API void headrace_stop(struct headrace *headrace);

/* "http://127.0.0.1:PORT"; valid until headrace_stop. */
HEADRACE_API const char *headrace_endpoint(const struct headrace *headrace);
HEADRACE_API int headrace_port(const struct headrace *headrace);

/* These return 0, or -1 with a reason in headrace_error(). */
/* Virtual time forward by "90s", "12h", "1h30m", "PT12H". */
HEADRACE_API int headrace_advance(struct headrace *headrace, const char *length);
/* Virtual time to an ISO 8601 instant. */
HEADRACE_API int headrace_set_time(struct headrace *headrace, const char *instant);
/* Virtual time stands still, at `instant` or, when it is NULL, now. */
HEADRACE_API int headrace_freeze(struct headrace *headrace, const char *instant);
/* The wall clock again. */
HEADRACE_API int headrace_real_time(struct headrace *headrace);
/* Empties everything; the pipeline's own resources are made anew. */
HEADRACE_API int headrace_reset(struct headrace *headrace);
/* Adds a fault rule, or an array of rules, as JSON (src/app/fault_rules.h has the form). */
HEADRACE_API int headrace_add_fault(struct headrace *headrace, const char *rule);
HEADRACE_API int headrace_clear_faults(struct headrace *headrace);
/* Keeps the whole state under a name, and brings it back. */
HEADRACE_API int headrace_save(struct headrace *headrace, const char *name);
HEADRACE_API int headrace_load(struct headrace *headrace, const char *name);
/* Any endpoint of ours: GET /_headrace lists them. `body` may be NULL. *answer, when not NULL, is
 * the answer's body, which the caller frees. -1 also when the answer's status is 300 or more. */
HEADRACE_API int headrace_call(struct headrace *headrace, const char *method, const char *path,
                               const char *body, char **answer);
/* Why the last call failed; valid until the next call. */
HEADRACE_API const char *headrace_error(const struct headrace *headrace);

#ifdef __cplusplus
}
#endif

#endif
