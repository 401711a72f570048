// Results of each loss: with its defaults, and with every control at two other places.
() => LOSSES.map(loss => {
  const settings = [defaults(loss), defaults(loss), defaults(loss)];
  for (const control of [...loss.controls, ...outputs(loss)]) {
    if (control.kind === "choice") {
      settings[1][control.name] = control.values.at(-1);
      settings[2][control.name] = control.values[0];
      continue;
    }
    settings[1][control.name] = valueAt(control, Math.round(0.35 * places(control)));
    settings[2][control.name] = valueAt(control, Math.round(0.7 * places(control)));
  }
  const { low, high } = GROUPS[loss.group];
  const labels = loss.label === "class" ? [1, 0] : [1.3, 2.6];
  const counts = loss.hasClasses ? [Math.max(2, loss.fewest), 10] : [2];
  return settings.flatMap(values => counts.map(n => {
    const run = program({ loss, values }, n);
    const points = [0.13, 0.31, 0.49, 0.62, 0.83, 0.97].map(share => low + (high - low) * share);
    return {
      id: loss.id, values, n, others: loss.others,
      lists: loss.controls.filter(each => each.isList).map(each => each.name),
      fromLogits: loss.fromLogits,
      points: points.flatMap(x => labels.map(y => ({ x, y, results: run(x, y).map(String) }))),
    };
  }));
}).flat()
