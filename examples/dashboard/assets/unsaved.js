// Leaving the form asks first if something was entered since it was saved. Dash follows links itself,
// without the event of the browser.
let before = null; // the message when something was entered last
const message = () => document.querySelector("#message")?.textContent;
const isUnsaved = () =>
  before !== null && message() !== undefined && (message() === before || !message().startsWith("Saved"));

document.addEventListener("input", (event) => {
  if (event.target.closest(".settings")) before = message();
});
document.addEventListener("click", (event) => {
  if (!event.target.closest("a[href]")) return;
  if (!isUnsaved() || confirm("Leave without saving the changes?")) {
    before = null;
    return;
  }
  event.preventDefault();
  event.stopPropagation();
}, { capture: true });
addEventListener("beforeunload", (event) => {
  if (isUnsaved()) event.preventDefault();
});
