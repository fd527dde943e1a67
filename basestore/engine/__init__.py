"""Engine: a local Docker Engine, through Docker's own SDK.

An **endpoint** is where an engine listens. An **image ID** is what an engine calls an image: the
digest of its config, or, in an engine that keeps images as containerd does, of its manifest. An
engine keeps layers as **chains**: a layer unpacked on top of the very layers below it. What a new
image shares with one that is there is therefore the longest common beginning of their diffIDs;
layers above the first difference are not shared, whatever they hold.
"""
