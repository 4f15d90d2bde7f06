/** Colours of classes that have none of their own. */

/** Colours that differ from their neighbours in the list, light enough for black letters. @param {number} place */
export function colourAt(place) {
  const hue = (place * 137.508 + 40) % 360;
  return `hsl(${hue.toFixed(0)} 85% ${place % 2 ? 62 : 70}%)`;
}
