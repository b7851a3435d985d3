"""The small faults that `make mutants` puts into the library: mistakes that a person could make.

A fault is a piece of code and what to put in its place. Both are read as Python, not as text: how
they are laid out does not matter. A name that begins with _ stands for any expression, within one
fault always for the same. So a fault is found again when a module, a function or a variable has a
new name, as long as the library computes what it computes in the same way, and in one place.
"""

from typing import NamedTuple


class Fault(NamedTuple):
    """An expression, or statements that follow each other; what to put there; who should notice."""

    name: str
    old: str
    new: str
    tests: str  # the names of test files in tests/library, separated by spaces


FAULTS = [
    # The loop
    Fault(
        "no model.train() after an evaluation",
        """
        _model.train()
        _history.log.append(_said)
        """,
        "_history.log.append(_said)",
        "training",
    ),
    Fault(
        "no model.eval() in accuracy",
        """
        _model.eval()
        _device, _right = (_device_of(_model), 0)
        """,
        "_device, _right = (_device_of(_model), 0)",
        "training",
    ),
    Fault(
        "a gradient that is not finite is let through",
        "not (_loss.isfinite() and _norm.isfinite())",
        "not _loss.isfinite()",
        "training",
    ),
    Fault(
        "the state is not detached",
        "detach(_state)",
        "_state",
        "training",
    ),
    Fault(
        "the state is not carried",
        "_state if _batch.continues else None",
        "None",
        "training",
    ),
    Fault(
        "the state is carried when the streams begin anew",
        "_Batch(self.x[:, _columns], self.y[:, _columns], continues=_i > 0)",
        "_Batch(self.x[:, _columns], self.y[:, _columns], continues=True)",
        "training",
    ),
    Fault(
        "the learning rate is half a step late",
        """
        _state = _state if _batch.continues else None
        _set_rate(_optimizer, _settings.lr * _settings.schedule((_step + 0.5) / _total))
        """,
        """
        _state = _state if _batch.continues else None
        _set_rate(_optimizer, _settings.lr * _settings.schedule(_step / _total))
        """,
        "training",
    ),
    Fault(
        "the cosine does not reach zero",
        "math.pi * (_progress - 0.1) / 0.9",
        "math.pi * (_progress - 0.1)",
        "training",
    ),
    Fault(
        "clipping after the step",
        "_norm = nn.utils.clip_grad_norm_(_model.parameters(), _clip)",
        """
        _norm = nn.utils.get_total_norm([p.grad for p in _model.parameters()])
        optimizer.register_step_post_hook(
            lambda *_: nn.utils.clip_grad_norm_(_model.parameters(), _clip)
        )
        """,
        "training",
    ),
    Fault(
        "Adam's betas are ignored",
        "torch.optim.Adam(_model.to(_device).parameters(), _settings.lr, _settings.betas)",
        "torch.optim.Adam(_model.to(_device).parameters(), _settings.lr)",
        "training",
    ),
    Fault(
        "every epoch in the same order",
        """
        _generator = torch.Generator().manual_seed(self.seed * 1_000_003 + _epoch)
        self._epoch, self._order = _epoch, torch.randperm(len(self.x), generator=_generator)
        """,
        """
        _generator = torch.Generator().manual_seed(self.seed * 1_000_003)
        self._epoch, self._order = _epoch, torch.randperm(len(self.x), generator=_generator)
        """,
        "training",
    ),
    # Checkpoints and files
    Fault(
        "a resumed run has other random numbers",
        'torch.set_rng_state(_states["cpu"])',
        '_states["cpu"]',
        "training",
    ),
    Fault(
        "a resumed run forgets the optimizer",
        '_optimizer.load_state_dict({**_optimizer.state_dict(), "state": _state_of_adam})',
        'dict({**_optimizer.state_dict(), "state": _state_of_adam})',
        "training",
    ),
    Fault(
        "a checkpoint may run code",
        'torch.load(io.BytesIO(_stored), map_location="cpu", weights_only=True)',
        'torch.load(io.BytesIO(_stored), map_location="cpu", weights_only=False)',
        "training",
    ),
    Fault(
        "a file is written in place",
        "os.replace(_part, _path)",
        "(_path.write_bytes(_part.read_bytes()), _part.unlink())",
        "training command_line data",
    ),
    Fault(
        "what was written is not flushed to the disk",
        "os.fsync(_file.fileno())",
        "_file.fileno()",
        "training command_line data",
    ),
    # Measures
    Fault(
        "the loss of a text forgets the state between windows",
        "_logits, _state = _model(_x[None], _state)",
        "_logits, _ = _model(_x[None], _state)",
        "training",
    ),
    Fault(
        "a window too few is measured",
        "(_ids.to(_device_of(_model)), (len(_ids) - 1) // _window)",
        "(_ids.to(_device_of(_model)), (len(_ids) - 2) // _window)",
        "training",
    ),
    Fault(
        "overlapping windows count the wrong part of the first",
        "_losses[0, :-_new]",
        "_losses[0, :_new]",
        "models",
    ),
    # Cells and layers
    Fault(
        "initial weights bounded by the input's size",
        """
        _bound = _hidden_size**-0.5
        _shapes = (_input_size, _hidden_size), (_hidden_size, _hidden_size), (_hidden_size,)
        """,
        """
        _bound = _input_size**-0.5
        _shapes = (_input_size, _hidden_size), (_hidden_size, _hidden_size), (_hidden_size,)
        """,
        "recurrent",
    ),
    Fault(
        "two gates swapped in the copy of an nn.LSTM",
        """
        zip(
            "ifgo",
            _layer.weight_ih_l0.chunk(4),
            _layer.weight_hh_l0.chunk(4),
            _bias.chunk(4),
            strict=True,
        )
        """,
        """
        zip(
            "ifog",
            _layer.weight_ih_l0.chunk(4),
            _layer.weight_hh_l0.chunk(4),
            _bias.chunk(4),
            strict=True,
        )
        """,
        "recurrent",
    ),
    Fault(
        "the update gate of the GRU the other way round",
        """
        _n = torch.tanh(_x @ self.W_xn + self.b_n + _r * (_h @ self.W_hn + self.b_hn))
        return _z * _h + (1 - _z) * _n
        """,
        """
        _n = torch.tanh(_x @ self.W_xn + self.b_n + _r * (_h @ self.W_hn + self.b_hn))
        return (1 - _z) * _h + _z * _n
        """,
        "recurrent",
    ),
    Fault(
        "the recipe for digits without its forget bias",
        "_set_forget_bias(nn.LSTM(28, 128, batch_first=True), 1.0)",
        "nn.LSTM(28, 128, batch_first=True)",
        "recurrent command_line",
    ),
    Fault(
        "the gradients of a stack clipped together",
        "_p.grad.square().sum(dim=(1, 2))",
        "_p.grad.square().sum().expand(len(_p))",
        "stacks",
    ),
    Fault(
        "coupled gates that write what they keep",
        "(1 - _f, _f, _g, _o)",
        "(_f, _f, _g, _o)",
        "ablations",
    ),
    Fault(
        "the chrono start with its gates swapped",
        "[-_spans, _spans]",
        "[_spans, -_spans]",
        "initialisation",
    ),
    Fault(
        "weights dropped outside training, too",
        "_dropout(self.weight_hh_l0, self.weight_dropout, self.training)",
        "_dropout(self.weight_hh_l0, self.weight_dropout, True)",
        "weight_drop",
    ),
    Fault(
        "attention that sees one step ahead",
        """
        _mask = torch.ones(_T, _T, dtype=torch.bool, device=_x.device).tril()
        _seen, _weights = multi_head_attention(_q, _k, _v, _mask, _heads)
        """,
        """
        _mask = torch.ones(_T, _T, dtype=torch.bool, device=_x.device).tril(1)
        _seen, _weights = multi_head_attention(_q, _k, _v, _mask, _heads)
        """,
        "models",
    ),
    Fault(
        "a matrix state that is asked before it keeps",
        "(_q @ _k.transpose(1, 2)).tril()",
        "(_q @ _k.transpose(1, 2)).tril(-1)",
        "recall",
    ),
    Fault(
        "the mean of logarithms instead of probabilities",
        "_logs.logsumexp(dim=0) - math.log(len(_logs))",
        "_logs.mean(dim=0)",
        "ensemble",
    ),
    # Linear recurrences and gradients by hand
    Fault(
        "a pass of the scan too few at 3, 5, 9, … steps",
        "_reach < _u.shape[1]",
        "_reach < max(2, _u.shape[1] - 1)",
        "linear_recurrence",
    ),
    Fault(
        "a scan that leaves out the way down",
        "_up + _down[::-1]",
        "_up",
        "gated_recurrence",
    ),
    Fault(
        "the rounds of the gradient in the order of the scan",
        "reversed(rounds(_decay))",
        "rounds(_decay)",
        "gated_recurrence",
    ),
    Fault(
        "no complex conjugate in the gradient of the decay",
        "_h[:, :-1].conj()",
        "_h[:, :-1]",
        "linear_recurrence",
    ),
    Fault(
        "a matrix not transposed on the way back",
        '_d["h"] = _d_a @ _W_hh.T',
        '_d["h"] = _d_a @ _W_hh',
        "scratch",
    ),
    Fault(
        "gradients of the mean instead of each sequence's loss",
        'cross_entropy(_model.head(_states[-1][0]), _y, reduction="sum")',
        'cross_entropy(_model.head(_states[-1][0]), _y, reduction="mean")',
        "probes",
    ),
    # Text
    Fault(
        "the vocabulary is not sorted",
        "(sorted(set(_characters)), _signs)",
        "(list(dict.fromkeys(_characters)), _signs)",
        "sampling",
    ),
    Fault(
        "multiplied by the temperature",
        "torch.multinomial((_logits / _temperature).softmax(dim=-1), 1, generator=_generator)",
        "torch.multinomial((_logits * _temperature).softmax(dim=-1), 1, generator=_generator)",
        "sampling",
    ),
    Fault(
        "one of the likeliest characters too many",
        "min(_top_k, _logits.shape[-1])",
        "min(_top_k + 1, _logits.shape[-1])",
        "sampling",
    ),
    Fault(
        "the orders below count how often, and not after how many characters",
        "np.unique(_as_numbers(_train, _n + 1, _V))",
        "_as_numbers(_train, _n + 1, _V)",
        "ngrams",
    ),
    # Names and dates
    Fault(
        "a test name is held out, too",
        "self._part(range(3, 6))",
        "self._part(range(2, 6))",
        "names",
    ),
    Fault(
        "the marks of kana are taken for accents",
        r're.compile("[\u0300-\u036f]")',
        r're.compile("[\u0300-\u309a]")',
        "names",
    ),
    Fault(
        "abbreviations are names",
        "_word != _word.lower() and _word != _word.upper()",
        "_word != _word.lower()",
        "names",
    ),
    Fault(
        "the password of an index is sent to others",
        "urlsplit(_address).hostname == urlsplit(_index).hostname",
        "True",
        "index",
    ),
    Fault(
        "the book's own mirror is asked last",
        "[*own_mirror(_name), *_sources]",
        "[*_sources, *own_mirror(_name)]",
        "homes",
    ),
    Fault(
        "letters are those of the training alone",
        "_characters(_name.spelling for _name in self.names)",
        "_characters(_name.spelling for _name in self.train)",
        "names",
    ),
    Fault(
        "a photograph is read as it lies in its file",
        "_image = ImageOps.exif_transpose(_image)",
        "_image = _image.copy()",
        "pictures",
    ),
    Fault(
        "what was unpacked stays",
        """
        try:
            _unpack(_packed, _path, _size)
            yield _path
        finally:
            _path.unlink(missing_ok=True)
        """,
        """
        try:
            _unpack(_packed, _path, _size)
            yield _path
        finally:
            pass
        """,
        "index",
    ),
    Fault(
        "the true alignment begins a character late",
        "(len(_source), len(_source) + len(_text))",
        "(len(_source) + 1, len(_source) + len(_text))",
        "dates",
    ),
    # Tasks and pictures
    Fault(
        "both marks in the first half",
        "torch.randint(_T // 2, _T, (_num_sequences, 1), generator=_generator)",
        "torch.randint(_T // 2, (_num_sequences, 1), generator=_generator)",
        "tasks",
    ),
    Fault(
        "the floor of copying over too few steps",
        "_NUM_COPIED * math.log(_NUM_SYMBOLS) / (_T + 2 * _NUM_COPIED)",
        "_NUM_COPIED * math.log(_NUM_SYMBOLS) / (_T + _NUM_COPIED)",
        "tasks",
    ),
    Fault(
        "letters that are asked for in the order in which they were read",
        "_order = shuffled(_pairs)",
        "_order = torch.arange(_pairs).expand(num_sequences, -1)",
        "recall",
    ),
    Fault(
        "sizes in MNIST's header in the wrong byte order",
        'np.array(_array.shape, ">i4")',
        'np.array(_array.shape, "<i4")',
        "data",
    ),
    Fault(
        "the centre of a digit a pixel too far up",
        "_SIDE / 2 - _middle",
        "_SIDE / 2 - 1 - _middle",
        "command_line",
    ),
    # From sequence to sequence
    Fault(
        "padding is looked at",
        "_scores.masked_fill(~_mask, -math.inf).softmax",
        "_scores.softmax",
        "encoder_decoder",
    ),
    Fault(
        "padding is read",
        "(_lengths == _x.shape[1]).all()",
        "True",
        "encoder_decoder",
    ),
    Fault(
        "the decoder begins without the encoder's state",
        """
        _keys = self.attention.keys(_states) if self.attention else None
        return _Memory(_states, _keys, _mask, _last)
        """,
        """
        _keys = self.attention.keys(_states) if self.attention else None
        return _Memory(_states, _keys, _mask, tuple(torch.zeros_like(part) for part in _last))
        """,
        "encoder_decoder",
    ),
    Fault(
        "the end of an answer is not learned",
        "torch.arange(_y.shape[1]) > _lengths[:, None]",
        "torch.arange(_y.shape[1]) >= _lengths[:, None]",
        "encoder_decoder",
    ),
    Fault(
        "a mean over the steps of a share",
        """
        _losses = cross_entropy(
            _logits.flatten(0, 1).float(),
            _batch.y.flatten(),
            ignore_index=_IGNORED,
            label_smoothing=_label_smoothing,
            reduction="sum",
        )
        return (_losses / len(_batch.y), None)
        """,
        """
        _losses = cross_entropy(
            _logits.flatten(0, 1).float(),
            _batch.y.flatten(),
            ignore_index=_IGNORED,
            label_smoothing=_label_smoothing,
            reduction="sum",
        )
        return (_losses / (_batch.y != _IGNORED).sum(), None)
        """,
        "encoder_decoder distributed",
    ),
    Fault(
        "pairs are not sorted by their length",
        "self.lengths[_rows].argsort(stable=True)",
        "self.lengths[_rows].argsort(stable=True).sort().values",
        "encoder_decoder",
    ),
    Fault(
        "short pairs come first",
        "_batches[torch.randperm(len(self), generator=_generator)]",
        "_batches",
        "encoder_decoder",
    ),
    Fault(
        "a hypothesis goes on from the state of another",
        "tuple((_part[_parent] for _part in _state))",
        "_state",
        "search",
    ),
    Fault(
        "an answer that has ended goes on",
        "torch.where(_ended[:, None], _only_end, _logits.log_softmax(dim=1))",
        "_logits.log_softmax(dim=1)",
        "search",
    ),
    Fault(
        "the length does not count in the search",
        "_total / _count[:, None] ** _power",
        "_total",
        "search",
    ),
    Fault(
        "the beam begins with the same answer many times",
        "_score.view(-1, _width)[:, 1:] = -torch.inf",
        "_score.view(-1, _width)[:, 1:] = 0.0",
        "search",
    ),
    Fault(
        "the first reference counts, not the best",
        "((Levenshtein.distance(_answer, _one), len(_one)) for _one in _right)",
        "((Levenshtein.distance(_answer, _one), len(_one)) for _one in _right[:1])",
        "error_rates",
    ),
    Fault(
        "words change places",
        "return [_found[_word] for _word in _words]",
        "return list(_found.values())",
        "transliteration",
    ),
    # Speech
    Fault(
        "the second direction begins in the padding",
        "torch.where(_t <= _last, _last - _t, _t)",
        "(x.shape[1] - 1 - _t).expand(len(x), -1)",
        "ctc",
    ),
    Fault(
        "a sign that comes twice needs no blank between",
        "_signs[_s] not in (_BLANK, _signs[_s - 2])",
        "_signs[_s] != _BLANK",
        "ctc",
    ),
    Fault(
        "a text must end with a blank",
        "_a[-2:].logsumexp(dim=0)",
        "_a[-1]",
        "ctc",
    ),
    Fault(
        "the last sign comes again without a blank",
        """
        _before = _blank if _k == _last else _both
        _gain = _row[_k] + (0.0 if _gains is None else _gains[_last][_k])
        """,
        """
        _before = _both
        _gain = _row[_k] + (0.0 if _gains is None else _gains[_last][_k])
        """,
        "ctc",
    ),
    Fault(
        "noise outside the training",
        """
        if self.training:
            _x = _x + self.noise * torch.randn_like(_x)
        """,
        """
        if True:
            _x = _x + self.noise * torch.randn_like(_x)
        """,
        "ctc",
    ),
    Fault(
        "the loss of speech is a mean over digits",
        "(_losses.mean(), None)",
        "((_losses / counts).mean(), None)",
        "ctc",
    ),
    Fault(
        "time warping does not wait",
        "torch.minimum(_least[:, 1:], _least[:, :-1])",
        "_least[:, :-1]",
        "ctc",
    ),
    Fault(
        "recordings of the test are trained on",
        "self._scaled(self._part(range(30, 100)))",
        "self._scaled(self._part(range(100)))",
        "speech",
    ),
    # Pictures
    Fault(
        "the tones that cannot be seen are said",
        "len(_tones(_both[0])) == _fewest",
        "len(_tones(_both[0])) >= _fewest",
        "pictures",
    ),
    Fault(
        "combinations are kept apart in some of their tones",
        "_side(_one.name, _OF_NAMES)",
        "_side(_one.code, _OF_NAMES)",
        "pictures",
    ),
    Fault(
        "what is found and what was said meet in a tanh",
        """
        if self.whole:
            _votes = torch.tanh(_votes)
        """,
        """
        if True:
            _votes = torch.tanh(_votes)
        """,
        "describing",
    ),
    Fault(
        "a picture is moved to one side alone",
        """
        _wide = pad(_pictures, (_most,) * 4, value=_WHITE).permute(0, 2, 3, 1)
        _down, _right = torch.randint(2 * _most + 1, (2, _B, 1), generator=_generator)
        """,
        """
        _wide = pad(_pictures, (_most,) * 4, value=_WHITE).permute(0, 2, 3, 1)
        _down, _right = torch.randint(_most + 1, (2, _B, 1), generator=_generator)
        """,
        "describing",
    ),
    Fault(
        "words and characters meet in a batch",
        "_SimilarLengths(_data.languages, _batch_size, _seed)",
        "_SimilarLengths(_data.rows, _batch_size, _seed)",
        "describing",
    ),
    Fault(
        "what is covered lies beside its place",
        "pad(_hidden, (0, 2, 0, 2))[2:, 2:]",
        "_hidden",
        "describing",
    ),
    Fault(
        "the live figure forgets the mean of its batches",
        "_norm.running_mean * _factor",
        "_norm.running_mean",
        "pictures_in_javascript",
    ),
    Fault(
        "only the first right caption counts",
        "max((_f1(_caption, _one, _split) for _one in _right))",
        "_f1(_caption, _right[0], _split)",
        "describing",
    ),
    # The pen
    Fault(
        "the correlation is left out of the density",
        "_z.square().sum(dim=-1) - 2 * _mixture.correlation * _z.prod(dim=-1)",
        "_z.square().sum(dim=-1)",
        "pen",
    ),
    Fault(
        "the temperature multiplies the spread",
        "_temperature**0.5 * _log_spread.exp()",
        "_temperature * _log_spread.exp()",
        "pen",
    ),
    Fault(
        "right and down are drawn without their correlation",
        "_slant * _right + (1 - _slant**2).sqrt() * _down",
        "_down * 1.0",
        "pen",
    ),
    Fault(
        "the end costs the density of a place, too",
        """
        _losses = _cross_entropy(_logits.mT, _kind, ignore_index=_IGNORED, reduction="none")
        _goes = (_kind != _END) & (_kind != _IGNORED)
        """,
        """
        _losses = _cross_entropy(_logits.mT, _kind, ignore_index=_IGNORED, reduction="none")
        _goes = _kind != _IGNORED
        """,
        "pen",
    ),
    Fault(
        "after a slip the pen is to slip as far again",
        "_ways - pad(_slips[:, :-1], (0, 0, 1, 0))",
        "_ways",
        "pen",
    ),
    Fault(
        "a stroke begins where it ends",
        "torch.where(_kind == LIFT, _steps, 0)",
        "torch.where(_kind == DRAW, _steps, 0)",
        "kanji",
    ),
    Fault(
        "what is known before a movement holds the movement",
        "[_movements.new_tensor([0, 0, _END]).expand(_B, 1, 3), _movements]",
        "[_movements.new_tensor([0, 0, _END]).expand(_B, 1, 3), _movements.roll(-1, 1)]",
        "kanji",
    ),
    Fault(
        "the pen forgets its state",
        "_mixture, _logits, _state = _model(_x.to(_device), _state)",
        "_mixture, _logits, _ = _model(_x, _state)",
        "pen",
    ),
    Fault(
        "only the farthest point of a curve is kept",
        "_thinned(_points[: _k + 1], _tolerance)[:-1] + _thinned(_points[_k:], _tolerance)",
        "[_points[0], _points[_k], _points[-1]]",
        "kanji",
    ),
    Fault(
        "strokes are compared in whatever direction",
        "_along = np.cumsum(np.hypot(*np.diff(_points, axis=0, prepend=_points[:1]).T))",
        """
        _points = _points[_points[:, 0].argsort()]
        _along = np.cumsum(np.hypot(*np.diff(_points, axis=0, prepend=_points[:1]).T))
        """,
        "kanji",
    ),
    Fault(
        "drawings stop when the first has ended",
        "(_made[..., 2] == _END).any(dim=1).all()",
        "(_made[..., 2] == _END).any(dim=1).any()",
        "pen",
    ),
    Fault(
        "the temperature does not act on the kinds of movements",
        "(_logits[:, -1].cpu() / _temperature).softmax(dim=1)",
        "_logits[:, -1].cpu().softmax(dim=1)",
        "pen",
    ),
    # Words, consoles, files of others
    Fault(
        "the shortest word says how long an answer may be",
        "2 * len(_part[-1]) + 8",
        "2 * len(_part[0]) + 8",
        "transliteration",
    ),
    Fault(
        "a header is taken for a pair",
        "if _has_header(_pairs):\n    _where, _line = _numbered[0]\n    raise _error",
        "pass",
        "names",
    ),
    Fault(
        "a block normalises twice with the same weights",
        "return _x + self.dropout(self.perceptron(self.norm_2(_x))), _state",
        "return _x + self.dropout(self.perceptron(self.norm_1(_x))), _state",
        "models",
    ),
    Fault(
        "the seconds before an interruption are lost",
        "time.perf_counter() - _history.seconds",
        "time.perf_counter()",
        "training",
    ),
    Fault(
        "the loss that is printed is that of the beginning",
        "_recent = _history.losses[-_window:]\n_done, _value = _history.held_out[-1]",
        "_recent = _history.losses[:_window]\n_done, _value = _history.held_out[-1]",
        "training",
    ),
    Fault(
        "a weight of any size is taken for one",
        "(_weight.abs() <= _LARGEST).all()",
        "_weight.isfinite().all()",
        "command_line",
    ),
    Fault(
        "one number stands for a trillion weights",
        "_weight.numel() * _weight.element_size() <= _weight.untyped_storage().nbytes()",
        "True",
        "command_line",
    ),
    Fault(
        "what a console lacks is lost without a word",
        """
        _lost.update(_part)
        return ('?' * len(_part), _error.end)
        """,
        "return ('?' * len(_part), _error.end)",
        "command_line",
    ),
    Fault(
        "an error of this process is taken for the end of another",
        "time.sleep(_PATIENCE)\nraise",
        "raise ProcessEnded('another process of this run has ended') from None",
        "distributed",
    ),
    # Records
    Fault(
        "an import within a function is not followed",
        "_symbol.is_global() or _symbol.is_imported()",
        "_symbol.is_global()",
        "definitions",
    ),
    Fault(
        "a run that is added later does not say where",
        '{"machine": _machine} if _machine != self.machine else {}',
        "{}",
        "studies",
    ),
    Fault(
        "a record of other code is taken for one of today's",
        "not _record.is_current()",
        "False",
        "studies",
    ),
]
