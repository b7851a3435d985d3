MIME = "application/vnd.rnnbook.demo+json"  # the kind of output that a live figure is
KINDS = {  # of live figures: the programs that a kind needs beside those of all
    "alignment": [
        "encoder_decoder.js",
        "transformer_pair.js",
        "kana.js",
        "name_field.js",
        "alignment.js",
    ],
    "digits": ["digit_sheet.js", "digits.js"],
    "gates": ["gate_cell.js", "gates.js"],
    "gradient": ["charts.js", "gradient.js"],
    "kanji": ["pen.js", "kanji.js"],
    "names": ["encoder_decoder.js", "kana.js", "name_field.js", "names.js"],
    "pictures": ["describer.js", "picture_sheet.js", "pictures.js"],
    "speech": ["frame_reader.js", "speech.js"],
    "trainer": ["charts.js", "learner.js", "trainer.js"],
    "writer": ["character_reader.js", "paper.js", "writer.js"],
}
