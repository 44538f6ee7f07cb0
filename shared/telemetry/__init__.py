"""What operations sees: metrics, logs, and the trace context that an effect carries from its cause."""
