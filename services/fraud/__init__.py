"""Fraud: windows in event time, rules, holds of awards, and the cases that people close."""
