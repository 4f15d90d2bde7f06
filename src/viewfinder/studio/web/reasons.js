/** Why what was learnt answers the picture as it does, on a page beside this one. */

/** @param {import("./main.js").Page} page */
export function showReasons({ studio, learning, dialogs }) {
  const { picture } = studio;
  if (!picture) return;
  if (!learning.state?.finished) return void dialogs.say("Nothing was learnt here yet, so there is nothing to ask.", 5);
  window.open(`/api/pictures/${picture.id}/why`, "_blank", "noopener");
  dialogs.say("Looking for reasons: they come in a new tab, which says how long that takes.", 6);
}
