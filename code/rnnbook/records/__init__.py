"""The records of studies: what was found (NAME.json), and how a record is made and confirmed."""
