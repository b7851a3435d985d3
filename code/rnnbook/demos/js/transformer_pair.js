/* The transformer of the book that reads a name and writes it, in JavaScript.

   After `rnnbook.models.transformer_pair`; a test holds them equal. A sequence is an array of
   vectors. It has the form of `EncoderDecoder`: `encode`, `start`, `step`. */

class TransformerPair {
  /** `weights` are named as PyTorch names the parameters of the model. */
  constructor(weights, heads) {
    Object.assign(this, { weights, heads });
    const layers = (kind) => Object.keys(weights).filter((name) => name.startsWith(kind) && name.endsWith("norm_1.weight"))
      .map((name) => name.replace("norm_1.weight", ""));
    [this.readers, this.writers] = [layers("readers."), layers("writers.")];
  }

  encode(ids) {
    let xs = placed(ids, this.weights["read_embedding.weight"]);
    for (const layer of this.readers) {
      const normed = this.normed(xs, `${layer}norm_1`);
      const { seen } = this.attend(`${layer}attention`, normed, normed);
      xs = this.thought(layer, added(xs, seen), "norm_2");
    }
    return { states: this.normed(xs, "read_norm") };
  }

  /** The state is what has been written. */
  start() {
    return [];
  }

  /** One step after the id `previous`: the logits, the next state, and where each head of each
      layer looked: an array for each layer, of an array for each head, of a number a letter. */
  step(previous, state, memory) {
    const written = [...state, previous], weights = [];
    let xs = placed(written, this.weights["write_embedding.weight"]);
    for (const layer of this.writers) {
      xs = added(xs, this.attendWritten(`${layer}written`, this.normed(xs, `${layer}norm_1`)));
      const looked = this.attend(`${layer}read`, this.normed(xs, `${layer}norm_2`), memory.states);
      xs = this.thought(layer, added(xs, looked.seen), "norm_3");
      weights.push(looked.weights.map((head) => head.at(-1)));
    }
    const [last] = this.normed([xs.at(-1)], "write_norm");
    return { logits: affine(this.weights["head.weight"], last, this.weights["head.bias"]), state: written, weights };
  }

  /** Each of xs looks at all of the memory. */
  attend(part, xs, memory) {
    const [q, k, v, out] = ["query", "key", "value", "out"].map((name) => this.weights[`${part}.${name}.weight`]);
    return this.look(times(q, xs), times(k, memory), times(v, memory), out, () => memory.length);
  }

  /** Each of xs looks at those before it and at itself. */
  attendWritten(part, xs) {
    const W = xs[0].length, all = times(this.weights[`${part}.query_key_value.weight`], xs);
    const [q, k, v] = [0, 1, 2].map((n) => all.map((row) => row.subarray(n * W, (n + 1) * W)));
    return this.look(q, k, v, this.weights[`${part}.out.weight`], (t) => t + 1).seen;
  }

  /** Query t compares itself with the first `reach(t)` keys, in each head with a part of it. */
  look(queries, keys, values, out, reach) {
    const size = queries[0].length / this.heads, weights = [];
    const seen = queries.map(() => zeros(queries[0].length));
    for (let head = 0; head < this.heads; head++) {
      const from = head * size, part = (x) => x.subarray(from, from + size);
      weights.push(queries.map((q, t) => softmax(keys.slice(0, reach(t))
        .map((k) => dot(part(q), part(k)) / Math.sqrt(size)))));
      weights[head].forEach((row, t) => row.forEach((weight, s) => {
        for (let j = from; j < from + size; j++) seen[t][j] += weight * values[s][j];
      }));
    }
    return { seen: times(out, seen), weights };
  }

  /** The perceptron of a layer, at each step by itself. */
  thought(layer, xs, norm) {
    const [wide, narrow] = [0, 2].map((n) => this.weights[`${layer}perceptron.${n}.weight`]);
    const hidden = times(wide, this.normed(xs, `${layer}${norm}`)).map((h) => h.map(gelu));
    return added(xs, times(narrow, hidden));
  }

  /** Each vector with the mean 0 and the variance 1, times learned factors. */
  normed(xs, name) {
    const gain = this.weights[`${name}.weight`];
    return xs.map((x) => {
      const mean = x.reduce((a, b) => a + b) / x.length;
      const variance = x.reduce((sum, a) => sum + (a - mean) ** 2, 0) / x.length;
      return x.map((a, j) => (gain[j] * (a - mean)) / Math.sqrt(variance + 1e-5));
    });
  }
}

/** W x of each vector x. */
const times = (W, xs) => xs.map((x) => Float64Array.from(W, (row) => dot(row, x)));
const added = (xs, ys) => xs.map((x, t) => x.map((a, j) => a + ys[t][j]));

/** The embeddings of ids, to each of which its place is added: sines and cosines. */
const placed = (ids, embedding) => ids.map((id, t) =>
  Float64Array.from(embedding[id], (a, j) => {
    const angle = t * 10_000 ** (-(j - (j % 2)) / embedding[id].length);
    return a + (j % 2 ? Math.cos(angle) : Math.sin(angle));
  }));

/** x Φ(x), where Φ is the distribution of the normal one, by its series (DLMF 7.6.2). */
function gelu(x) {
  if (Math.abs(x) > 8) return Math.max(x, 0);
  let term = x, sum = x;
  for (let n = 3; Math.abs(term) > 1e-17; n += 2) sum += term *= (x * x) / n;
  return x * (0.5 + (sum * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI));
}
