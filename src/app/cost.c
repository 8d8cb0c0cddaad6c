/* app/cost.c - see cost.h. Money is kept in nano-dollars, so that a million sends at $0.40 are
 * exact. An operation takes the first row that names it, else its service's row without a name. */
#include "app/cost.h"

#include "base/text.h"

#include <stdio.h>

#define PRICES_OF "2025-06-01"
#define NANO 1000000000LL

enum unit {
    PER_REQUEST,
    PER_CHUNK, /* SQS bills each started 64 KiB of payload as a request, and FIFO queues' more */
    PER_REQUEST_SENT, /* and the answer's bytes as transfer out to the internet */
};

struct price {
    const char *service, *operations; /* names between blanks; NULL: the rest of the service */
    int64_t nano;                     /* per unit */
    enum unit unit;
};

/* https://aws.amazon.com/s3/pricing/ and /sqs/pricing/, us-east-1, S3 Standard, first tier. */
static const struct price prices[] = {
    {"s3", " DeleteObject DeleteObjects AbortMultipartUpload DeleteBucket ", 0, PER_REQUEST},
    {"s3",
     " PutObject CopyObject PostObject CreateMultipartUpload UploadPart UploadPartCopy "
     "CompleteMultipartUpload ListObjects "
     "ListObjectsV2 ListObjectVersions ListMultipartUploads ListParts ListBuckets CreateBucket "
     "RestoreObject ",
     5000, PER_REQUEST},
    {"s3", " GetObject ", 400, PER_REQUEST_SENT},
    {"s3", NULL, 400, PER_REQUEST},
    {"sqs", NULL, 400, PER_CHUNK},
    {"sts", NULL, 0, PER_REQUEST},
};
#define FIFO_MORE_NANO 100LL                 /* a chunk: $0.50 a million instead of $0.40 */
#define STORAGE_NANO_PER_GB_MONTH 23000000LL /* $0.023 */
#define TRANSFER_NANO_PER_GB 90000000LL      /* $0.09 to the internet; free inside the region */

static const struct price *price_of(const struct metrics_operation *operation)
{
    char name[128];
    int n = snprintf(name, sizeof name, " %.*s ", STR_ARG(operation->operation));
    for (size_t i = 0; i < sizeof prices / sizeof *prices; i++) {
        if (!str_eq(str_of(prices[i].service), operation->service))
            continue;
        if (!prices[i].operations ||
            str_find(str_of(prices[i].operations), (str){name, (size_t)n}, 0) >= 0)
            return &prices[i];
    }
    return NULL;
}

static int64_t gigabytes_cost(int64_t bytes, int64_t nano_per_gb)
{
    return (int64_t)((double)bytes / 1073741824.0 * (double)nano_per_gb);
}

static int64_t requests_cost(const struct metrics_operation *operation)
{
    const struct price *price = price_of(operation);
    if (!price)
        return 0;
    if (price->unit == PER_CHUNK)
        return price->nano * operation->chunks + FIFO_MORE_NANO * operation->fifo_chunks;
    return price->nano * operation->requests;
}

static int64_t transfer_cost(const struct metrics_operation *operation)
{
    const struct price *price = price_of(operation);
    return price && price->unit == PER_REQUEST_SENT
               ? gigabytes_cost(operation->bytes_out, TRANSFER_NANO_PER_GB)
               : 0;
}

/* Part of the cost that empty receives make: each is one chunk. */
static int64_t empty_cost(const struct metrics_operation *operation)
{
    const struct price *price = price_of(operation);
    return price ? price->nano * operation->empty_receives +
                       FIFO_MORE_NANO * operation->fifo_empty_receives
                 : 0;
}

struct sums {
    int64_t requests, transfer, empty, storage;
};

static struct sums sum_up(const struct cost_usage *usage)
{
    struct sums sums = {.storage = gigabytes_cost(usage->stored_bytes, STORAGE_NANO_PER_GB_MONTH)};
    for (size_t i = 0; i < usage->n; i++) {
        sums.requests += requests_cost(&usage->operations[i]);
        sums.transfer += transfer_cost(&usage->operations[i]);
        sums.empty += empty_cost(&usage->operations[i]);
    }
    return sums;
}

static void put_usd(struct buf *b, int64_t nano)
{
    buf_printf(b, "%lld.%09lld", (long long)(nano / NANO), (long long)(nano % NANO));
}

static void member_usd(struct buf *b, const char *name, int64_t nano)
{
    buf_printf(b, ",\"%s\":", name);
    put_usd(b, nano);
}

void cost_json(struct buf *b, const struct cost_usage *usage)
{
    struct sums sums = sum_up(usage);
    BUF_LIT(b, "{\"currency\":\"USD\",\"region\":\"us-east-1\",\"pricesOf\":\"" PRICES_OF
               "\",\"operations\":[");
    for (size_t i = 0; i < usage->n; i++) {
        const struct metrics_operation *operation = &usage->operations[i];
        buf_printf(
            b,
            "%s{\"service\":\"%.*s\",\"operation\":\"%.*s\",\"requests\":%lld,\"billedUnits\":%lld",
            i ? "," : "", STR_ARG(operation->service), STR_ARG(operation->operation),
            (long long)operation->requests, (long long)operation->chunks);
        member_usd(b, "requestCost", requests_cost(operation));
        member_usd(b, "transferCost", transfer_cost(operation));
        buf_printf(b, ",\"emptyReceives\":%lld", (long long)operation->empty_receives);
        member_usd(b, "emptyReceiveCost", empty_cost(operation));
        buf_char(b, '}');
    }
    buf_char(b, ']');
    member_usd(b, "requests", sums.requests);
    member_usd(b, "transfer", sums.transfer);
    member_usd(b, "emptyReceives", sums.empty);
    member_usd(b, "storagePerMonth", sums.storage);
    member_usd(b, "total", sums.requests + sums.transfer);
    buf_char(b, '}');
}

static void put_row(struct buf *b, const struct metrics_operation *operation)
{
    buf_printf(b, "  %-4.*s %-28.*s %10lld  $", STR_ARG(operation->service),
               STR_ARG(operation->operation), (long long)operation->requests);
    put_usd(b, requests_cost(operation) + transfer_cost(operation));
    if (operation->empty_receives)
        buf_printf(b, "  %lld%% of them empty receives",
                   (long long)(operation->empty_receives * 100 / operation->requests));
    buf_char(b, '\n');
}

void cost_text(struct buf *b, const struct cost_usage *usage)
{
    struct sums sums = sum_up(usage);
    BUF_LIT(b, "What this run would have cost on AWS (list prices of " PRICES_OF
               ", us-east-1, no free tier, GetObject to the internet)\n");
    buf_printf(b, "  %-4s %-28s %10s  %s\n", "", "operation", "requests", "cost");
    for (size_t i = 0; i < usage->n; i++)
        put_row(b, &usage->operations[i]);
    BUF_LIT(b, "  requests and transfer  $");
    put_usd(b, sums.requests + sums.transfer);
    if (sums.empty) {
        BUF_LIT(b, "   of which empty receives  $");
        put_usd(b, sums.empty);
    }
    BUF_LIT(b, "\n  storage, if kept for a month  $");
    put_usd(b, sums.storage);
    buf_char(b, '\n');
}
