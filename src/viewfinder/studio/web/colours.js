/** Colours of classes that have none of their own. */

/** Colours that differ from their neighbours in the list, light enough for black letters. @param {number} place */
export function colourAt(place) {
  const hue = (place * 137.508 + 40) % 360;
  return `hsl(${hue.toFixed(0)} 85% ${place % 2 ? 68 : 78}%)`;
}

/**
 * Black or white: what is read better upon a colour, as WCAG 2 reckons contrast.
 * @param {string} colour  `#rrggbb`, as a person chooses it; ours are light
 */
export function inkOn(colour) {
  const parts = /^#(..)(..)(..)$/.exec(colour)?.slice(1) ?? ["ff", "ff", "ff"];
  const [red, green, blue] = parts.map((each) => parseInt(each, 16) / 255)
    .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179 ? "#000" : "#fff";
}
