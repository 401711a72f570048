const MOST_SLOTS = 4;
const STEPS = 100;
const POINTS = 400;
const CLASSES = [2, 3, 5, 10, 100];
const DASHES = ["", "9 4", "2 3", "11 3 2 3"];
const GROUPS = {
  class: { axis: "logit", low: -8, high: 8, zooms: [1, 2.5, 12.5] },
  error: { axis: "error: prediction less label", low: -4, high: 4, zooms: [0.25, 1, 5, 50] },
  prediction: { axis: "prediction", low: 0.01, high: 4, zooms: [1, 4, 25] },
  distance: { axis: "distance", low: 0, high: 3, zooms: [1, 4] },
  cosine: { axis: "cosine to the class", low: -1, high: 1, zooms: [1] },
  ordinal: { axis: "logit of the middle border", low: -8, high: 8, zooms: [1, 2.5] },
  outputs: { axis: "first output", low: -6, high: 6, zooms: [1, 4] },
};
const LABELS = { class: [0, 1], amount: [-5, 5], positive: [0.1, 10] };
const SVG = "http://www.w3.org/2000/svg";
const byId = id => document.getElementById(id);
const BY_ID = new Map(LOSSES.map(loss => [loss.id, loss]));

const state = {
  slots: [], y: 1, n: 2, over: "logit", zoom: 1, xscale: "linear", scale: "linear", keras: "", x: 0.5,
};

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

function drawing(tag, attributes, text) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

function written(number) {
  if (Number.isNaN(number)) return "NaN";
  if (!Number.isFinite(number)) return number > 0 ? "∞" : "−∞";
  const size = Math.abs(number);
  if (size && (size < 1e-3 || size >= 1e5)) {
    const [digits, power] = number.toExponential(2).split("e");
    return `${Number(digits)}e${Number(power)}`.replaceAll("-", "−");
  }
  return String(Number(number.toPrecision(4))).replace("-", "−");
}

// Parameters: what the controls of a loss mean.

const outputs = loss =>
  Array.from({ length: loss.others }, (_, i) => (
    { name: `output ${i + 2}`, kind: "slider", values: [], low: -4, high: 4, default: 0 }));

const defaults = loss =>
  Object.fromEntries([...loss.controls, ...outputs(loss)].map(each => [each.name, each.default]));

const places = control => (control.values.length ? control.values.length - 1 : STEPS);

function valueAt(control, place) {
  if (control.values.length) return control.values[place];
  if (place <= 0) return control.low;
  if (place >= STEPS) return control.high;
  const share = place / STEPS;
  const exact = control.isLog
    ? control.low * (control.high / control.low) ** share
    : control.low + (control.high - control.low) * share;
  return Number(exact.toPrecision(3));
}

function placeOf(control, value) {
  if (control.values.length) return nearest(control.values, value);
  const share = control.isLog
    ? Math.log(value / control.low) / Math.log(control.high / control.low)
    : (value - control.low) / (control.high - control.low);
  return Math.round(Math.min(Math.max(share, 0), 1) * STEPS);
}

function nearest(values, value) {
  const distances = values.map(each => Math.abs(each - value));
  return distances.indexOf(Math.min(...distances));
}

// The program of a loss for these values, as a function of x and the label.
function program(slot, n = state.n) {
  const loss = slot.loss;
  const p = [];
  const choice = loss.controls.map((control, i) => {
    const value = slot.values[control.name];
    p[i] = typeof value === "number" ? value : 0;
    if (control.kind === "choice") return control.values.indexOf(value);
    if (value === null) return -1;
    return control.values.length ? nearest(control.values, value) : null;
  });
  for (const each of outputs(loss)) p.push(slot.values[each.name]);
  const found = loss.cases.find(each =>
    each.choice.every((one, i) => one === choice[i]) &&
    (!each.n || !loss.hasClasses || each.n === n) && (!each.when || each.when(p)));
  if (!found || loss.hasCurvature) return found && ((x, y) => found.run(x, y, p, n));
  return (x, y) => {
    const width = 1e-5 * Math.max(1, Math.abs(x));
    const [left, right] = [x - width, x + width].map(each => found.run(each, y, p, n)[1]);
    return [...found.run(x, y, p, n).slice(0, 2), (right - left) / (2 * width)];
  };
}

