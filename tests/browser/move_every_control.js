// Every control of every loss, moved to its ends and its middle.
() => {
  const faults = [];
  for (const loss of LOSSES) {
    location.hash = `#loss=${loss.id}`;
    restore();
    const card = byId("slots").firstElementChild;
    const moved = [...card.querySelectorAll("input, .choice select")];
    if (moved.length < loss.controls.length + loss.others) {
      faults.push(`${loss.id}: a control is missing`);
    }
    for (const control of moved) {
      const places = {
        range: () => [control.min, control.max, Math.floor(control.max / 2)],
        checkbox: () => [true, false],
        "select-one": () => [...control.options].map(each => each.value),
      };
      for (const place of places[control.type]()) {
        if (control.type === "checkbox") control.checked = place;
        else control.value = place;
        control.dispatchEvent(new Event(control.type === "range" ? "input" : "change"));
        drawNow();
        const path = document.querySelector("#value .curve").getAttribute("d");
        if (!path.includes("L")) {
          faults.push(`${loss.id}: nothing is drawn at ${control.id} ${place}`);
        }
        if (document.querySelector("#numbers td[colspan]")) faults.push(`${loss.id}: no program`);
      }
    }
  }
  return faults;
}
