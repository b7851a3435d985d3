MIME = "application/vnd.rnnbook.demo+json"  # the kind of output that a live figure is
KINDS = {  # of live figures: the programs that a kind needs beside those of all
    "digits": ["digits.js"],
    "gates": ["gates.js"],
    "gradient": ["gradient.js"],
    "names": ["encoder_decoder.js", "kana.js", "names.js"],
    "trainer": ["trainer.js"],
    "writer": ["writer.js"],
}
