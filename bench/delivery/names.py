"""What the processes of the delivery benchmarks agree on."""

NOTES, SINK = "BENCH_NOTES", "BENCH_SINK"  # in the environment: a file for lags, and a local port that never answers
HARMS = ("hang", "sleep", "memory", "exit")  # one hostile tenant each; one more has the backlog
HOSTILE = len(HARMS) + 1
