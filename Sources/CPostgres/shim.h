#include <libpq-fe.h>

#ifdef __linux__
#include <sys/prctl.h>

/* prctl() takes variable arguments, which Swift cannot call. */
static inline int flux_adopt_orphans(void) { return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); }
#endif
