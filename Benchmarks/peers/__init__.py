"""The benchmarks' workloads in other libraries: `python -m peers flowjax --workload realnvp-2d`, run in Benchmarks."""
