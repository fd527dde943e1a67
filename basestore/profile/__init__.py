"""Profiles: what people ask for.

*profile*: a file ``profiles/<name>.toml``: requirements, Python, platforms, foundation, indexes,
policy. *parent*: the profile that another one ``extends``. *foundation*: what lies under the
wheels: OS files and Python. *project*: the folder with ``basestore.toml`` and the profiles.
*document*: a TOML file read so that every error names its file, line and key.
"""
