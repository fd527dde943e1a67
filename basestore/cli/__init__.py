"""The command line: one file a command, each parses, calls and prints.

Only here are environment, clock and terminal read. Results go to standard output, progress and
errors to standard error.
"""
