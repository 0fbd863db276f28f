"""The formats that a plan is written in, one module each."""
