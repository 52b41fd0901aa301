// Rows in an order are moved by buttons, or by Alt and an arrow key. Without this, by their numbers.
const said = document.getElementById("flaggate-said");

for (const body of document.querySelectorAll(".flaggate-ordered tbody")) {
  const rows = () => [...body.querySelectorAll("tr.form-row:not(.empty-form)")];
  const number = (row) => row.querySelector(".field-order input");
  const index = (row) => Number(row.id.split("-").pop());

  // An unused row keeps an empty number: with one, it would count as filled in.
  const used = (row) => row.matches(".has_original") || [...row.querySelectorAll("input, select, textarea")]
    .some((field) => field !== number(row) && changed(field));

  const changed = (field) => field.type === "select-multiple"
    ? field.selectedOptions.length > 0
    : field.type !== "hidden" && "defaultValue" in field && field.value !== field.defaultValue;

  const place = (sorted) => sorted.forEach((row) => body.insertBefore(row, body.querySelector(".empty-form")));

  const renumber = () => rows().filter(used).forEach((row, position) => { number(row).value = position; });

  const move = (row, step) => {
    const other = rows()[rows().indexOf(row) + step];
    if (!other) return;
    step < 0 ? other.before(row) : other.after(row);
    renumber();
    const now = rows().filter((each) => each === row || used(each));
    said.textContent = said.dataset.moved
      .replace("{place}", now.indexOf(row) + 1).replace("{count}", now.length);
  };

  const equip = (row) => {
    if (!number(row) || row.querySelector(".flaggate-move")) return;
    for (const [sign, step, label] of [["↓", 1, said.dataset.down], ["↑", -1, said.dataset.up]]) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "flaggate-move";
      button.textContent = sign;
      button.setAttribute("aria-label", label);
      button.addEventListener("click", () => { move(row, step); button.focus(); });
      number(row).after(button);
    }
    row.addEventListener("keydown", (event) => {
      const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
      if (!event.altKey || !step) return;
      event.preventDefault();
      const focused = document.activeElement;
      move(row, step);
      focused.focus();
    });
  };

  rows().forEach(equip);
  body.addEventListener("formset:added", (event) => equip(event.target));
  // Admin numbers the fields anew when a row is removed, and expects the rows as they came.
  body.addEventListener("click", (event) => {
    if (!event.target.closest(".inline-deletelink")) return;
    const inOrder = rows();
    place(rows().sort((one, other) => index(one) - index(other)));
    setTimeout(() => { place(inOrder.filter((row) => row.isConnected)); renumber(); });
  }, true);
}
