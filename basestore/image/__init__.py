"""Images: OCI config, manifest and index over layers, and the forms they are exported in.

*image*: what one lock gives, for all its platforms. *image digest*: the digest of the OCI index, or
of the manifest where there is one platform. *descriptor*: media type, digest and size (OCI
image-spec, "Content Descriptors").
"""
