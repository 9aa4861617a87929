"""Many pairs or suspects: inputs, tasks, engines, resumable outputs."""
