"""The work behind the endpoints: models in memory, the forward worker, metrics."""
