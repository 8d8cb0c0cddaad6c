/* store/pages.h - where SQLite keeps pages of databases in memory.
 *
 * SQLite's own page cache costs more the more it holds, in two ways that every request of a large
 * database meets. An insert in the middle of a tree has pages swap their numbers, and SQLite gives
 * one of them 262145 for a moment (the page at 1 GiB, which no database uses): the next commit then
 * looks at every page in the cache to find that none is beyond the end. And each use of a page
 * takes it out of a list and puts it back at the other end, so that its two neighbours there,
 * which nobody asked for, come into the processor's cache each time.
 *
 * Here a page in use is a mark, not a place in a list (the clock, or second chance), the heads of
 * the pages lie together, apart from their bytes, and what is beyond the end is known without
 * looking. Each connection has its own cache; there is no state between them. */
#ifndef HEADRACE_STORE_PAGES_H
#define HEADRACE_STORE_PAGES_H

#include <sqlite3.h>

/* For SQLITE_CONFIG_PCACHE2. Memory comes from sqlite3_malloc64. PRAGMA cache_size bounds what a
 * cache keeps; pages that SQLite holds on to may go beyond. */
const sqlite3_pcache_methods2 *pages_methods(void);

#endif
