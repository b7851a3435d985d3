/* The encoder and decoder of the book in JavaScript, and two ways to choose an answer.

   After `rnnbook.models.encoder_decoder`, `rnnbook.layers.attention` and
   `rnnbook.decoding.search`; tests hold them equal. An id is the number of a letter or a kana. */

const END = 0; // the sign that begins an answer and ends it

class EncoderDecoder {
  /** `weights` are named as `rnnbook.demos.names.weights_of` does. */
  constructor(weights) {
    const layer = (name) =>
      new LSTM(...["W_x", "W_h", "b"].map((part) => weights[`${name}.${part}`]));
    const { read_embedding, write_embedding, head, head_b, mix, mix_b } = weights;
    Object.assign(this, { read_embedding, write_embedding, head, head_b, mix, mix_b });
    [this.forwards, this.backwards] = [layer("forwards"), layer("backwards")];
    this.decoder = layer("decoder");
    this.attention = mix ? makeAttention(weights) : null;
  }

  /** Read letters: the states after each of them, of both directions, and the last ones. */
  encode(ids) {
    const xs = ids.map((id) => this.read_embedding[id]);
    const there = this.forwards.forward(xs);
    const back = this.backwards.forward([...xs].reverse()).reverse();
    const states = there.map((step, s) => joined(step.h, back[s].h));
    const last = { h: joined(there.at(-1).h, back[0].h), c: joined(there.at(-1).c, back[0].c) };
    return { states, keys: this.attention?.keys(states), last };
  }

  /** The decoder begins in the state in which the encoder has ended. */
  start(memory) {
    return memory.last;
  }

  /** One step after the id `previous`: the logits, the next state, and where it looked. */
  step(previous, state, memory) {
    const { h, c } = this.decoder.step(this.write_embedding[previous], state);
    const look = this.attention?.look(h, memory);
    const out = look ? affine(this.mix, joined(h, look.seen), this.mix_b).map(Math.tanh) : h;
    return { logits: affine(this.head, out, this.head_b), state: { h, c }, weights: look?.weights };
  }
}

/** Additive attention where there are weights to score with, else that of products. */
function makeAttention(weights) {
  const [query, key, keyBias, score] = ["query", "key", "key_b", "score"]
    .map((name) => weights[`attention.${name}`]);
  const M = query.length, none = zeros(M);
  const compare = score
    ? (q, k) => q.reduce((sum, a, j) => sum + score[0][j] * Math.tanh(a + k[j]), 0)
    : (q, k) => dot(q, k) / Math.sqrt(M);

  function look(h, { states, keys }) {
    const q = affine(query, h, none);
    const weights = softmax(keys.map((k) => compare(q, k)));
    const seen = none.map((_, j) => states.reduce((sum, s, at) => sum + weights[at] * s[j], 0));
    return { seen, weights };
  }

  return { keys: (states) => (key ? states.map((s) => affine(key, s, keyBias)) : states), look };
}

/* ------------------------------------------------------------------ choosing an answer */

/** A step more of an answer, of which `path` are the steps until here: it writes `id`, or what is
    likeliest. p are the probabilities of all ids at this step. */
function written(model, memory, path, id = null) {
  const before = path.at(-1) ?? { id: END, state: model.start(memory) };
  const { logits, state, weights } = model.step(before.id, before.state, memory);
  const p = softmax(logits), best = p.indexOf(Math.max(...p));
  return { id: id ?? best, best, p, state, weights };
}

/** Beam search: after each step, yields the best `width` answers or beginnings, best first. The
    score is the logarithm of the probability, END included. */
function* beam(model, memory, width, longest) {
  let kept = [{ ids: [], score: 0, ended: false, state: model.start(memory) }];
  for (let t = 0; t < longest && kept.some(({ ended }) => !ended); t++) {
    kept = kept.flatMap((one) => (one.ended ? [one] : continued(model, memory, one)));
    kept = kept.sort((a, b) => b.score - a.score).slice(0, width);
    yield kept;
  }
}

/** All beginnings that are one step longer. */
function continued(model, memory, { ids, score, state }) {
  const next = model.step(ids.at(-1) ?? END, state, memory);
  const least = logSumExp(next.logits);
  return [...next.logits].map((logit, id) => ({
    ids: id === END ? ids : [...ids, id], score: score + logit - least, ended: id === END,
    state: next.state,
  }));
}

function logSumExp(logits) {
  const most = logits.reduce((a, b) => Math.max(a, b));
  return most + Math.log(logits.reduce((sum, a) => sum + Math.exp(a - most), 0));
}
