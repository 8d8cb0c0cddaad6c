/* Rules of base/arena, base/buf and base/err. */
#include "unit.h"

#include "base/buf.h"

TEST(memory_of_an_arena_is_zeroed_and_aligned)
{
    struct arena *arena = arena_new();
    for (size_t size = 1; size < 200000; size = size * 3 + 1) {
        unsigned char *p = arena_alloc(arena, size);
        CHECK_INT((uintptr_t)p % 16, 0);
        for (size_t i = 0; i < size; i++)
            CHECK_INT(p[i], 0);
        memset(p, 0xa5, size);
    }
    arena_free(arena);
}

TEST(reset_forgets_all_and_reused_memory_is_zeroed_again)
{
    struct arena *arena = arena_new();
    memset(arena_alloc(arena, 100), 0xa5, 100);
    arena_alloc(arena, 1 << 20);
    CHECK(arena_used(arena) >= (1 << 20) + 100);
    arena_reset(arena);
    CHECK_INT(arena_used(arena), 0);
    const char *again = arena_alloc(arena, 100);
    for (size_t i = 0; i < 100; i++)
        CHECK_INT(again[i], 0);
    arena_free(arena);
}

TEST(the_newest_block_grows_in_place_and_an_older_one_moves)
{
    struct arena *arena = arena_new();
    char *p = arena_alloc(arena, 32);
    memcpy(p, "first", 5);
    char *grown = arena_grow(arena, p, 32, 256);
    CHECK(grown == p);
    arena_alloc(arena, 16);
    char *moved = arena_grow(arena, grown, 256, 512);
    CHECK(moved != grown);
    CHECK(!memcmp(moved, "first", 5));
    arena_free(arena);
}

TEST(a_copy_is_terminated_and_absent_stays_absent)
{
    struct arena *arena = arena_new();
    str copy = arena_copy(arena, str_slice(S("abcdef"), 1, 3));
    CHECK_STR(copy, S("bc"));
    CHECK_INT(copy.p[2], 0);
    CHECK(arena_copy(arena, STR_NONE).p == NULL);
    CHECK(arena_copy(arena, S("")).p != NULL);
    CHECK_STR(str_of(arena_cstr(arena, STR_NONE)), S(""));
    CHECK_STR(arena_join(arena, S("a\0"), S("b")), S("a\0b"));
    arena_free(arena);
}

TEST(printf_takes_texts_shorter_and_longer_than_its_first_guess)
{
    struct arena *arena = arena_new();
    CHECK_STR(arena_printf(arena, "%s-%d", "x", 5), S("x-5"));
    for (int n = 250; n < 262; n++) {
        str text = arena_printf(arena, "%0*d", n, 1);
        CHECK_INT(text.n, n);
        CHECK_INT(text.p[n - 1], '1');
        CHECK_INT(text.p[n], 0);
    }
    arena_free(arena);
}

TEST(a_buf_is_empty_not_absent_and_joins_its_puts)
{
    struct arena *arena = arena_new();
    struct buf b = buf_in(arena);
    CHECK_STR(buf_str(&b), S(""));
    BUF_LIT(&b, "n=");
    buf_int(&b, INT64_MIN);
    buf_char(&b, ' ');
    buf_int(&b, 0);
    buf_put(&b, STR_NONE);
    buf_printf(&b, "<%s>", "tag");
    CHECK_STR(buf_str(&b), S("n=-9223372036854775808 0<tag>"));
    arena_free(arena);
}

TEST(a_buf_keeps_its_bytes_while_others_allocate)
{
    struct arena *arena = arena_new();
    struct buf b = buf_in(arena);
    for (int i = 0; i < 5000; i++) {
        buf_char(&b, (char)('a' + i % 26));
        arena_alloc(arena, 8);
    }
    CHECK_INT(buf_str(&b).n, 5000);
    for (size_t i = 0; i < 5000; i++)
        CHECK_INT(buf_str(&b).p[i], (int)('a' + i % 26));
    arena_free(arena);
}

TEST(an_err_without_detail_says_the_text_of_its_row)
{
    CHECK_OK(OK);
    CHECK_FAULT(FAIL(FAULT_INTERNAL), FAULT_INTERNAL);
    CHECK_STR(err_message(FAIL(FAULT_INTERNAL)), str_of(FAULT_INTERNAL.text));
}

TEST(an_err_keeps_its_text_and_its_extras_in_order)
{
    struct arena *arena = arena_new();
    err e = err_text(arena, &FAULT_INTERNAL, "disk %s", "full");
    e = err_with(arena, e, "BucketName", S("b"));
    e = err_with(arena, e, "Key", S("k"));
    CHECK_STR(err_message(e), S("disk full"));
    CHECK_STR(e.detail->extras->name, S("BucketName"));
    CHECK_STR(e.detail->extras->next->value, S("k"));
    CHECK(e.detail->extras->next->next == NULL);
    arena_free(arena);
}

static err passes_up(err e, bool *went_on)
{
    TRY(e);
    *went_on = true;
    return OK;
}

TEST(try_returns_a_fault_at_once_and_goes_on_after_success)
{
    bool went_on = false;
    CHECK_FAULT(passes_up(FAIL(FAULT_UNAVAILABLE), &went_on), FAULT_UNAVAILABLE);
    CHECK(!went_on);
    CHECK_OK(passes_up(OK, &went_on));
    CHECK(went_on);
}

UNIT_MAIN
