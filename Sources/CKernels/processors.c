#define _GNU_SOURCE
#include "CKernels.h"

#ifdef __linux__
#include <sched.h>
#include <unistd.h>

int ck_bound_processors(void) {
  cpu_set_t set;
  return sched_getaffinity(getpid(), sizeof set, &set) == 0 ? CPU_COUNT(&set) : 0;
}
#else
int ck_bound_processors(void) { return 0; }
#endif
