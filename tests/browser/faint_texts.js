// Texts whose contrast to what is behind them is below 4.5.
() => {
  const light = text => {
    const parts = text.match(/[\d.]+/g).slice(0, 3).map(each => each / 255)
      .map(each => each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4);
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
  };
  const behind = each => {
    for (let at = each; at; at = at.parentElement) {
      const color = getComputedStyle(at).backgroundColor;
      if (!/, 0\)$|transparent/.test(color)) return color;
    }
  };
  const texts = "p, label, th, td, code, output, button, figcaption, caption, h1, h2";
  return [...document.querySelectorAll(texts)]
    .filter(each => each.textContent.trim() && each.offsetParent && each.offsetLeft > -100)
    .map(each => {
      const pair = [light(getComputedStyle(each).color), light(behind(each))].sort((a, b) => b - a);
      return [(pair[0] + 0.05) / (pair[1] + 0.05), each.tagName, each.textContent.slice(0, 30)];
    }).filter(([ratio]) => ratio < 4.5);
}
