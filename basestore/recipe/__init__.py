"""Recipes: the pure description of one layer each.

*recipe*: what a layer is made from (inputs by digest) and how (kind, layout); it has a digest of
its own. *plan*: the recipes of one platform of a lock, in the order of the image's layers.
"""
