#define _GNU_SOURCE
#include "CKernels.h"

#ifdef __linux__
#include <sys/mman.h>

void ck_use_large_pages(void *block, size_t bytes) {
  madvise(block, bytes, MADV_HUGEPAGE);
}
#else
void ck_use_large_pages(void *block, size_t bytes) {
  (void)block, (void)bytes;
}
#endif