const count = loss => (loss.hasClasses ? Math.max(state.n, loss.fewest) : 2);

// The logit that belongs to a probability of the class that moves, if the other logits are 0.
const logit = (loss, p) =>
  Math.log(p) - Math.log1p(-p) + (loss.hasClasses ? Math.log(count(loss) - 1) : 0);

function probability(loss, x) {
  return 1 / (1 + Math.exp(-x) * (loss.hasClasses ? count(loss) - 1 : 1));
}

// Value, gradient and curvature by a probability, from those by the logit.
function byProbability([value, gradient, curvature], p) {
  const slope = 1 / (p * (1 - p));
  return [value, gradient * slope, curvature * slope ** 2 + gradient * (2 * p - 1) * slope ** 2];
}

function sampleAt(slot, run, x) {
  if (state.over === "logit") return run(x, state.y);
  return byProbability(run(logit(slot.loss, x), state.y), x);
}

// What is drawn.

const group = () => state.slots[0].loss.group;

function range() {
  if (state.over === "probability") return [0.002, 0.998];
  const { low, high } = GROUPS[group()];
  return low < 0 && group() !== "cosine"
    ? [low * state.zoom, high * state.zoom]
    : [low, high * state.zoom];
}

const isLogX = () => state.xscale === "log" && range()[0] > 0 && state.over === "logit";

function along(share) {
  const [low, high] = range();
  return isLogX() ? low * (high / low) ** share : low + (high - low) * share;
}

// The address holds so many digits.
const rounded = x => Number(x.toPrecision(4));

function shareOf(x) {
  const [low, high] = range();
  return isLogX() ? Math.log(x / low) / Math.log(high / low) : (x - low) / (high - low);
}

function labelRange() {
  const kinds = state.slots.map(slot => slot.loss.label);
  return LABELS[kinds.includes("positive") ? "positive" : kinds[0]];
}

const isDefault = slot =>
  Object.entries(defaults(slot.loss)).every(([name, value]) => slot.values[name] === value);

function kerasCurve(slot) {
  const loss = slot.loss;
  if (!state.keras || !isDefault(slot) || (loss.hasClasses && state.n !== 2)) return null;
  const found = loss.keras.find(
    each => each.dtype === state.keras && Math.abs(each.label - state.y) < 1e-9);
  if (!found) return null;
  const numbers = text =>
    new Float32Array(Uint8Array.from(atob(text), letter => letter.charCodeAt(0)).buffer);
  const values = numbers(found.values);
  const gradients = numbers(found.gradients);
  const step = (found.high - found.low) / (values.length - 1);
  const points = Array.from(values, (value, i) => {
    const x = found.low + i * step;
    if (state.over === "logit") return { x, results: [value, gradients[i]] };
    const p = probability(loss, x);
    return { x: p, results: byProbability([value, gradients[i], 0], p).slice(0, 2) };
  });
  const [low, high] = range();
  return points.filter(({ x }) => x >= low && x <= high);
}

function curves() {
  return state.slots.map((slot, index) => {
    const run = program(slot, count(slot.loss));
    const points = [];
    for (let i = 0; run && i <= POINTS; i++) {
      const x = along(i / POINTS);
      points.push({ x, results: sampleAt(slot, run, x) });
    }
    const now = run ? sampleAt(slot, run, state.x) : [NaN, NaN, NaN];
    return { slot, index, points, now, keras: kerasCurve(slot) };
  });
}

