/* remote/profile.c - see profile.h. In config a section is "[profile NAME]" (or "[default]"), in
 * credentials "[NAME]". Indented lines are sub-settings ("s3 =" and below it) and are passed over.
 */
#include "remote/profile.h"

#include "base/buf.h"

#include <stdio.h>

struct setting {
    str profile, name, value;
    struct setting *next;
};

struct profiles {
    struct setting *first; /* credentials file's before config's */
};

static bool blank(char c)
{
    return c == ' ' || c == '\t';
}

/* "[profile NAME]" -> NAME; absent for sections that are no profile ("[sso-session x]"). */
static str section_of(str line, bool config)
{
    str inside = str_slice(line, 1, line.n);
    str name = str_trim(str_cut(&inside, ']'));
    if (!config || str_eq(name, S("default")))
        return name;
    if (!str_starts(name, S("profile")) || name.n < 8 || !blank(name.p[7]))
        return STR_NONE;
    return str_trim(str_slice(name, 8, name.n));
}

static str without_comment(str value)
{
    for (size_t i = 1; i < value.n; i++)
        if ((value.p[i] == '#' || value.p[i] == ';') && blank(value.p[i - 1]))
            return str_slice(value, 0, i);
    return value;
}

static struct setting **parse(struct arena *arena, struct setting **end, str text, bool config)
{
    str profile = STR_NONE;
    while (text.p) {
        str line = str_cut(&text, '\n');
        bool indented = line.n && blank(line.p[0]);
        line = str_trim(line);
        if (!line.n || line.p[0] == '#' || line.p[0] == ';')
            continue;
        if (line.p[0] == '[') {
            profile = section_of(line, config);
            *end = ARENA_NEW(arena, struct setting);
            **end = (struct setting){.profile = profile};
            end = &(*end)->next;
            continue;
        }
        str rest = line, name = str_trim(str_cut(&rest, '='));
        if (indented || !profile.p || !rest.p)
            continue;
        *end = ARENA_NEW(arena, struct setting);
        **end = (struct setting){profile, name, str_trim(without_comment(rest)), NULL};
        end = &(*end)->next;
    }
    return end;
}

struct profiles *profiles_parse(struct arena *arena, str config, str credentials)
{
    struct profiles *profiles = ARENA_NEW(arena, struct profiles);
    struct setting **end = parse(arena, &profiles->first, credentials, false);
    parse(arena, end, config, true);
    return profiles;
}

static str file_text(struct arena *arena, const char *path)
{
    FILE *file = fopen(path, "r");
    if (!file)
        return STR_NONE;
    struct buf b = buf_in(arena);
    size_t n;
    while ((n = fread(buf_room(&b, 4096), 1, 4096, file)) > 0)
        b.n += n;
    fclose(file);
    return buf_str(&b);
}

static str read_or_default(struct arena *arena, const char *path, const char *home,
                           const char *name)
{
    if (path && *path)
        return file_text(arena, path);
    if (!home || !*home)
        return STR_NONE;
    return file_text(arena, arena_printf(arena, "%s/.aws/%s", home, name).p);
}

struct profiles *profiles_read(struct arena *arena, const char *config, const char *credentials,
                               const char *home)
{
    return profiles_parse(arena, read_or_default(arena, config, home, "config"),
                          read_or_default(arena, credentials, home, "credentials"));
}

bool profile_exists(const struct profiles *profiles, str profile)
{
    for (const struct setting *at = profiles->first; at; at = at->next)
        if (at->profile.p && str_eq(at->profile, profile))
            return true;
    return false;
}

str profile_get(const struct profiles *profiles, str profile, str name)
{
    for (const struct setting *at = profiles->first; at; at = at->next)
        if (at->profile.p && at->name.p && str_eq(at->profile, profile) &&
            str_eq_nocase(at->name, name))
            return at->value;
    return STR_NONE;
}
