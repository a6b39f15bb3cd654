"""Speed, side by side with a peer or a raw limit in the same run. `scripts/bench` runs it."""