// The y axis: from the smallest to the largest number, but for a few far away.
function limits(numbers) {
  const finite = numbers.filter(Number.isFinite);
  if (!finite.length) return [0, 1];
  if (state.scale === "log") {
    const sizes = finite.map(Math.abs).filter(size => size > 1e-300);
    if (!sizes.length) return [-1, 0];
    const high = Math.log10(Math.max(...sizes));
    const low = Math.max(Math.log10(Math.min(...sizes)), high - 12);
    return high - low < 0.5 ? [high - 1, high + 0.2] : [low, high + 0.05 * (high - low)];
  }
  const sizes = finite.map(Math.abs).sort((a, b) => a - b);
  const usual = sizes[Math.floor(0.95 * (sizes.length - 1))];
  const cap = sizes.at(-1) > 6 * usual && usual > 0 ? 2 * usual : sizes.at(-1);
  let low = Math.max(Math.min(0, ...finite), -cap);
  let high = Math.min(Math.max(0, ...finite), cap);
  if (high - low < 1e-12) [low, high] = [low - 1, high + 1];
  const room = 0.06 * (high - low);
  return [low < 0 ? low - room : low, high > 0 ? high + room : high];
}

function ticks(low, high, most) {
  const rough = (high - low) / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find(factor => factor * power >= rough);
  const found = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; i++) found.push(i * step);
  return found;
}

function drawPanel(id, which, drawn) {
  const svg = byId(id);
  const width = svg.clientWidth || 600;
  const height = svg.clientHeight || 208;
  const frame = { left: 58, right: width - 10, top: 8, bottom: height - (which === 2 ? 40 : 24) };
  const isLog = state.scale === "log";
  const transform = value => (isLog ? Math.log10(Math.abs(value)) : value);
  const numbers = drawn.flatMap(each => [
    ...each.points.map(point => point.results[which]),
    ...(which < 2 && each.keras ? each.keras.map(point => point.results[which]) : []),
  ]);
  const [low, high] = limits(numbers);
  const across = x => frame.left + shareOf(x) * (frame.right - frame.left);
  const up = value => {
    const share = (transform(value) - low) / (high - low);
    return frame.bottom - Math.min(Math.max(share, -0.5), 1.5) * (frame.bottom - frame.top);
  };
  const parts = [drawing("clipPath", { id: `${id}-clip` })];
  parts[0].append(drawing("rect", {
    x: frame.left, y: frame.top, width: frame.right - frame.left, height: frame.bottom - frame.top,
  }));
  for (const tick of ticks(low, high, 5)) {
    const y = frame.bottom - ((tick - low) / (high - low)) * (frame.bottom - frame.top);
    const kind = !isLog && Math.abs(tick) < 1e-9 * (high - low) ? "zero" : "grid";
    parts.push(drawing("line", { class: kind, x1: frame.left, x2: frame.right, y1: y, y2: y }));
    const name = isLog ? written(10 ** tick) : written(Number(tick.toPrecision(10)));
    parts.push(drawing("text", { x: frame.left - 6, y: y + 4, "text-anchor": "end" }, name));
  }
  const [first, last] = range();
  const marks = isLogX()
    ? ticks(Math.log10(first), Math.log10(last), 5).map(each => 10 ** each)
    : ticks(first, last, width < 450 ? 5 : 9);
  for (const mark of marks) {
    const x = across(mark);
    parts.push(drawing("line", { class: "grid", x1: x, x2: x, y1: frame.top, y2: frame.bottom }));
    const name = written(Number(mark.toPrecision(6)));
    parts.push(drawing("text", { x, y: frame.bottom + 15, "text-anchor": "middle" }, name));
  }
  if (which === 2) {
    const middle = (frame.left + frame.right) / 2;
    const name = state.over === "logit" ? axisName() : "probability of the class that moves";
    parts.push(drawing("text", { x: middle, y: height - 6, "text-anchor": "middle" }, name));
  }
  const inside = drawing("g", { "clip-path": `url(#${id}-clip)` });
  for (const { index, points, keras } of drawn) {
    const color = `--color: var(--series-${index})`;
    if (keras && which < 2) {
      inside.append(drawing("path", {
        class: "keras", style: color, d: path(keras, which, across, up, isLog),
      }));
      for (const point of keras) {
        if (!Number.isFinite(point.results[which])) {
          inside.append(drawing("text", {
            class: "broken", style: color, x: across(point.x), y: frame.bottom - 6 - 12 * index,
            "text-anchor": "middle",
          }, "×"));
        }
      }
    }
    inside.append(drawing("path", {
      class: "curve", style: color, "stroke-dasharray": DASHES[index],
      d: path(points, which, across, up, isLog),
    }));
  }
  const x = across(state.x);
  inside.append(
    drawing("line", { class: "marker", x1: x, x2: x, y1: frame.top, y2: frame.bottom }));
  for (const { index, now } of drawn) {
    if (!Number.isFinite(now[which]) || (isLog && now[which] === 0)) continue;
    inside.append(drawing("circle", {
      class: "dot", style: `--color: var(--series-${index})`, cx: x, cy: up(now[which]), r: 5.5,
    }));
  }
  parts.push(inside);
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute("aria-label", describe(id, which, drawn));
  svg.replaceChildren(...parts);
  svg.frame = frame;
}

