// What one can use, or look at, and has no name.
() => {
  const used = "button, select, input, [role=img], [role=button], [role=group]";
  const name = each =>
    each.labels?.length || each.getAttribute("aria-label") || each.textContent.trim();
  return [...document.querySelectorAll(used)]
    .filter(each => !name(each)).map(each => each.outerHTML.slice(0, 80));
}
