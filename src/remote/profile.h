/* remote/profile.h - ~/.aws/config and ~/.aws/credentials: sections of names and values. The
 * credentials file wins. */
#ifndef HEADRACE_REMOTE_PROFILE_H
#define HEADRACE_REMOTE_PROFILE_H

#include "base/arena.h"

struct profiles;

/* Reads both files (AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE, else under `home`); a missing
 * file is an empty one. */
struct profiles *profiles_read(struct arena *arena, const char *config, const char *credentials,
                               const char *home);
/* For tests: the same from texts. */
struct profiles *profiles_parse(struct arena *arena, str config, str credentials);
bool profile_exists(const struct profiles *profiles, str profile);
/* Value of `name` in the profile, or absent. */
str profile_get(const struct profiles *profiles, str profile, str name);

#endif
