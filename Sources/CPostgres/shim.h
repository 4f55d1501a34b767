#include <libpq-fe.h>

#ifdef __linux__
#include <spawn.h>
#include <sys/prctl.h>

/* prctl() takes variable arguments, which Swift cannot call. */
static inline int flux_adopt_orphans(void) { return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); }

/* glibc 2.34 and newer. Its header shows this only where _GNU_SOURCE is defined, which Swift's view of glibc is without;
   the node needs it to start Postgres without its own sockets. */
int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions, int lowest);
#endif
