// Offers only operators that fit the attribute of a condition; "any" fits every attribute.
const kinds = new Map(
  [...document.querySelectorAll("#flaggate-attributes option")].map((option) => [
    option.value,
    option.dataset.kind,
  ]),
);

function fit(attribute) {
  const select = document.getElementById(attribute.id.replace(/attribute$/, "operator"));
  if (!select) return;
  const kind = kinds.get(attribute.value.trim());
  for (const option of select.options) {
    const fits = !kind || [undefined, "any", kind].includes(option.dataset.kind);
    option.hidden = option.disabled = !fits && !option.selected;
  }
  for (const group of select.querySelectorAll("optgroup")) {
    group.hidden = [...group.children].every((option) => option.hidden);
  }
}

const isAttribute = (element) => element.matches?.("input[name$='-attribute']");

document.addEventListener("input", (event) => isAttribute(event.target) && fit(event.target));
document.querySelectorAll("input[name$='-attribute']").forEach(fit);
