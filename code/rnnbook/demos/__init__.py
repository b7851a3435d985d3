MIME = "application/vnd.rnnbook.demo+json"  # the kind of output that a live figure is
