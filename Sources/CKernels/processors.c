#define _GNU_SOURCE
#include "CKernels.h"

#include <stdatomic.h>

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

int ck_thread_number(void) {
  static atomic_int next = 1;
  static _Thread_local int own;  // 0 before the first call
  if (own == 0) own = atomic_fetch_add(&next, 1);
  return own - 1;
}
