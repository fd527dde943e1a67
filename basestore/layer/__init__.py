"""Layers: recipes made real.

*entry*: one path of a layer with its fixed metadata and its payload. *payload*: a file's content:
a deflate stream copied from a wheel, a stored slice, or bytes encoded here. *member*: one gzip
member (RFC 1952) of the layer's chain. *realise*: turn a recipe and the blobs it names into a
realisation. Nothing here opens a socket.
"""
