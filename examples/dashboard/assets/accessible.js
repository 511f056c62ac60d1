// Dash gives the label of a radio button the role of an option, which must not contain a button, and
// has an invisible input in each dropdown, which the Tab key reaches instead of its button, whose name
// lacks the label, and its list of options has no name. With these repairs, people who use a keyboard
// or a screen reader meet the native radio buttons, and each picker once.
const faults = [
  ["label[role=option]", (label) => label.removeAttribute("role")],
  ["label[aria-selected]", (label) => label.removeAttribute("aria-selected")],
  ["[role=listbox]:has(input[type=radio])", (list) => list.setAttribute("role", "radiogroup")],
  [".dash-dropdown-focus-target[tabindex='0']", (input) => (input.tabIndex = -1)],
  ["button.dash-dropdown[tabindex='-1']", (button) => {
    button.tabIndex = 0;
    button.setAttribute("aria-labelledby", `${button.id}-label ${button.id}-value`);
  }],
  [".dash-dropdown-content:not([aria-label])", (list) => list.setAttribute("aria-label", "Options")],
];
new MutationObserver(() => {
  for (const [selector, repair] of faults) document.querySelectorAll(selector).forEach(repair);
}).observe(document, { subtree: true, childList: true, attributeFilter: ["aria-selected"] });