function path(points, which, across, up, isLog) {
  let text = "";
  let pen = "M";
  for (const { x, results } of points) {
    const value = results[which];
    if (!Number.isFinite(value) || (isLog && value === 0)) {
      pen = "M";
    } else {
      text += `${pen}${across(x).toFixed(1)} ${up(value).toFixed(1)}`;
      pen = "L";
    }
  }
  return text;
}

function describe(id, which, drawn) {
  const [low, high] = range();
  const parts = drawn.map(({ slot, points, now }) => {
    const numbers = points.map(point => point.results[which]).filter(Number.isFinite);
    const span = `between ${written(Math.min(...numbers))} and ${written(Math.max(...numbers))}`;
    return `${callText(slot)} ${span}, at the point ${written(now[which])}`;
  });
  return `${id} from ${written(low)} to ${written(high)}: ${parts.join("; ")}`;
}

const axisName = () =>
  group() === "class" && state.slots.every(slot => slot.loss.isScore)
    ? "score"
    : GROUPS[group()].axis;

function drawNumbers(drawn) {
  const rows = [];
  for (const { slot, index, now, points, keras } of drawn) {
    const head = element("th", { scope: "row" }, swatch(index), callText(slot));
    const cells = points.length
      ? now.map(number => element("td", { class: "number" }, written(number)))
      : [element("td", { colspan: 3 }, `no program for ${state.n} classes`)];
    rows.push(element("tr", {}, head, ...cells));
    if (keras?.length) {
      const point = keras[nearest(keras.map(each => each.x), state.x)];
      const name = `Keras in ${state.keras}, at ${written(point.x)}`;
      rows.push(element("tr", {},
        element("th", { scope: "row", class: "fixed" }, name),
        ...point.results.map(number => element("td", { class: "number" }, written(number)))));
    }
  }
  byId("numbers").tBodies[0].replaceChildren(...rows);
  const share = state.over === "logit" && group() === "class" && !state.slots[0].loss.isScore
    ? `, probability ${written(probability(state.slots[0].loss, state.x))}` : "";
  const axis = state.over === "logit" ? axisName() : "probability";
  byId("where").textContent = `At ${axis} ${written(state.x)}${share}, label ${written(state.y)}`;
}

function swatch(index) {
  const svg = drawing("svg", {
    class: "swatch inline", viewBox: "0 0 28 12", "aria-hidden": "true",
    style: `--color: var(--series-${index})`,
  });
  svg.append(drawing("path", { class: "curve", d: "M0 6H28", "stroke-dasharray": DASHES[index] }));
  return svg;
}

