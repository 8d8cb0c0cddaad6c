/* aws/chunked.c - see chunked.h. One state a part of the framing; each state's function consumes
 * what it can of the bytes at hand and returns, so a cut may fall anywhere. Only lines are kept, up
 * to LINE_MAX_BYTES; data passes through by reference.
 *
 * Signatures chain: each chunk's is made over the one before it, the first over that of the
 * headers. Data has left for the sink before its signature is known; what is written there is
 * dropped when it fails. Source: docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html and
 * sigv4-streaming-trailers.html. */
#include "aws/chunked.h"

#include "aws/canonical.h"
#include "aws/fault.h"

#include "base/text.h"

#include <string.h>

#define LINE_MAX_BYTES 4096
#define TRAILERS_MAX 32
#define SIGNATURE_N 64
#define CHUNK_MIN 8192 /* AWS's least size of a signed chunk that is not the last */

enum state { SIZE_LINE, DATA, DATA_END, TRAILER_LINE, DONE, STATES };

struct chunked {
    struct arena *arena;
    struct chunked_options options;
    enum state state;
    err failure;
    char line[LINE_MAX_BYTES];
    size_t line_n;
    int64_t left, size, total; /* of this chunk; of all data so far */
    int64_t smallest;          /* a chunk below CHUNK_MIN was seen: fine when it was the last */
    char given[SIGNATURE_N], previous[SIGNATURE_N]; /* signatures: this chunk's, the one before */
    struct digest_state *hash;
    struct arena *scratch; /* texts of one check: emptied after each, or a 5 GiB body would leave 80
                              MB of them */
    struct http_header trailers[TRAILERS_MAX];
    size_t ntrailers;
    str trailer_signature;
    struct buf signed_trailers; /* "name:value\n" in order */
    chunked_sink *sink;
    void *user;
};

/* A signature of the wrong length becomes one that matches nothing. */
static void keep_signature(char *to, str signature)
{
    memset(to, 0, SIGNATURE_N);
    if (signature.n == SIGNATURE_N)
        memcpy(to, signature.p, SIGNATURE_N);
}

struct chunked *chunked_new(struct arena *arena, const struct chunked_options *options)
{
    struct chunked *c = ARENA_NEW(arena, struct chunked);
    c->arena = arena;
    c->options = *options;
    c->signed_trailers = buf_in(arena);
    if (options->key) {
        c->scratch = arena_new();
        keep_signature(c->previous, options->key->seed);
    }
    return c;
}

static err cut_short(void)
{
    return FAIL(AWS_INCOMPLETE_BODY);
}

/* --- signatures --- */

static err mismatch(struct chunked *c, str text)
{
    err e = err_with(c->arena, FAIL(AWS_SIGNATURE_MISMATCH), "StringToSign",
                     arena_copy(c->arena, text));
    return err_with(c->arena, e, "SignatureProvided",
                    arena_copy(c->arena, (str){c->given, SIGNATURE_N}));
}

/* `tail`: the last lines of the text that is signed. */
static err check_signature(struct chunked *c, const char *kind, str tail)
{
    const struct auth_chunk_key *key = c->options.key;
    str text = arena_printf(c->scratch, "AWS4-HMAC-SHA256-%s\n%.*s\n%.*s\n%.*s\n%.*s", kind,
                            STR_ARG(key->date), STR_ARG(key->scope), SIGNATURE_N, c->previous,
                            STR_ARG(tail));
    str mine = canonical_signature(c->scratch, key->key, text);
    if (!secret_equal(mine, (str){c->given, SIGNATURE_N}))
        return mismatch(c, text);
    keep_signature(c->previous, mine);
    arena_reset(c->scratch);
    return OK;
}

static str hex_sha256(struct arena *arena, str s)
{
    return digest_hex(arena, digest_of(DIGEST_SHA256, s));
}

