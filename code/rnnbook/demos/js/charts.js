/* Line charts, and the names of their lines. */

/** A line chart as SVG. `update(series)` draws [{name, values, color, dashed}], values from x = 0.
    With `log`, y is on a logarithmic axis. */
function lineChart({ title, xlabel, ylabel, log = false, height = 220, left = log ? 72 : 56 }) {
  const width = matchMedia("(max-width: 600px)").matches ? 340 : 560;
  const right = 12, top = 12, bottom = 40;
  const svg = drawing("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", class: "chart" });
  const label = drawing("title", {}, title), body = drawing("g");
  svg.append(label, body);
  const place = log ? (y) => Math.log10(Math.max(y, 1e-300)) : (y) => y;

  function update(series, { xmax, ymin, ymax, description = title }) {
    const [low, high] = [place(ymin), place(ymax)];
    const X = (x) => left + (x / Math.max(xmax, 1)) * (width - left - right);
    const Y = (y) => {
      const share = (place(y) - low) / (high - low || 1);
      return height - bottom - Math.min(Math.max(share, -0.02), 1.02) * (height - top - bottom);
    };
    const parts = [];
    for (const y of log ? decades(low, high) : ticks(ymin, ymax)) {
      const words = log ? `10${superscript(Math.round(Math.log10(y)))}` : String(+y.toPrecision(3));
      parts.push(drawing("line", { x1: left, x2: width - right, y1: Y(y), y2: Y(y), class: "grid" }));
      parts.push(drawing("text", { x: left - 6, y: Y(y) + 4, "text-anchor": "end" }, words));
    }
    for (const x of ticks(0, xmax)) {
      parts.push(drawing("text", { x: X(x), y: height - bottom + 16, "text-anchor": "middle" }, String(x)));
    }
    for (const { values, color, dashed } of series) {
      const points = [...values].map((y, x) => [x, y]).filter(([, y]) => Number.isFinite(y) && (!log || y > 0));
      const path = points.map(([x, y]) => `${X(x).toFixed(1)},${Y(y).toFixed(1)}`).join(" ");
      parts.push(drawing("polyline", { points: path, class: `line ${color}${dashed ? " dashed" : ""}` }));
    }
    const middle = (top + height - bottom) / 2;
    parts.push(drawing("text", { x: (left + width) / 2, y: height - 6, "text-anchor": "middle" }, xlabel));
    const turned = `rotate(-90 12 ${middle})`;
    parts.push(drawing("text", { x: 12, y: middle, "text-anchor": "middle", transform: turned }, ylabel));
    body.replaceChildren(...parts);
    label.textContent = description;
  }

  return { svg, update };
}

function ticks(min, max) {
  const rough = (max - min) / 5 || 1, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough);
  const found = [];
  for (let k = Math.ceil(min / step); k * step <= max * (1 + 1e-9); k++) found.push(+(k * step).toPrecision(12));
  return found;
}

function decades(low, high) {
  const step = Math.max(1, Math.ceil((high - low) / 5)), found = [];
  for (let k = Math.ceil(low); k <= high; k++) if (k % step === 0) found.push(10 ** k);
  return found;
}

const superscript = (n) => [...String(n)].map((d) => (d === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[d])).join("");

/** The names of the lines, each with a piece of its line. */
function legend(entries) {
  const items = entries.map(({ name, color, dashed }) =>
    element("li", {}, element("span", { class: `sample ${color}${dashed ? " dashed" : ""}` }), name));
  return element("ul", { class: "legend" }, ...items);
}
