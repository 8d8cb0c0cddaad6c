/* app/console_assets.c - see console_assets.h. The assembler copies each file between two symbols;
 * HEADRACE_CONSOLE is the folder, from CMakeLists.txt, which also builds this file anew when one of
 * them changes. */
#include "app/console_assets.h"

#define EMBED(symbol, file, type)                                                                  \
    __asm__(".pushsection .rodata,\"a\",%progbits\n"                                               \
            ".balign 16\n"                                                                         \
            ".hidden console_" #symbol "\n"                                                        \
            ".hidden console_" #symbol "_end\n"                                                    \
            ".global console_" #symbol "\n"                                                        \
            ".global console_" #symbol "_end\n"                                                    \
            "console_" #symbol ":\n"                                                               \
            ".incbin \"" HEADRACE_CONSOLE "/" file "\"\n"                                          \
            "console_" #symbol "_end:\n"                                                           \
            ".byte 0\n"                                                                            \
            ".popsection\n");                                                                      \
    extern const char console_##symbol[] __attribute__((visibility("hidden")));                    \
    extern const char console_##symbol##_end[] __attribute__((visibility("hidden")));
CONSOLE_ASSETS(EMBED)

#define ROW(symbol, file, type) {file, type, console_##symbol, console_##symbol##_end},
const struct console_asset console_assets[] = {CONSOLE_ASSETS(ROW)};
const size_t console_assets_count = sizeof console_assets / sizeof *console_assets;
