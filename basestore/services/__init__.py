"""Services in the forms that other builders read.

A *Dockerfile* here is one that makes of a service's entry what `basestore build` makes of it, but
for the bytes: layers have dates, and their compression is the builder's. The *delta* is what the
service's lock holds: the wheels that its base lacks. An *ignore file* (``.dockerignore``) says what
of the context a builder is not sent. Each begins with a *mark*, a comment by which a file that was
written here is told from one that people wrote.

Pure: from values to bytes. Source: docs.docker.com, "Dockerfile reference", as BuildKit 0.8 of
Docker 20.10 has it.
"""