static err end_of_chunk(struct chunked *c)
{
    if (!c->options.key)
        return OK;
    str hash = digest_hex(c->scratch, digest_end(c->hash));
    c->hash = NULL;
    str empty = hex_sha256(c->scratch, S(""));
    return check_signature(c, "PAYLOAD",
                           arena_printf(c->scratch, "%.*s\n%.*s", STR_ARG(empty), STR_ARG(hash)));
}

static err end_of_trailers(struct chunked *c)
{
    c->state = DONE;
    if (!c->options.key || !c->options.trailer)
        return OK;
    keep_signature(c->given, c->trailer_signature);
    return check_signature(c, "TRAILER", hex_sha256(c->scratch, buf_str(&c->signed_trailers)));
}

/* --- lines --- */

/* Takes bytes up to and with the next LF into c->line; true when a line is complete (without its
 * CRLF). */
static bool take_line(struct chunked *c, str *bytes, err *e)
{
    const char *lf = memchr(bytes->p, '\n', bytes->n);
    size_t n = lf ? (size_t)(lf - bytes->p) : bytes->n;
    if (c->line_n + n > LINE_MAX_BYTES) {
        *e = cut_short();
        return false;
    }
    memcpy(c->line + c->line_n, bytes->p, n);
    c->line_n += n;
    *bytes = str_slice(*bytes, n + (lf != NULL), bytes->n);
    if (lf && c->line_n && c->line[c->line_n - 1] == '\r')
        c->line_n--;
    return lf != NULL;
}

static str line_of(struct chunked *c)
{
    str line = {c->line, c->line_n};
    c->line_n = 0;
    return line;
}

static bool parse_size(str text, int64_t *size)
{
    int64_t value = 0;
    if (!text.n || text.n > 15)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        static const char digits[] = "0123456789abcdef0123456789ABCDEF";
        const char *at = memchr(digits, text.p[i], sizeof digits - 1);
        if (!at)
            return false;
        value = value * 16 + ((at - digits) & 15);
    }
    *size = value;
    return true;
}

static err too_small(struct chunked *c)
{
    err e = err_with(c->arena, FAIL(AWS_INVALID_CHUNK_SIZE), "Chunk", S("1"));
    return err_with(c->arena, e, "BadChunkSize",
                    arena_printf(c->arena, "%lld", (long long)c->smallest));
}

/* "400;chunk-signature=..." */
static err begin_chunk(struct chunked *c, str line)
{
    str rest = line;
    str size = str_trim(str_cut(&rest, ';'));
    if (!parse_size(size, &c->size))
        return cut_short();
    keep_signature(c->given, STR_NONE);
    while (rest.p) {
        str value = str_trim(str_cut(&rest, ';'));
        if (str_eq(str_cut(&value, '='), S("chunk-signature")))
            keep_signature(c->given, value);
    }
    if (c->options.key)
        c->hash = digest_begin(DIGEST_SHA256);
    if (c->size && c->smallest && c->options.key)
        return too_small(c);
    if (c->size && c->size < CHUNK_MIN)
        c->smallest = c->size;
    c->left = c->size;
    c->total += c->size;
    if (c->options.decoded_length >= 0 && c->total > c->options.decoded_length)
        return cut_short();
    c->state = c->size ? DATA : TRAILER_LINE;
    return c->size ? OK : end_of_chunk(c);
}

static err take_size_line(struct chunked *c, str *bytes)
{
    err e = OK;
    if (!take_line(c, bytes, &e))
        return e;
    return begin_chunk(c, line_of(c));
}

/* --- data --- */

static err take_data(struct chunked *c, str *bytes)
{
    size_t n = (uint64_t)c->left < bytes->n ? (size_t)c->left : bytes->n;
    str data = str_slice(*bytes, 0, n);
    if (c->hash)
        digest_update(c->hash, data.p, data.n);
    TRY(c->sink(c->user, data));
    *bytes = str_slice(*bytes, n, bytes->n);
    c->left -= (int64_t)n;
    if (c->left)
        return OK;
    c->state = DATA_END;
    return end_of_chunk(c);
}

