// The theme is that of the system, until the button of the header changes it.
const root = document.documentElement;
root.style.colorScheme = localStorage.getItem("theme") ?? "light dark";
document.addEventListener("click", (event) => {
  if (!event.target.closest("#theme")) return;
  const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  const shown = root.style.colorScheme === "light dark" ? system : root.style.colorScheme;
  root.style.colorScheme = shown === "dark" ? "light" : "dark";
  localStorage.setItem("theme", root.style.colorScheme);
});
