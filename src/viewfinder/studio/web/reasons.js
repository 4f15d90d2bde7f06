/** Why what was learnt answers the picture as it does, on a page beside this one. */

/** @param {import("./main.js").Page} page */
export function showReasons({ studio, learning, dialogs }) {
  const { picture } = studio;
  if (!picture) return;
  if (!learning.state?.finished) return void dialogs.say("Nothing was learnt here yet, so there is nothing to ask.", 5);
  window.open(`/api/pictures/${picture.id}/why`, "_blank", "noopener");
  dialogs.say("Looking for reasons, which takes some seconds, and up to half a minute the first time after a training, when what was learnt is looked at too: they come in a new tab.", 8);
}