function drawNotes() {
  // A range isn't a unit.
  const units = state.slots.map(slot => slot.loss.unit).filter(unit => unit && !/[[(]/.test(unit));
  byId("value-title").textContent = ["Value", [...new Set(units)].join("; ")].filter(Boolean).join(": ");
  const notes = [];
  const { slots } = state;
  if (slots.some(slot => slot.loss.hasClasses)) {
    notes.push("Of several classes one logit moves, and the others are 0; the label is the share " +
      "of the class that moves, and the second class has the rest.");
  }
  if (slots.some(slot => slot.loss.isImage)) notes.push("An image has one pixel here.");
  const stepped = slots.filter(slot => !slot.loss.hasCurvature).map(slot => slot.loss.name);
  if (stepped.length) {
    notes.push(`The curvature of ${stepped.join(", ")} is taken from differences of the gradient.`);
  }
  if (group() === "ordinal") {
    notes.push("The label is 0 for the lowest class and 1 for the highest; all borders move.");
  }
  if (state.keras) {
    const without = slots.filter(slot => !kerasCurve(slot));
    const own = without.filter(slot => slot.loss.id.startsWith("keras/"));
    if (own.length) {
      notes.push(`For ${own.map(slot => slot.loss.name).join(", ")} there is no curve of Keras ` +
        "here: it looks like the exact one, or it was sampled for the default parameters, hard " +
        "labels and two classes only.");
    }
    if (without.length > own.length) notes.push("Keras has no such loss of its own for the others.");
    notes.push("Keras' curves are broad and pale; a cross stands for NaN or infinity. " +
      "Its losses get probabilities from a sigmoid or softmax in the same dtype.");
  }
  byId("notes").textContent = notes.join(" ");
}

// Lines to copy.

function argumentsOf(slot, quote) {
  const parts = [];
  for (const control of slot.loss.controls) {
    const value = slot.values[control.name];
    if (value === control.default && !control.isRequired) continue;
    const list = [value, ...Array(count(slot.loss) - 1).fill(control.others)];
    parts.push(`${control.name}=${control.isList ? `[${list.join(", ")}]` : python(value, quote)}`);
  }
  if (slot.loss.fromLogits) parts.push(`${slot.loss.fromLogits}=True`);
  return parts;
}

function python(value, quote) {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  return typeof value === "string" ? quote + value + quote : String(value);
}

function callText(slot) {
  const parts = argumentsOf(slot, "'").filter(each => each !== `${slot.loss.fromLogits}=True`);
  return parts.length ? `${slot.loss.name}(${parts.join(", ")})` : slot.loss.name;
}

function configLine(slot) {
  const name = slot.loss.call.includes("/") ? `'${slot.loss.call}'` : slot.loss.call;
  const parts = argumentsOf(slot, "'");
  return `loss: "${name}${parts.length ? `(${parts.join(", ")})` : ""}"`;
}

const pythonLine = slot =>
  `loss = lossreg.get_loss(${[`"${slot.loss.call}"`, ...argumentsOf(slot, '"')].join(", ")})`;

// The cards of the losses.

function options(select, slot, index) {
  const packages = new Map();
  for (const loss of LOSSES) {
    if (index && loss.group !== group()) continue;
    if (!packages.has(loss.package)) {
      packages.set(loss.package, element("optgroup", { label: loss.package }));
    }
    packages.get(loss.package).append(element("option", { value: loss.id }, loss.name));
  }
  select.append(...packages.values());
  select.value = slot.loss.id;
}

function card(slot, index) {
  const color = `--color: var(--series-${index})`;
  const made = element("div", {
    class: "slot", style: color, role: "group", "aria-label": `Loss ${index + 1}`,
  });
  const select = element("select", { "aria-label": `Loss ${index + 1}` });
  options(select, slot, index);
  select.addEventListener("change", () => choose(index, select.value));
  const head = element("div", { class: "slot-head" }, select);
  if (state.slots.length > 1) {
    const remove = element("button", { type: "button" }, "Remove");
    remove.setAttribute("aria-label", `Remove loss ${index + 1}, ${slot.loss.name}`);
    remove.addEventListener("click", () => {
      state.slots.splice(index, 1);
      tidy();
      show();
      byId("slots").querySelector("select").focus();
    });
    head.append(remove);
  }
  // What stands between backticks is code.
  const texts = slot.loss.summary.split("`").map((text, i) => (i % 2 ? element("code", {}, text) : text));
  const summary = element("p", { class: "summary" }, swatch(index), ...texts);
  made.append(head, summary);
  if (slot.loss.fixed.length) {
    const names = slot.loss.fixed.join(", ");
    made.append(element("p", { class: "summary fixed" }, `Always the default: ${names}.`));
  }
  const lines = [copyable("YAML", () => configLine(slot)), copyable("Python", () => pythonLine(slot))];
  const update = () => {
    lines.forEach(line => line.update());
    draw();
  };
  for (const control of [...slot.loss.controls, ...outputs(slot.loss)]) {
    made.append(control.kind === "choice"
      ? choiceRow(control, slot, update)
      : sliderRow(control, slot, `slot-${index}`, update));
  }
  made.append(...lines);
  return made;
}

function sliderRow(control, slot, prefix, update) {
  const id = `${prefix}-${control.name.replaceAll(" ", "-")}`;
  const slider = element("input", { type: "range", id, min: 0, max: places(control) });
  const output = element("output", { for: id });
  const name = control.isList ? `${control.name} of the class that moves` : control.name;
  const row = element("div", { class: "control" }, element("label", { for: id }, name), slider, output);
  const show = () => {
    const value = slot.values[control.name];
    output.textContent = value === null ? "None" : written(value);
    slider.setAttribute("aria-valuetext", output.textContent);
    slider.disabled = value === null;
  };
  const start = slot.values[control.name];
  slider.value = start === null ? places(control) / 2 : placeOf(control, start);
  slider.addEventListener("input", () => {
    slot.values[control.name] = valueAt(control, Number(slider.value));
    show();
    update();
  });
  if (control.takesNone) {
    const box = element("input", { type: "checkbox" });
    box.checked = start === null;
    box.addEventListener("change", () => {
      slot.values[control.name] = box.checked ? null : valueAt(control, Number(slider.value));
      show();
      update();
    });
    row.append(element("label", { class: "none" }, box, ` ${control.name} is None`));
  }
  show();
  return row;
}

function choiceRow(control, slot, update) {
  const select = element("select");
  control.values.forEach((value, i) => {
    select.append(element("option", { value: i }, python(value, "")));
  });
  select.value = control.values.indexOf(slot.values[control.name]);
  select.addEventListener("change", () => {
    slot.values[control.name] = control.values[select.value];
    update();
  });
  return element("label", { class: "choice" }, control.name, select);
}

function copyable(name, line) {
  const code = element("code");
  const button = element("button", { type: "button", "aria-label": `Copy the ${name} line` }, "Copy");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = "Copied";
    } catch {
      // A page from a file may not use the clipboard: the line is selected, for Ctrl-C.
      getSelection().selectAllChildren(code);
      button.textContent = "Selected";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  });
  const made = element("div", { class: "code" }, code, button);
  made.update = () => { code.textContent = line(); };
  made.update();
  return made;
}

