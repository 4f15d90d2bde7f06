/** Dark or light: the system's, until the person says otherwise. */

/** @param {string} name */
export function theme(name) {
  document.documentElement.dataset.theme = name;
  try {
    localStorage.setItem("theme", name);
  } catch {
    // A browser that keeps nothing: the theme is then the system's at the next start.
  }
}

/** @returns {string} */
export function themeAtStart() {
  try {
    const kept = localStorage.getItem("theme");
    if (kept === "dark" || kept === "light") return kept;
  } catch {
    // As above.
  }
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}
