/* The reader of digits: the LSTM of the chapter reads a drawing row by row. */

const ROW_MILLISECONDS = 150;

/** What the network knows after each of the 28 rows: its gates, its state, its probabilities. */
function readRows(layer, head, head_b, image) {
  return layer.forward(image).map((step) => ({ ...step, p: softmax(affine(head, step.h, head_b)) }));
}

/** The ten probabilities as bars. */
function makeBars() {
  const bars = Array.from({ length: 10 }, (_, k) => element("li", {}, element("span", { class: "digit" }, String(k)),
    element("span", { class: "track" }), element("span", { class: "value" })));
  const node = element("ol", { class: "bars", "aria-label": say("probabilities") }, ...bars);
  const show = (p, best) => bars.forEach((bar, k) => {
    bar.style.setProperty("--share", p[k]);
    bar.lastChild.textContent = percent(p[k]);
    bar.classList.toggle("best", k === best);
  });
  return { node, show };
}

/** A button with a small picture for each test image. */
function makeExamples(images, labels, take) {
  const keys = images.map((one, k) => {
    const picture = element("canvas", { width: SIDE, height: SIDE, class: "ink", "aria-hidden": "true" });
    paint(picture, one);
    const key = button("", () => take(one, labels[k]), { "aria-label": say("test image {number}, a {label}", { number: k + 1, label: labels[k] }) });
    key.append(picture);
    return key;
  });
  return element("div", { class: "examples", role: "group", "aria-label": say("Test images") }, ...keys);
}

function makeDigits(stage, { examples, labels }, weights) {
  const layer = new LSTM(weights.W_x, weights.W_h, weights.b);
  const images = examples.map((code) => {
    const pixels = new Uint8Array(bytes(code));
    return Array.from({ length: SIDE }, (_, r) => Float32Array.from(pixels.subarray(r * SIDE, (r + 1) * SIDE), (v) => v / 255));
  });
  let image = images[0], label = labels[0], steps = [], row = SIDE, playing = null;

  const sheet = makeSheet(() => {
    pause();
    tell(say("Drawing …"));
  }, (ink) => {
    const found = prepared(ink);
    if (found) read(found, null);
    else tell(say("The pad is empty: draw a digit."));
  });
  const play = button("", () => (playing ? pause() : run()), { class: "primary play" });
  const rows = slider(say("Rows read"), { min: 0, max: SIDE, step: 1, value: SIDE }, (value) => {
    pause();
    show(value);
  });
  const clear = button(say("Clear"), () => {
    sheet.wipe();
    pause();
    take(blank(), null);
    show(0);
    tell(say("Draw a digit, or take one of the test images."));
  });
  const choices = makeExamples(images, labels, (one, itsLabel) => {
    sheet.wipe();
    read(one, itsLabel);
  });
  const bars = makeBars(), status = statusLine(), summary = statusLine();
  status.setAttribute("aria-live", "off"); // while it plays it changes too often to be read aloud
  summary.classList.add("hidden-words");
  const tell = (words) => (status.textContent = words);
  const strip = (words) => element("canvas", { width: layer.hiddenSize, height: 1, class: "strip", role: "img", "aria-label": words });
  const hidden = strip(say("hidden state")), forget = strip(say("forget gate"));

  function take(one, itsLabel) {
    [image, label] = [one, itsLabel];
    steps = readRows(layer, weights.head, weights.head_b, image);
  }

  function read(one, itsLabel) {
    take(one, itsLabel);
    row = 0;
    if (!calm.matches) return run();
    show(SIDE);
    summary.textContent = status.textContent;
  }

  function run() {
    pause();
    if (isBlank(image)) return tell(say("The pad is empty: draw a digit."));
    let next = row >= SIDE ? 0 : row;
    play.textContent = say("Pause");
    playing = setInterval(() => {
      show(next++);
      if (next > SIDE) {
        pause();
        summary.textContent = status.textContent;
      }
    }, ROW_MILLISECONDS);
  }

  function pause() {
    clearInterval(playing);
    playing = null;
    play.textContent = say("Play");
  }

  /** Show what is known after some rows, from 0 to 28. */
  function show(count) {
    row = count;
    rows.set(row);
    sheet.show(image, row);
    const step = steps[row - 1], p = step?.p ?? Array(10).fill(0.1);
    const best = p.indexOf(Math.max(...p)), sure = percent(p[best]);
    bars.show(p, step ? best : null);
    colours(hidden, step ? step.h : zeros(layer.hiddenSize), -1);
    colours(forget, step ? step.f : zeros(layer.hiddenSize), 0);
    const known = row === 1 ? say("After 1 row: {best}, with {sure}.", { best, sure })
      : say("After {row} rows: {best}, with {sure}.", { row, best, sure });
    const truth = label === null ? [] : [say("Its label says {label}.", { label })];
    tell(row === 0 ? say("Nothing read yet.") : [known, ...truth].join(" "));
  }

  const labelled = (words, ...nodes) => element("div", { class: "labelled" }, element("span", {}, words), ...nodes);
  stage.append(
    toTry(say("Draw a 7, and watch after which row it is sure. Then add a bar through it.")),
    element("div", { class: "digit-columns" }, sheet.node,
      element("div", { class: "known" }, status, bars.node)),
    element("div", { class: "controls line" }, play, rows, clear), summary,
    labelled(say("test images"), choices),
    element("div", { class: "strips" }, labelled(say("hidden state h"), hidden), labelled(say("forget gate f"), forget)));
  take(image, label);
  pause();
  show(SIDE);
}

/** A strip of colours: orange for the lowest value, none in between, blue for 1. */
function colours(canvas, values, low) {
  const context = canvas.getContext("2d"), data = context.createImageData(values.length, 1);
  values.forEach((value, k) => {
    const share = (2 * (value - low)) / (1 - low) - 1; // from -1 to 1
    const color = share < 0 ? [224, 146, 0] : [30, 130, 200];
    data.data.set([...color, 255 * Math.abs(share)], 4 * k);
  });
  context.putImageData(data, 0, 0);
}

demos("digits", makeDigits);
