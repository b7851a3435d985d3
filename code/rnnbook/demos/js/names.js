/* The writer of names: the encoder and decoder of the chapter write a name in katakana. */

function makeNames(stage, settings, weights) {
  const { kana, sounds } = settings, model = new EncoderDecoder(weights);
  let memory, path = [], search, kept = [];

  const places = makePlaces(kana, sounds, (t, id) => {
    field.pause();
    path = path.slice(0, t);
    path.push(written(model, memory, path, id));
    field.run();
  });
  const answers = makeAnswers(kana, (k) => {
    field.pause();
    path = [];
    for (const id of kept[k].ended ? [...kept[k].ids, END] : kept[k].ids) path.push(written(model, memory, path, id));
    field.show();
  });
  const ended = () => path.at(-1)?.id === END || path.length === PLACES;
  const ids = () => path.map(({ id }) => id).filter((id) => id !== END);

  function read(letters) {
    [path, kept] = [[], []];
    if (!letters) return;
    memory = model.encode(letters);
    search = { steps: beam(model, memory, WIDTH, PLACES), done: false };
  }

  /** Write a kana more, and let the search go on by one. */
  function step() {
    if (!ended()) path.push(written(model, memory, path));
    const next = search.steps.next();
    kept = next.value ?? kept;
    search.done = next.done || kept.every((answer) => answer.ended);
  }

  function show() {
    places.show(path);
    answers.show(kept, ended() ? ids().join() : null);
  }

  /** What has been written, and whether there is better. */
  function words() {
    if (!path.length) return "";
    const p = path.reduce((product, step) => product * step.p[step.id], 1);
    const known = { answer: ids().map((id) => kana[id - 1]).join(""), p: percent(p) };
    if (!ended()) return say("{answer} …: probability {p} so far.", known);
    if (path.some(({ id, best }) => id !== best)) return say("{answer}: probability {p}. Orange: not its first choice.", known);
    const better = search.done && Math.exp(kept[0].score) > p * 1.0001;
    return better ? say("{answer}: probability {p}. The search found a likelier one.", known) : say("{answer}: probability {p}.", known);
  }

  const field = makeNameField(settings, { read, step, show, words, finished: () => ended() && search.done });
  stage.append(
    toTry(say("Type your own name. Then choose a kana from a lower row: how does it go on from there?")),
    ...field.nodes,
    element("div", { class: "two" }, places.node, element("div", {},
      element("p", { class: "labelled" }, say("Beam search keeps four at each step")), answers.node)));
  field.open();
}

demos("names", makeNames);
