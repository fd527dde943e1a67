"""Profiles: what people ask for.

*profile*: a file ``profiles/<name>.toml``: requirements, Python, platforms, foundation, indexes,
policy. *parent*: the profile that another one ``extends``. *foundation*: what lies under the
wheels: OS files and Python. *requirement*: a package that has to be there. *constraint*: bounds for
one that is there anyway. *direct*: asked for by a wheel's URL. *team's lock*: another tool's, which
a profile takes instead of resolving. *policy*: rules that a lock has to keep. *project*: the folder
with ``basestore.toml`` and the profiles. *document*: a TOML file read so that every error names its
file, line and key.
"""
