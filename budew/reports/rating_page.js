// A digit answers the question in focus, else the first one, and goes to the next question.
addEventListener("keydown", event => {
  const question = document.activeElement.closest("fieldset") ?? document.querySelector("fieldset");
  const choices = [...question?.querySelectorAll("input, button") ?? []];
  const choice = choices.find(one => one.value === event.key);
  if (!choice || event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
  choice.click();
  (question.nextElementSibling?.querySelector("input, button") ?? document.querySelector("form > button"))?.focus();
});
