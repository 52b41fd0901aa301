// What each variant gets of everyone else, while weights and the percentage are typed.
const output = document.getElementById("flaggate-shares");
const percentage = document.getElementById("id_percentage");
const figures = new Intl.NumberFormat(document.documentElement.lang || "en", { maximumSignificantDigits: 4 });
const percent = (share) => output.dataset.percent.replace("{number}", figures.format(share));

const variants = () => [...document.querySelectorAll("#variants-group tr.form-row:not(.empty-form)")]
  .filter((row) => !row.querySelector(".delete input")?.checked)
  .map((row) => [row.querySelector(".field-key input"), row.querySelector(".field-weight input")])
  .map(([key, weight]) => [key?.value, Number(weight?.value) || 0])
  .filter(([key]) => key);

const show = () => {
  const all = variants();
  const whole = Number(percentage?.value) || 0;
  const total = all.reduce((sum, [, weight]) => sum + weight, 0) || 1;
  const shares = all.map(([key, weight]) => `${key} ${percent((whole * weight) / total)}`);
  if (whole < 100) shares.push(output.dataset.rest.replace("{share}", percent(100 - whole)));
  output.textContent = shares.join(", ");
};

if (output && percentage) {
  document.addEventListener("input", show);
  document.addEventListener("change", show);
}
