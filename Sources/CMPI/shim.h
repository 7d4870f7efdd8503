// MPI's constants are macros, which Swift does not import, and its handles differ from one implementation to
// another. These functions hide both.
#ifndef CMPI_SHIM_H
#define CMPI_SHIM_H

#include <mpi.h>
#include <stdlib.h>

// Starts MPI: 0, or -1 where it does not start, or -2 where it does not support threads.
static inline int cmpi_start(void) {
  int provided = 0;
  if (MPI_Init_thread(0, 0, MPI_THREAD_SERIALIZED, &provided) != MPI_SUCCESS) return -1;
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  return provided >= MPI_THREAD_SERIALIZED ? 0 : -2;
}

static inline int cmpi_rank(void) {
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  return rank;
}

static inline int cmpi_count(void) {
  int count = 1;
  MPI_Comm_size(MPI_COMM_WORLD, &count);
  return count;
}

// Begins to send or receive; null for an error. cmpi_test releases the result.
static inline void *cmpi_send(const void *bytes, int count, int rank) {
  MPI_Request *request = (MPI_Request *)malloc(sizeof(MPI_Request));
  if (request && MPI_Isend(bytes, count, MPI_BYTE, rank, 0, MPI_COMM_WORLD, request) == MPI_SUCCESS) {
    return request;
  }
  free(request);
  return 0;
}

static inline void *cmpi_receive(void *bytes, int count, int rank) {
  MPI_Request *request = (MPI_Request *)malloc(sizeof(MPI_Request));
  if (request && MPI_Irecv(bytes, count, MPI_BYTE, rank, 0, MPI_COMM_WORLD, request) == MPI_SUCCESS) {
    return request;
  }
  free(request);
  return 0;
}

// Whether a request is complete: 1 or 0, and -1 for an error. Releases it unless the answer is 0.
static inline int cmpi_test(void *request) {
  int done = 0;
  int code = MPI_Test((MPI_Request *)request, &done, MPI_STATUS_IGNORE);
  if (code == MPI_SUCCESS && !done) return 0;
  free(request);
  return code == MPI_SUCCESS ? 1 : -1;
}

static inline void cmpi_finish(void) { MPI_Finalize(); }

static inline void cmpi_abort(int code) { MPI_Abort(MPI_COMM_WORLD, code); }

#endif
