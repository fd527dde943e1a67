"""Wheels as layers see them: a strict zip reader, and installation without unpacking.

*scheme*: one of purelib, platlib, scripts, headers, data (PyPA binary distribution format,
"Installing a wheel"). *record*: the wheel's list of its own files. *script*: a console or GUI
entry point, generated.
"""
