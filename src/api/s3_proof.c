/* api/s3_proof.c - see s3_proof.h. The loop opens one file after the other, the pool reads it. A
 * pin keeps the numbers from standing for other bodies meanwhile. The run that follows looks anew:
 * what was written over in the meantime needs no proof, and what came to be needs its own. */
#include "api/s3_proof.h"

#include "base/log.h"

#include <stdlib.h>

struct proof {
    struct upload base; /* first */
    struct api *api;
    struct blob_pin *pin;
    struct blob_proof *file; /* the one the pool reads; NULL: none */
    size_t n, next;          /* of ids */
    bool dropped, damaged;
    int64_t ids[];
};

static void proof_free(struct proof *proof)
{
    blob_pin_end(proof->pin);
    free(proof);
}

static void compare(void *arg)
{
    struct proof *proof = arg;
    blob_proof_run(proof->file);
}

static void compared(void *arg);

/* Starts with the next file; false: there is none. */
static bool advance(struct proof *proof)
{
    while (!proof->file && proof->next < proof->n)
        proof->file = blob_proof_begin(proof->api->blobs, proof->ids[proof->next++]);
    if (proof->file)
        proof->api->offload(proof->api->offload_user, compare, compared, proof);
    return proof->file != NULL;
}

static void compared(void *arg)
{
    struct proof *proof = arg;
    proof->damaged = !blob_proof_end(proof->file);
    proof->file = NULL;
    if (proof->damaged)
        log_error("body %lld is damaged; see headrace doctor --repair",
                  (long long)proof->ids[proof->next - 1]);
    if (proof->dropped) {
        proof_free(proof);
        return;
    }
    if (!proof->damaged && advance(proof))
        return;
    proof->base.busy = false;
    proof->base.drained(proof->base.user);
}

static err no_body(struct upload *upload, str chunk)
{
    (void)upload;
    (void)chunk;
    return OK;
}

static void proof_drop(struct upload *upload)
{
    struct proof *proof = (struct proof *)upload;
    proof->dropped = true;
    if (!proof->file)
        proof_free(proof);
}

static const struct upload_ops proof_ops = {no_body, NULL, proof_drop};

static err finish(struct call *call)
{
    struct proof *proof = (struct proof *)call->upload;
    bool damaged = proof && proof->damaged;
    call->upload = NULL;
    if (proof)
        proof_free(proof);
    return damaged ? FAIL(FAULT_INTERNAL) : OK;
}

err s3_proof(struct call *call, const struct blob_slice *slices, size_t n, bool *waits)
{
    *waits = false;
    TRY(finish(call));
    if (!call->api->offload)
        return OK;
    struct proof *proof = xalloc(sizeof *proof + n * sizeof *proof->ids);
    *proof = (struct proof){.base = {.ops = &proof_ops}, .api = call->api, .n = n};
    for (size_t i = 0; i < n; i++)
        proof->ids[i] = slices[i].id;
    proof->pin = blob_pin(call->api->blobs, proof->ids, n);
    *waits = proof->base.busy = advance(proof);
    if (*waits)
        call->upload = &proof->base;
    else
        proof_free(proof);
    return OK;
}