function choose(index, id) {
  const loss = BY_ID.get(id);
  const before = group();
  state.slots[index] = { loss, values: defaults(loss) };
  if (loss.group !== before) start(loss);
  tidy();
  show();
  byId("slots").querySelectorAll("select[aria-label^='Loss']")[index].focus();
}

// Another group of losses has another x axis and other labels.
function start(loss) {
  state.slots = state.slots.filter(slot => slot.loss.group === loss.group);
  Object.assign(state, { y: 1, over: "logit", zoom: 1, x: along(0.6) });
}

// What no longer fits becomes the nearest that does.
function tidy() {
  if (group() !== "class" || state.slots.some(slot => slot.loss.isScore)) state.over = "logit";
  if (!GROUPS[group()].zooms.includes(state.zoom)) state.zoom = 1;
  const [low, high] = labelRange();
  state.y = Math.min(Math.max(state.y, low), high);
  const [first, last] = range();
  state.x = Math.min(Math.max(state.x, first), last);
}

function show() {
  byId("slots").replaceChildren(...state.slots.map(card));
  byId("add").hidden = state.slots.length >= MOST_SLOTS;
  draw();
}

function drawControls() {
  const isClass = labelRange() === LABELS.class;
  const [low, high] = labelRange();
  const fill = (id, entries, value) => {
    const select = byId(id);
    select.replaceChildren(...entries.map(([key, text]) => element("option", { value: key }, text)));
    select.value = value;
  };
  byId("label").value = Math.round(((state.y - low) / (high - low)) * STEPS);
  byId("label").setAttribute("aria-valuetext", written(state.y));
  byId("label-value").textContent = written(state.y);
  byId("sides").hidden = !isClass;
  byId("label-0").setAttribute("aria-pressed", state.y === 0);
  byId("label-1").setAttribute("aria-pressed", state.y === 1);
  byId("classes-row").hidden = !state.slots.some(slot => slot.loss.hasClasses);
  fill("classes", CLASSES.map(n => [n, n]), state.n);
  byId("over-row").hidden = group() !== "class" || state.slots.some(slot => slot.loss.isScore);
  byId("over").value = state.over;
  byId("x-scale-row").hidden = GROUPS[group()].low <= 0;
  byId("xscale").value = state.xscale;
  const { zooms, low: first, high: last } = GROUPS[group()];
  fill("zoom", zooms.map(zoom => [zoom,
    `${written(first < 0 ? first * zoom : first)} to ${written(last * zoom)}`]), state.zoom);
  byId("scale").value = state.scale;
  byId("keras").value = state.keras;
  const point = byId("point");
  point.value = Math.round(shareOf(state.x) * 1000);
  const axis = state.over === "logit" ? axisName() : "probability";
  byId("point-name").textContent = `Point: ${axis}`;
  byId("point-value").textContent = written(state.x);
  point.setAttribute("aria-valuetext", `${axis} ${written(state.x)}`);
}