/* CRLF after data. */
static err take_data_end(struct chunked *c, str *bytes)
{
    err e = OK;
    if (!take_line(c, bytes, &e))
        return e.fault || c->line_n <= 1 ? e : cut_short();
    c->state = SIZE_LINE;
    return line_of(c).n ? cut_short() : OK;
}

/* --- trailers --- */

static err add_trailer(struct chunked *c, str line)
{
    str value = line;
    str name = text_lower(c->arena, str_trim(str_cut(&value, ':')));
    if (!value.p || !name.n || c->ntrailers == TRAILERS_MAX)
        return FAIL(AWS_MALFORMED_TRAILER);
    value = arena_copy(c->arena, str_trim(value));
    if (str_eq(name, S("x-amz-trailer-signature"))) {
        c->trailer_signature = value;
        return OK;
    }
    c->trailers[c->ntrailers++] = (struct http_header){name, value};
    buf_put(&c->signed_trailers, name);
    buf_char(&c->signed_trailers, ':');
    buf_put(&c->signed_trailers, value);
    buf_char(&c->signed_trailers, '\n');
    return OK;
}

static err take_trailer(struct chunked *c, str *bytes)
{
    err e = OK;
    if (!take_line(c, bytes, &e))
        return e;
    str line = line_of(c);
    /* An empty line before the signature only sets it apart; JS and botocore send none there. */
    if (!line.n)
        return c->options.key && c->options.trailer && !c->trailer_signature.p ? OK
                                                                               : end_of_trailers(c);
    return add_trailer(c, line);
}

static err take_rest(struct chunked *c, str *bytes)
{
    (void)c;
    str rest = *bytes;
    *bytes = STR_NONE;
    return str_trim(rest).n ? cut_short() : OK;
}

/* --- */

typedef err take(struct chunked *c, str *bytes);
static take *const takers[STATES] = {
    [SIZE_LINE] = take_size_line,  [DATA] = take_data, [DATA_END] = take_data_end,
    [TRAILER_LINE] = take_trailer, [DONE] = take_rest,
};

void chunked_drop(struct chunked *c)
{
    if (c->hash)
        digest_drop(c->hash);
    if (c->scratch)
        arena_free(c->scratch);
    c->hash = NULL;
    c->scratch = NULL;
}

static err failed_for_good(struct chunked *c, err e)
{
    c->failure = e;
    chunked_drop(c);
    return e;
}

err chunked_feed(struct chunked *c, str bytes, chunked_sink *sink, void *user)
{
    c->sink = sink;
    c->user = user;
    err e = c->failure;
    while (bytes.n && !failed(e))
        e = takers[c->state](c, &bytes);
    return failed(e) ? failed_for_good(c, e) : OK;
}

static err end(struct chunked *c)
{
    if (c->state != TRAILER_LINE && c->state != DONE)
        return cut_short();
    if (c->state == TRAILER_LINE && c->line_n && c->line[c->line_n - 1] == '\r')
        c->line_n--;
    if (c->state == TRAILER_LINE && c->line_n)
        TRY(add_trailer(c, line_of(c)));
    if (c->state == TRAILER_LINE)
        TRY(end_of_trailers(c));
    return c->options.decoded_length >= 0 && c->total != c->options.decoded_length ? cut_short()
                                                                                   : OK;
}

err chunked_end(struct chunked *c)
{
    err e = failed(c->failure) ? c->failure : end(c);
    if (failed(e))
        return failed_for_good(c, e);
    chunked_drop(c);
    return OK;
}

void chunked_trailers(const struct chunked *c, struct http_header **trailers, size_t *n)
{
    *trailers = (struct http_header *)(uintptr_t)c->trailers;
    *n = c->ntrailers;
}
