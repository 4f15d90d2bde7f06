/**
 * The keys: one table of commands, which a person can change, and the classes' keys beside it.
 *
 * A key is written as "d", "Ctrl+z" or "Shift+ArrowLeft". A class may have any key that no command
 * has; digits that no class has been given stand for the first ten classes in their order.
 *
 * @typedef {{id: string, says: string, keys: string[], group: string}} Command
 */

import { isolated } from "./names.js";

/** @param {string} id @param {string} says @param {string} group @param {...string} keys @returns {Command} */
const command = (id, says, group, ...keys) => ({ id, says, keys, group });

const [GO, DRAW, CHOOSE, SEE, PROPOSED, FILM] = ["Pictures", "Boxes", "Choosing boxes", "Seeing", "Proposals", "Video"];

/** @type {Command[]} */
export const COMMANDS = [
  command("done", "Done: to the next picture to do", GO, "Enter"),
  command("skip", "Skip this picture", GO, "k"),
  command("next", "Next picture", GO, "d", "PageDown"),
  command("previous", "Previous picture", GO, "a", "PageUp"),
  command("next-todo", "Next picture to do", GO, "n"),
  command("add", "Add pictures, a folder or a video", GO, "o"),
  command("sheet", "Look over the next pictures with proposals, and take all that are right", PROPOSED, "b"),
  command("learn", "Learn from what is done, and propose for what is to do", PROPOSED, "Shift+l"),
  command("propose", "Let a stand's picture, a network or a video propose boxes", PROPOSED, "Shift+p"),
  command("doubts", "Find labels that may be wrong", GO, "Shift+d"),
  command("reopen", "Reopen a picture that is done", GO, "u"),
  command("accept-span", "Frames up to the next key frame are right: done", FILM, "Shift+a"),
  command("accept-film", "All frames between key frames are right: done", FILM, "Ctrl+Enter"),
  command("doubted", "To the frame that is doubted most", FILM, "Shift+n"),
  command("next-key", "Next key frame", FILM, ">"),
  command("previous-key", "Previous key frame", FILM, "<"),
  command("motion", "Between key frames: in a straight line, or along with the picture", FILM, "Shift+m"),
  command("film", "The pictures of this folder are frames of a video in their order, or not", FILM, "Shift+f"),
  command("people", "Who labels here, and second opinions", GO, "Shift+o"),
  command("history", "History: who did what when, and restore", GO, "Shift+h"),
  command("export", "Export the labels", GO, "Shift+s"),
  command("find-class", "Choose a class by its first letters", DRAW, "c"),
  command("new-box", "New box in the middle of the view", DRAW, "w"),
  command("grab-nw", "Top left corner of the nearest box follows the pointer until a click", DRAW, "q"),
  command("grab-se", "Bottom right corner follows the pointer until a click", DRAW, "e"),
  command("outline", "Outline: a click or a scribble on an object gives its outline and box", DRAW, "s"),
  command("brush", "Brush: paint the chosen outline, or a new one", DRAW, "j"),
  command("erase", "Eraser: take away from the chosen outline", DRAW, "Shift+j"),
  command("polygon", "Corners: add what lies within them to the outline", DRAW, "Shift+w"),
  command("points", "Points of the chosen outline: drag one, make one on a side, take one away", DRAW, "Shift+c"),
  command("thinner", "Smaller brush", DRAW, "["),
  command("thicker", "Larger brush", DRAW, "]"),
  command("repeat", "Repeat the boxes of the previous picture", DRAW, "r"),
  command("duplicate", "Duplicate", DRAW, "Ctrl+d"),
  command("copy", "Copy", DRAW, "Ctrl+c"),
  command("paste", "Paste", DRAW, "Ctrl+v"),
  command("delete", "Delete", DRAW, "Delete", "Backspace"),
  command("difficult", "Mark as difficult, or not", DRAW, "i"),
  command("crowd", "Mark as a crowd: many objects in one box, or not", DRAW, "Shift+i"),
  command("track", "Which object through frames it is (track)", DRAW, "t"),
  command("undo", "Undo", DRAW, "Ctrl+z"),
  command("redo", "Redo", DRAW, "Ctrl+y", "Ctrl+Shift+z"),
  command("left", "Left by 1 pixel", DRAW, "ArrowLeft"),
  command("right", "Right by 1 pixel", DRAW, "ArrowRight"),
  command("up", "Up by 1 pixel", DRAW, "ArrowUp"),
  command("down", "Down by 1 pixel", DRAW, "ArrowDown"),
  command("left-10", "Left by 10 pixels", DRAW, "Shift+ArrowLeft"),
  command("right-10", "Right by 10 pixels", DRAW, "Shift+ArrowRight"),
  command("up-10", "Up by 10 pixels", DRAW, "Shift+ArrowUp"),
  command("down-10", "Down by 10 pixels", DRAW, "Shift+ArrowDown"),
  command("narrower", "Narrower by 1 pixel", DRAW, "Alt+ArrowLeft"),
  command("wider", "Wider by 1 pixel", DRAW, "Alt+ArrowRight"),
  command("flatter", "Less tall by 1 pixel", DRAW, "Alt+ArrowUp"),
  command("taller", "Taller by 1 pixel", DRAW, "Alt+ArrowDown"),
  command("narrower-10", "Narrower by 10 pixels", DRAW, "Alt+Shift+ArrowLeft"),
  command("wider-10", "Wider by 10 pixels", DRAW, "Alt+Shift+ArrowRight"),
  command("flatter-10", "Less tall by 10 pixels", DRAW, "Alt+Shift+ArrowUp"),
  command("taller-10", "Taller by 10 pixels", DRAW, "Alt+Shift+ArrowDown"),
  command("next-box", "Next box", CHOOSE, "."),
  command("previous-box", "Previous box", CHOOSE, ","),
  command("all", "All boxes", CHOOSE, "Ctrl+a"),
  command("none", "None; leave a gesture", CHOOSE, "Escape"),
  command("hide", "Hide the chosen boxes; show all where none is chosen", CHOOSE, "h"),
  command("lock", "Lock the chosen boxes, or unlock all where none is chosen", CHOOSE, "l"),
  command("fit", "Whole picture", SEE, "f"),
  command("zoom-box", "Zoom to the box", SEE, "z"),
  command("nearer", "Nearer", SEE, "+", "="),
  command("further", "Further", SEE, "-"),
  command("names", "Names, or only boxes", SEE, "v"),
  command("depth", "Depth, or the colours again (saliency sets)", SEE, "Shift+g"),
  command("why", "Why what was learnt answers so, in a new tab", SEE, "Shift+e"),
  command("help", "This table", SEE, "?"),
  command("next-ghost", "Next proposal", PROPOSED, "p"),
  command("accept", "Accept the chosen proposal, or the one under the pointer; held, all that a drag passes", PROPOSED, "y"),
  command("reject", "Reject the chosen proposal, or the one under the pointer; held, all that a drag passes", PROPOSED, "x"),
  command("accept-all", "Accept all at or above the sliders", PROPOSED, "Shift+y"),
  command("accept-done", "Accept all at or above the sliders, done, and to the next to do", PROPOSED, "Shift+Enter"),
  command("ghosts", "Show proposals, or not", PROPOSED, "g"),
];