let isWaiting = false;
function draw() {
  if (isWaiting) return;
  isWaiting = true;
  requestAnimationFrame(() => {
    isWaiting = false;
    drawNow();
  });
}

function drawNow() {
  const drawn = curves();
  drawControls();
  drawNotes();
  ["value", "gradient", "curvature"].forEach((id, which) => drawPanel(id, which, drawn));
  drawNumbers(drawn);
  drawPlayground();
  remember();
}

// The address holds the state.

function address() {
  const query = new URLSearchParams();
  for (const slot of state.slots) {
    const changed = Object.entries(slot.values)
      .filter(([name, value]) => value !== defaults(slot.loss)[name])
      .map(([name, value]) => `${name}=${JSON.stringify(value)}`);
    query.append("loss", [slot.loss.id, ...changed].join(";"));
  }
  const usual = { y: 1, n: 2, over: "logit", zoom: 1, xscale: "linear", scale: "linear", keras: "" };
  for (const [name, value] of Object.entries(usual)) {
    if (state[name] !== value) query.set(name, state[name]);
  }
  query.set("x", rounded(state.x));
  if (playground.isChanged()) query.set("points", playground.text());
  return `#${query}`;
}

let timer = 0;
function remember() {
  clearTimeout(timer);
  timer = setTimeout(() => {
    if (location.hash !== address()) history.replaceState(null, "", address());
  }, 120);
}

