"""What gridzero measures, for Prometheus (docs/metrics.md)."""
