"""Reading binary packages of Debian: deb(5), version 2.

*member*: one file of the outer ar archive. *control*: the small tar archive with the package's
description and scripts; read whole. *data*: the tar archive with the package's files; streamed.
*item*: one path of a tar archive with its metadata, as the package has it.

Everything is checked on the way and refused with MalformedDebError where it isn't exactly what
dpkg-deb writes; the package's digest was checked when it was fetched.
"""