function restore() {
  const query = new URLSearchParams(location.hash.slice(1));
  state.slots = [];
  for (const text of query.getAll("loss").slice(0, MOST_SLOTS)) {
    const [id, ...changed] = text.split(";");
    const loss = BY_ID.get(id);
    if (!loss || (state.slots.length && loss.group !== group())) continue;
    const values = defaults(loss);
    for (const each of changed) {
      const [name, value] = [each.slice(0, each.indexOf("=")), each.slice(each.indexOf("=") + 1)];
      const control = [...loss.controls, ...outputs(loss)].find(one => one.name === name);
      if (control) values[name] = allowed(control, value);
    }
    state.slots.push({ loss, values });
  }
  if (!state.slots.length) {
    const first = LOSSES.find(loss => loss.group === "class") ?? LOSSES[0];
    state.slots.push({ loss: first, values: defaults(first) });
  }
  const number = (name, usual) => (Number.isFinite(parseFloat(query.get(name)))
    ? parseFloat(query.get(name)) : usual);
  const word = (name, words) => (words.includes(query.get(name)) ? query.get(name) : words[0]);
  state.y = number("y", 1);
  state.n = CLASSES.includes(number("n", 2)) ? number("n", 2) : 2;
  state.over = word("over", ["logit", "probability"]);
  state.zoom = number("zoom", 1);
  state.xscale = word("xscale", ["linear", "log"]);
  state.scale = word("scale", ["linear", "log"]);
  state.keras = word("keras", ["", "float32", "float16", "bfloat16"]);
  tidy();
  state.x = number("x", along(0.6));
  playground.read(query.get("points"));
  tidy();
  show();
}

// A value from an address, or the default where it isn't one.
function allowed(control, text) {
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    return control.default;
  }
  if (control.kind === "choice") return control.values.includes(value) ? value : control.default;
  if (value === null && control.takesNone) return null;
  if (typeof value !== "number") return control.default;
  if (control.values.length) return control.values[nearest(control.values, value)];
  return Math.min(Math.max(value, control.low), control.high);
}

function listen() {
  const on = (id, name, change) =>
    byId(id).addEventListener(name, () => {
      change(byId(id).value);
      tidy();
      draw();
    });
  on("label", "input", value => {
    const [low, high] = labelRange();
    state.y = Number((low + ((high - low) * value) / STEPS).toPrecision(3));
  });
  on("label-0", "click", () => { state.y = 0; });
  on("label-1", "click", () => { state.y = 1; });
  on("classes", "change", value => {
    state.n = Number(value);
    // The lines to copy may have a number for each class.
    show();
  });
  on("over", "change", value => {
    const loss = state.slots[0].loss;
    const x = state.over === "logit" ? state.x : logit(loss, state.x);
    state.over = value;
    state.x = rounded(value === "logit" ? x : probability(loss, x));
  });
  on("zoom", "change", value => { state.zoom = Number(value); });
  on("xscale", "change", value => { state.xscale = value; });
  on("scale", "change", value => { state.scale = value; });
  on("keras", "change", value => { state.keras = value; });
  on("point", "input", value => { state.x = rounded(along(value / 1000)); });
  byId("add").addEventListener("click", () => {
    const used = state.slots.map(slot => slot.loss);
    const alike = LOSSES.filter(loss => loss.group === group());
    const loss = alike.find(each => !used.includes(each)) ?? used[0];
    state.slots.push({ loss, values: defaults(loss) });
    tidy();
    show();
    byId("slots").lastElementChild.querySelector("select").focus();
  });
  for (const id of ["value", "gradient", "curvature"]) {
    const svg = byId(id);
    const move = event => {
      const { left, right } = svg.frame;
      const share = (event.clientX - svg.getBoundingClientRect().left - left) / (right - left);
      state.x = rounded(along(Math.min(Math.max(share, 0), 1)));
      draw();
    };
    svg.addEventListener("pointerdown", event => {
      svg.setPointerCapture(event.pointerId);
      move(event);
    });
    svg.addEventListener("pointermove", event => {
      if (event.buttons) move(event);
    });
  }
  addEventListener("resize", draw);
  // The link to the curves changes the address too, and holds no state.
  addEventListener("hashchange", () => location.hash.includes("=") && restore());
}

function listRest() {
  byId("rest-summary").textContent = `${LEFT_OUT.length} losses, each with the reason`;
  byId("rest").tBodies[0].replaceChildren(...LEFT_OUT.map(([name, reason]) =>
    element("tr", {}, element("th", { scope: "row" }, name), element("td", {}, reason))));
  byId("origin").textContent = ORIGIN;
}