/** What no command and no class may have: they are the page's own ways to be used. */
export const RESERVED = ["Tab", "Shift+Tab", " ", "F5", "F11", "F12", "Ctrl+r", "Ctrl+w", "Ctrl+t", "Ctrl+n"];
export const DIGITS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "0"];
const BARE = ["Control", "Shift", "Alt", "Meta", "AltGraph", "CapsLock", "Dead", "Unidentified", "Process"];

/**
 * How a pressed key is written; "" for one that is none by itself. Shift counts where it does not
 * already show in the sign: "?" is "?", and a capital letter is "Shift+y".
 * @param {{key: string, ctrlKey: boolean, metaKey: boolean, altKey: boolean, shiftKey: boolean}} event
 */
export function written(event) {
  if (BARE.includes(event.key)) return "";
  const letter = event.key.length === 1 && event.key.toLowerCase() !== event.key.toUpperCase();
  const key = letter ? event.key.toLowerCase() : event.key;
  const sign = event.key.length === 1 && !letter && event.key !== " ";
  const shift = event.shiftKey && !sign ? "Shift+" : "";
  return `${event.ctrlKey || event.metaKey ? "Ctrl+" : ""}${event.altKey ? "Alt+" : ""}${shift}${key}`;
}

/**
 * The table as a person has changed it.
 * @param {Record<string, string[]>} [changed] @returns {Command[]}
 */
export function commandsWith(changed = {}) {
  return COMMANDS.map((each) => {
    const keys = changed[each.id];
    return Array.isArray(keys) && keys.every((key) => typeof key === "string") ? { ...each, keys } : each;
  });
}

/**
 * Why a key cannot be a command's or a class's; "" if it can.
 * @param {string} key @param {Command[]} commands
 * @param {{id: string, name: string, key: string}[]} classes @param {string} [own]  whose key it is
 */
export function clash(key, commands, classes, own = "") {
  if (key === "" || RESERVED.includes(key)) return `${shownKey(key) || "This"} cannot be chosen`;
  const taken = commands.find((each) => each.id !== own && each.keys.includes(key));
  if (taken) return `${shownKey(key)} is taken by “${taken.says}”`;
  const other = classes.find((each) => each.id !== own && each.key === key);
  if (other) return `${shownKey(key)} is the key of ${isolated(other.name)}`;
  return commands.some((each) => each.id === own) && DIGITS.includes(key) ? "Digits choose classes" : "";
}

/**
 * The key that chooses each class: its own where it has one that no command has, else a digit.
 * @param {{id: string, key: string}[]} classes @param {Command[]} commands
 * @returns {Map<string, string>} by key, the class's id
 */
export function classKeys(classes, commands) {
  const taken = new Set([...RESERVED, ...commands.flatMap((each) => each.keys)]);
  /** @type {Map<string, string>} */
  const found = new Map();
  for (const each of classes) {
    if (each.key && !taken.has(each.key) && !found.has(each.key)) found.set(each.key, each.id);
  }
  const free = (/** @type {string} */ digit) => !found.has(digit) && !taken.has(digit);
  const have = new Set(found.values());
  const without = classes.slice(0, DIGITS.length).filter((each) => !have.has(each.id));
  // Its own place's digit, and where that is another's, the first that is left.
  for (const each of without) {
    const digit = DIGITS[classes.indexOf(each)];
    if (free(digit)) found.set(digit, each.id);
  }
  const digits = new Set(found.values());
  for (const each of without.filter((one) => !digits.has(one.id))) {
    const digit = DIGITS.find(free);
    if (digit) found.set(digit, each.id);
  }
  return found;
}

/** @type {Record<string, string>} */
const SHOWN = { ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓", Escape: "Esc", " ": "Space" };

/** @param {string} key */
export const shownKey = (key) =>
  key.replace(/Arrow\w+|Escape| /, (name) => SHOWN[name]).replace(/\+([a-z])$/, (_, letter) => `+${letter.toUpperCase()}`);
