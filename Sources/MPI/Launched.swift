#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The number of processes that a launcher of MPI has started together, by the environment; 1 without one.
public var launchedCount: Int { launched(["OMPI_COMM_WORLD_SIZE", "PMI_SIZE"], "SLURM_NTASKS") ?? 1 }

/// The number of this process among them, by the environment.
public var launchedRank: Int { launched(["OMPI_COMM_WORLD_RANK", "PMI_RANK"], "SLURM_PROCID") ?? 0 }

/// The first of the numbers in the environment: those of Open MPI, of MPICH and its relatives, and of Slurm
/// where it starts processes for MPI.
private func launched(_ names: [String], _ slurm: String) -> Int? {
  func number(_ name: String) -> Int? { getenv(name).flatMap { Int(String(cString: $0)) } }
  return names.lazy.compactMap(number).first ?? (getenv("PMIX_RANK") == nil ? nil : number(slurm))
}
