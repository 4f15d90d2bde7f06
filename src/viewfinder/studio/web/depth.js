/** The depth map of a picture, in place of its colours. */

/** Show it, or the colours again. @param {import("./main.js").Page} page */
export async function toggleDepth({ studio, stage, dialogs }) {
  const { picture } = studio;
  if (!picture) return;
  const here = stage.under.querySelector("img.depth");
  if (here) return void here.remove();
  const image = new Image();
  image.className = "depth";
  image.alt = "";
  image.draggable = false;
  image.src = `/api/pictures/${picture.id}/depth`;
  try {
    await image.decode();
  } catch {
    return void dialogs.say("This picture has no depth map that can be shown.", 4);
  }
  if (studio.picture?.id === picture.id && !stage.under.querySelector("img.depth")) stage.under.append(image);
}
